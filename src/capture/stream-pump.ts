import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { pipeline, type Readable } from "node:stream";
import { firstLine, type Libpcap, type Pointer } from "./libpcap-binding.ts";

/** Enough to tell a compressed file. */
const START_BYTES = 4;

/**
 * Standard input, or any file that may make its reader wait, copied into a pipe of our own that libpcap reads on another
 * thread. The detour buys an end: a thread blocked in a read of standard input would keep the process from exiting,
 * while closing our end of the pipe releases it at once.
 */
export class StreamPump {
  /** What libpcap reads: a C `FILE *`. Closed by `pcap_close`. */
  readonly readStream: Pointer;
  /** Why the input broke off, or null. */
  failure: string | null = null;
  /** The first bytes, once they have come. */
  start: Uint8Array = new Uint8Array(0);

  readonly #input: Readable;
  readonly #output: Socket;
  /** Closes our end of the pipe in a process that ends. */
  readonly #release: () => void;
  #isClosed = false;

  /** Takes the input over. Throws Error when no pipe can be had. */
  constructor(libpcap: Libpcap, input: Readable) {
    const ends = new Int32Array(2);
    if (libpcap.createPipe(ends) !== 0) throw new Error("no pipe can be opened");
    this.readStream = libpcap.openDescriptor(ends[0]!, "r");
    if (this.readStream === null) throw new Error("no stream can be opened");
    this.#input = input;
    const writeEnd = ends[1]!;
    this.#output = new Socket({ fd: writeEnd, readable: false, writable: true });
    // Whoever calls process.exit meanwhile: Node waits there for the thread that reads.
    this.#release = () => {
      try {
        closeSync(writeEnd);
      } catch {
        // Closed in this turn of the event loop, which has not told it yet.
      }
    };
    process.once("exit", this.#release);
    this.#output.once("close", () => process.off("exit", this.#release));
    this.#input.once("data", (bytes: Buffer) => {
      this.start = bytes.subarray(0, START_BYTES);
    });
    pipeline(this.#input, this.#output, (error) => {
      if (error && !this.#isClosed) this.failure = firstLine(error);
    });
  }

  /** Bytes that its reader has, or will find in the pipe. */
  get handedOnBytes(): number {
    return this.#output.bytesWritten - this.#output.writableLength;
  }

  /** The pipe was full when last looked at (it is each turn of the event loop), so at least half of it can be read at once. */
  get isAhead(): boolean {
    return this.#output.writableLength > 0;
  }

  /** The pipe holds all that is left: its reader waits for nothing. */
  get isOver(): boolean {
    return this.#output.writableFinished;
  }

  /** It was ended here, be it within a frame. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends the stream for its reader, in whatever it waits for, once that has what is in the pipe. */
  close(): void {
    this.#isClosed = true;
    this.#input.destroy();
    this.#output.destroy();
    process.off("exit", this.#release);
  }
}
