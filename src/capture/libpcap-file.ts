import { closeSync, openSync, readSync, statSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TcplatError } from "../errors.ts";
import { allocateBatch, BatchStream, LOCKED_BY_CALLER } from "./batch-stream.ts";
import { applyFilter } from "./filter.ts";
import { type CaptureDrops, END_OF_FRAMES, type FrameSource } from "./frame-source.ts";
import { cText, ERROR_TEXT_BYTES, firstLine, type Libpcap, type Pointer, PRECISION_NANO } from "./libpcap-binding.ts";
import { HUGE_LINK_TYPES, MAX_FRAME_BYTES } from "./pcap-file.ts";
import type { StreamPump } from "./stream-pump.ts";

/** A synchronous call that took longer (a rare filter, a slow disk) makes the next one asynchronous. */
const SLOW_CALL_MS = 25;

/** Half of what a pipe holds (`pipe(7)`): so much of a stream that is ahead of its reader can be asked for without waiting. */
const READY_BYTES = 32_768;

const NO_DROPS: CaptureDrops = { kernel: 0, interface: 0, engine: 0 };

/** Frames from a pcap or pcapng file, or from a stream of one. */
export class FileSource implements FrameSource {
  readonly name: string;
  readonly engine = "libpcap";
  readonly isLive = false;
  readonly clock = "file";
  readonly linkType: number;
  readonly snaplen: number;
  readonly layout = "records";
  readonly batchStart = 0;
  readonly batch: Uint8Array;
  readonly isUp = true;
  warning: string | null = null;

  readonly #libpcap: Libpcap;
  readonly #handle: Pointer;
  readonly #stream: BatchStream;
  readonly #pump: StreamPump | null;
  #fault: TcplatError | null = null;
  #isAtEnd = false;
  #isSlow = false;
  #framesRead = 0;
  #isReading = false;
  #isClosed = false;

  /** Takes the handle over, and the pump that feeds it (null for a regular file). Throws TcplatError "file" or "filter". */
  constructor(libpcap: Libpcap, handle: Pointer, name: string, filter: string, pump: StreamPump | null) {
    this.name = name;
    this.#libpcap = libpcap;
    this.#handle = handle;
    this.#pump = pump;
    try {
      applyFilter(libpcap, handle, filter);
      this.#stream = openBatch(libpcap, handle, name);
    } catch (error) {
      libpcap.close(handle);
      pump?.close();
      throw error;
    }
    this.linkType = this.#stream.linkType;
    this.snaplen = Math.min(Math.max(libpcap.snapshot(handle), 1), MAX_FRAME_BYTES);
    this.batch = this.#stream.buffer;
  }

