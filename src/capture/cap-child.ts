/**
 * The process in which the npm package `cap` may die: it ends its process when the interface goes down. Frames go to the
 * parent as records; times are taken here, on arrival. See native-notes/cap-engine.md.
 */
import { createRequire } from "node:module";
import { Socket } from "node:net";
import type { ErrorCode } from "../errors.ts";
import {
  CAP_MAX_FRAME_BYTES,
  type CapChildMessage,
  type CapChildOptions,
  RECORDS_DESCRIPTOR,
  reasonOf,
} from "./cap-messages.ts";
import { RecordQueue } from "./record-queue.ts";

/** The part of `cap` in use (its README, "Capture functions"). */
interface CapModule {
  readonly Cap: new () => CapCapture;
}
interface CapCapture {
  open(device: string, filter: string, bufferBytes: number, frame: Buffer): string;
  on(event: "packet", listener: (bytes: number, isCut: boolean) => void): void;
}

/** `cap` names the link type it found (its `src/binding.cc`, Open); LINKTYPE_ values. */
const LINK_TYPES: Readonly<Record<string, number>> = {
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  IEEE802_11_RADIO: 127,
};

const MAX_BUFFER_BYTES = 0x7fffffff;
const FLUSH_BYTES = 64 << 10;
const RETRY_MS = 2;
const REPORT_MS = 200;
/** The wall clock was set when it is this far from ours. */
const CLOCK_STEP_MS = 500;

const options: CapChildOptions = JSON.parse(process.argv[2] ?? "{}");

/** `cap` writes each frame here and keeps no reference of its own: collected, it would be written to all the same. */
const frame = Buffer.allocUnsafeSlow(CAP_MAX_FRAME_BYTES + 1);
const queue = new RecordQueue(RECORDS_DESCRIPTOR);
let capture: CapCapture | null = null;
let isFlushPlanned = false;
let originMs = performance.timeOrigin;
let reportedDrops = 0;

process.on("disconnect", () => process.exit(0));
// Ctrl-C goes to the whole group, but the parent decides when to end: it has yet to take what is queued here.
process.on("SIGINT", () => {});

function onFrame(bytes: number): void {
  const nowMs = originMs + performance.now();
  const seconds = Math.floor(nowMs / 1000);
  const nanoseconds = Math.floor((nowMs - seconds * 1000) * 1e6);
  queue.push(seconds, nanoseconds, frame, Math.min(bytes, options.snaplen), bytes);
  if (queue.pendingBytes >= FLUSH_BYTES) queue.flush();
  if (!isFlushPlanned) {
    isFlushPlanned = true;
    setImmediate(flush);
  }
}

function flush(): void {
  isFlushPlanned = !queue.flush();
  if (isFlushPlanned) setTimeout(flush, RETRY_MS);
}

function report(): void {
  if (Math.abs(Date.now() - originMs - performance.now()) > CLOCK_STEP_MS) originMs = Date.now() - performance.now();
  if (queue.droppedFrames === reportedDrops) return;
  reportedDrops = queue.droppedFrames;
  say({ type: "dropped", frames: reportedDrops });
}

function say(message: CapChildMessage, then?: () => void): void {
  process.send?.(message, undefined, undefined, then);
}

function fail(code: ErrorCode, error: unknown): void {
  say({ type: "failed", code, reason: reasonOf(error) }, () => process.exit(1));
}

/** `cap` throws libpcap's text and no code. A filter is at fault when the same capture opens without one. */
function codeOf(module: CapModule, error: unknown): ErrorCode {
  const text = String(error);
  if (/permi/i.test(text)) return "permission";
  if (/no such device|not up|down/i.test(text)) return "interface";
  if (options.filter === "") return "engine";
  try {
    new module.Cap().open(options.interface, "", 1 << 20, frame);
    return "filter";
  } catch {
    return "engine";
  }
}

function begin(): void {
  let module: CapModule;
  try {
    module = createRequire(import.meta.url)("cap");
  } catch (error) {
    fail("engine", error);
    return;
  }
  try {
    capture = new module.Cap();
    const bufferBytes = Math.min(options.bufferKib * 1024, MAX_BUFFER_BYTES);
    const name = capture.open(options.interface, options.filter, bufferBytes, frame);
    const linkType = LINK_TYPES[name];
    if (linkType === undefined) throw new Error(`cap does not know the interface's link type (${name})`);
    capture.on("packet", onFrame);
    say({ type: "ready", linkType });
    setInterval(report, REPORT_MS);
  } catch (error) {
    fail(codeOf(module, error), error);
  }
}

// Makes the descriptor non-blocking; the queue writes to it by itself.
new Socket({ fd: RECORDS_DESCRIPTOR, readable: false, writable: true });
begin();
