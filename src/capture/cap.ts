import { type ChildProcess, fork } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { u32le } from "../bytes/read.ts";
import { type ErrorCode, TcplatError } from "../errors.ts";
import {
  CAP_MAX_FRAME_BYTES,
  type CapChildMessage,
  type CapChildOptions,
  isLibpcapWanting,
  RECORDS_DESCRIPTOR,
} from "./cap-messages.ts";
import { type CaptureDrops, END_OF_FRAMES, type FrameSource, RECORD_HEADER_BYTES } from "./frame-source.ts";
import { interfaceDown } from "./interfaces.ts";
import { INSTALL_LIBPCAP } from "./libpcap-binding.ts";
import { permissionSentence } from "./permission.ts";
import { Readiness } from "./readiness.ts";

/** Bytes taken from the child and not yet read; beyond it the child's own queue fills, and then counts. */
const CAPACITY_BYTES = 4 << 20;

/** Node reads a pipe in pieces of at most this many bytes. */
const MAX_CHUNK_BYTES = 64 << 10;

const FIRST_BACK_OFF_MS = 250;
const LAST_BACK_OFF_MS = 5000;
/** A child that has lived so long was no failure: the back-off begins anew. */
const STEADY_MS = 30_000;

/** Frames through the npm package `cap`, which runs in a child process and is started again when it dies. */
export class CapSource implements FrameSource {
  readonly name: string;
  readonly engine = "cap";
  readonly isLive = true;
  readonly clock = "arrival";
  readonly snaplen: number;
  readonly layout = "records";
  readonly batchStart = 0;
  readonly batch: Uint8Array = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  readonly warning = null;
  linkType = 0;
  isUp = false;
  /** Why no child is capturing, or null. */
  outage: string | null = null;
  /** How often a child was started again. */
  restarts = 0;

  readonly #options: CapChildOptions;
  readonly #incoming = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  readonly #readiness = new Readiness();
  #incomingBytes = 0;
  #child: ChildProcess | null = null;
  #records: Readable | null = null;
  #fault: TcplatError | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #backOffMs = FIRST_BACK_OFF_MS;
  #earlierDrops = 0;
  #childDrops = 0;
  #isClosed = false;

  /** Does nothing yet: see openCap. */
  constructor(options: CapChildOptions) {
    this.#options = options;
    this.name = options.interface;
    this.snaplen = Math.min(options.snaplen, CAP_MAX_FRAME_BYTES);
  }