  read(): number | Promise<number> {
    if (this.#fault !== null) throw this.#fault;
    if (this.#isAtEnd || this.#isClosed) return END_OF_FRAMES;
    if (this.#pump !== null || this.#isSlow) return this.#readAsync();
    const startedAt = performance.now();
    const bytes = this.#stream.fill();
    this.#isSlow = performance.now() - startedAt > SLOW_CALL_MS;
    return this.#settle(bytes);
  }

  async waitForFrames(): Promise<void> {}

  /** A read of a stream that waits for its writer ends with what has come. */
  wake(): void {
    this.#pump?.close();
  }

  drops(): CaptureDrops {
    return NO_DROPS;
  }

  /** During a read of a stream: ends the stream, and lets go of the rest once that read has ended. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pump?.close();
    if (!this.#isReading) this.#release();
  }

  async #readAsync(): Promise<number> {
    this.#isReading = true;
    let startedAt: number;
    let bytes: number;
    try {
      const frames = this.#pump === null ? this.#stream.framesPerCall : await this.#framesOf(this.#pump);
      if (this.#isClosed) return END_OF_FRAMES;
      startedAt = performance.now();
      bytes = await this.#stream.fillAsync(frames);
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#release();
    }
    if (this.#isClosed) return END_OF_FRAMES;
    this.#isSlow = performance.now() - startedAt > SLOW_CALL_MS;
    this.#framesRead += Math.max(0, this.#stream.result);
    return this.#settle(bytes);
  }

  /**
   * How many frames may be asked of a stream: libpcap gives back none before it has all, so no more than have come. Of a stream that
   * is not ahead it is one.
   */
  async #framesOf(pump: StreamPump): Promise<number> {
    // A turn later it is known of what was just written whether the pipe took it all.
    if (pump.isAhead) await nextTurn();
    if (pump.isOver) return this.#stream.framesPerCall;
    if (!pump.isAhead) return 1;
    // Of those that the filter takes, with what it leaves out between them.
    const bytesAFrame = pump.handedOnBytes / this.#framesRead;
    return Math.max(1, Math.min(this.#stream.framesPerCall, Math.floor(READY_BYTES / bytesAFrame)));
  }

  /** What a call's outcome means: more to come, the end, the end inside a frame, or a fault after these bytes. */
  #settle(bytes: number): number {
    const { result, asked } = this.#stream;
    if (result < 0) this.#break(this.#pump?.failure ?? this.#libpcap.errorText(this.#handle));
    else if (result < asked) this.#end();
    if (bytes > 0) return bytes;
    if (this.#fault !== null) throw this.#fault;
    return this.#isAtEnd ? END_OF_FRAMES : 0;
  }

  #end(): void {
    const failure = this.#pump?.failure ?? null;
    if (failure === null) this.#isAtEnd = true;
    else this.#break(failure);
  }

  /** libpcap's texts for a cut file begin with "truncated" (`sf-pcap.c`, `sf-pcapng.c`). */
  #break(reason: string): void {
    if (this.#pump?.isClosed === true) this.#isAtEnd = true;
    else if (reason.startsWith("truncated")) {
      this.#isAtEnd = true;
      this.warning = `${this.name} ends in the middle of a frame (${reason}): all frames before it were read`;
    } else {
      this.#fault = new TcplatError("running", `${this.name} cannot be read further: ${reason}`);
    }
  }

  #release(): void {
    this.#stream.close();
    this.#libpcap.close(this.#handle);
  }
}

/** Opens a regular file. Throws TcplatError "file" or "filter". */
export function openRegularFile(libpcap: Libpcap, path: string, filter: string): FileSource {
  const errorText = Buffer.alloc(ERROR_TEXT_BYTES);
  const handle = libpcap.openOffline(path, PRECISION_NANO, errorText);
  if (handle === null) throw openError(path, unpackHint(path) ?? cText(errorText));
  libpcap.setLocking?.(libpcap.file(handle), LOCKED_BY_CALLER);
  return new FileSource(libpcap, handle, path, filter, null);
}

/** Opens what a pump feeds: the file header is awaited on another thread. Throws TcplatError "file" or "filter". */
export async function openPumped(
  libpcap: Libpcap,
  name: string,
  filter: string,
  pump: StreamPump,
): Promise<FileSource> {
  const errorText = Buffer.alloc(ERROR_TEXT_BYTES);
  const handle = await new Promise<Pointer>((resolve, reject) => {
    libpcap.openOfflineStream.async(pump.readStream, PRECISION_NANO, errorText, (error, result) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(result);
    });
  });
  if (handle !== null) return new FileSource(libpcap, handle, name, filter, pump);
  pump.close();
  libpcap.closeStream(pump.readStream);
  const tool = unpackTool(pump.start);
  const packed = tool === null ? null : `it is compressed: unpack it before, as in ${tool} FILE | tcplat -r -`;
  throw openError(name, pump.failure ?? packed ?? cText(errorText));
}

/** Whether the path is a regular file, which never makes its reader wait. Throws TcplatError "file". */
export function isRegularFile(path: string): boolean {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new TcplatError("file", `${path} is a directory: name a capture file`);
    return stat.isFile();
  } catch (error) {
    if (error instanceof TcplatError) throw error;
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new TcplatError("file", isMissing ? `${path}: no such file` : `${path}: ${firstLine(error)}`);
  }
}

function openBatch(libpcap: Libpcap, handle: Pointer, name: string): BatchStream {
  let stream: BatchStream;
  try {
    stream = new BatchStream(libpcap, handle, allocateBatch(), MAX_FRAME_BYTES);
  } catch (error) {
    throw new TcplatError("file", `${name}: ${firstLine(error)}`);
  }
  if (!HUGE_LINK_TYPES.includes(stream.linkType)) return stream;
  stream.close();
  throw new TcplatError("file", `${name} holds no network frames (link type ${stream.linkType})`);
}

/** The first bytes of compressed files, and what unpacks them. */
const COMPRESSIONS = [
  { magic: [0x1f, 0x8b], tool: "zcat" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], tool: "zstdcat" },
  { magic: [0xfd, 0x37, 0x7a, 0x58], tool: "xzcat" },
  { magic: [0x42, 0x5a, 0x68], tool: "bzcat" },
] as const;

/** What to type where the file is compressed; null where it is not, or cannot be read. */
function unpackHint(path: string): string | null {
  const start = Buffer.alloc(4);
  let descriptor = -1;
  try {
    descriptor = openSync(path, "r");
    readSync(descriptor, start);
  } catch {
    // What libpcap says of it is the reason.
    return null;
  } finally {
    if (descriptor >= 0) closeSync(descriptor);
  }
  const tool = unpackTool(start);
  return tool === null ? null : `it is compressed: ${tool} ${path} | tcplat -r -`;
}

/** The program that unpacks what begins with these bytes, or null. */
function unpackTool(start: Uint8Array): string | null {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => start[index] === byte))?.tool ?? null;
}

function openError(name: string, reason: string): TcplatError {
  const text = reason.replace(`${name}: `, "");
  return new TcplatError("file", `${name} cannot be read as a capture file: ${text || "unknown format"}`);
}