  /** Process id of the capturing child, or null. */
  get childPid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts the first child. Rejects with TcplatError when it cannot capture. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#spawn((error) => {
        if (error === null) {
          resolve();
          return;
        }
        this.close();
        reject(error);
      });
    });
  }

  read(): number {
    if (this.#fault !== null) throw this.#fault;
    if (this.#isClosed) return END_OF_FRAMES;
    const bytes = wholeRecords(this.#incoming, this.#incomingBytes);
    if (bytes < 0) this.#child?.kill("SIGKILL");
    if (bytes <= 0) return 0;
    this.#incoming.copy(this.batch, 0, 0, bytes);
    this.#incoming.copyWithin(0, bytes, this.#incomingBytes);
    this.#incomingBytes -= bytes;
    this.#records?.resume();
    return bytes;
  }

  waitForFrames(maxMs: number): Promise<void> {
    // Part of a frame is none: the rest of it comes only when the event loop turns.
    const hasFrame = wholeRecords(this.#incoming, this.#incomingBytes) > 0;
    return hasFrame ? Promise.resolve() : this.#readiness.wait(maxMs);
  }

  wake(): void {
    this.#readiness.wake();
  }

  drops(): CaptureDrops {
    return { kernel: 0, interface: 0, engine: this.#earlierDrops + this.#childDrops };
  }

  close(): void {
    this.#isClosed = true;
    this.isUp = false;
    this.#readiness.wake();
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    this.#child?.kill("SIGKILL");
  }

  /** `onStart` hears once whether this child captures. */
  #spawn(onStart: (error: TcplatError | null) => void): void {
    const child = fork(fileURLToPath(new URL("./cap-child.js", import.meta.url)), [JSON.stringify(this.#options)], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
    });
    const startedAt = performance.now();
    let failure = new TcplatError("engine", "the cap engine's process ended before it captured anything");
    let isReady = false;
    this.#child = child;
    this.#records = child.stdio[RECORDS_DESCRIPTOR] as Readable;
    this.#records.on("data", (chunk: Buffer) => this.#take(chunk));
    child.on("message", (message: CapChildMessage) => {
      if (message.type === "ready") {
        isReady = true;
        this.#begin(message.linkType);
        onStart(null);
      } else if (message.type === "failed") {
        failure = childError(this.#options, message.code, message.reason);
      } else {
        this.#childDrops = message.frames;
      }
    });
    child.on("error", (error) => {
      failure = new TcplatError("engine", `the cap engine's process cannot be started: ${error.message}`);
    });
    child.on("close", () => {
      if (performance.now() - startedAt > STEADY_MS) this.#backOffMs = FIRST_BACK_OFF_MS;
      this.#lose(isReady ? "the cap engine's process died" : failure.message);
      if (!isReady) onStart(failure);
    });
  }

  #begin(linkType: number): void {
    if (this.restarts > 0 && linkType !== this.linkType) {
      this.#fault = new TcplatError("running", `${this.name} came back with link type ${linkType}: start again`);
    }
    this.linkType = linkType;
    this.isUp = true;
    this.outage = null;
  }

  #take(chunk: Buffer): void {
    chunk.copy(this.#incoming, this.#incomingBytes);
    this.#incomingBytes += chunk.length;
    this.#readiness.wake();
    if (this.#incomingBytes + MAX_CHUNK_BYTES > CAPACITY_BYTES) this.#records?.pause();
  }

  #lose(reason: string): void {
    this.#child = null;
    this.#records = null;
    this.#earlierDrops += this.#childDrops;
    this.#childDrops = 0;
    // The dead child's last record may be cut; the next child begins with a whole one.
    this.#incomingBytes = Math.max(0, wholeRecords(this.#incoming, this.#incomingBytes));
    if (this.#isClosed) return;
    this.isUp = false;
    this.outage = reason;
    this.#restartTimer = setTimeout(() => {
      this.restarts++;
      this.#spawn(() => {});
    }, this.#backOffMs);
    this.#backOffMs = Math.min(this.#backOffMs * 2, LAST_BACK_OFF_MS);
  }
}

/** Starts a capture through `cap`. Rejects with TcplatError "engine", "interface", "permission" or "filter". */
export async function openCap(options: CapChildOptions): Promise<CapSource> {
  const source = new CapSource(options);
  await source.start();
  return source;
}

/** Bytes of the whole records at the beginning of bytes[0, length); -1 when the first one cannot be a record. */
function wholeRecords(bytes: Uint8Array, length: number): number {
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= length) {
    const captured = u32le(bytes, at + 8);
    if (captured > CAP_MAX_FRAME_BYTES) return at === 0 ? -1 : at;
    const next = at + RECORD_HEADER_BYTES + captured;
    if (next > length) break;
    at = next;
  }
  return at;
}

function childError(options: CapChildOptions, code: ErrorCode, reason: string): TcplatError {
  const { interface: name, filter } = options;
  if (code === "permission") return new TcplatError(code, permissionSentence(name));
  if (code === "interface" && /not up/.test(reason)) return interfaceDown(name);
  if (code === "interface")
    return new TcplatError(code, `no capture on ${name}: ${reason}; tcplat -D lists interfaces`);
  if (code === "filter") return new TcplatError(code, `the filter ${JSON.stringify(filter)} is wrong: ${reason}`);
  if (isLibpcapWanting(reason))
    return new TcplatError("engine", `the cap engine calls libpcap, too (${reason}): ${INSTALL_LIBPCAP}`);
  return new TcplatError(
    "engine",
    `the cap engine does not run (${reason}): build it with a C++ compiler and libpcap's headers present ` +
      "(the command that installed tcplat with --allow-scripts=cap, or npm rebuild cap in a checkout), or use --engine libpcap",
  );
}
