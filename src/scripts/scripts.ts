import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { ScriptCounters, Snapshot } from "../aggregate/snapshot.ts";
import type { RecordPlace } from "../outputs/record-output.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { HeldRecords } from "./held-records.ts";
import type { ScriptError } from "./messages.ts";
import { printFormat } from "./print-format.ts";
import { NOTHING_PRINTED, type OrderedSlice, type Printer, PrintOrder } from "./print-order.ts";
import type { Aside, Done, ScriptThread, ThreadOptions } from "./script-thread.ts";
import { Ticker, tickOf } from "./ticker.ts";
import { ToldRecords } from "./told-records.ts";

/** Live: what waits for the scripts at most; beyond it frames and transactions pass them by. */
const WAITING_BYTES = 8 * 1024 * 1024;
/** A file: so much is read ahead of the scripts, so that both have something to do. */
const AHEAD_BYTES = 512 * 1024;
/** Live: records wait for scripts so long. */
const HOLD_MS = 100;
/** Live: how long the last slices may take; and `end`, always. */
const LAST_MS = 2000;
const END_MS = 5000;
/** Different errors told in all. */
const ERRORS_TOLD = 20;
/** A slice and its last frame fit into it, mostly. */
const FRAMES_BYTES = 131_072;
const SPARE_FRAMES = 8;

/** What a run tells its scripts of, and asks them. */
export interface ScriptSurroundings {
  readonly linkType: number;
  /** Frames taken so far. */
  readonly frames: () => number;
  /** The capture's clock. */
  readonly clockUs: () => number;
  readonly snapshot: () => Snapshot;
}

export interface ScriptOptions extends ThreadOptions {
  readonly isJson: boolean;
  readonly isTerminal: boolean;
  /** `--details`: transactions have them. */
  readonly hasDetails: boolean;
  readonly warn: (sentence: string) => void;
}

/** A slice that the scripts have not answered. */
interface Waiting {
  readonly slice: OrderedSlice;
  readonly bytes: number;
  readonly frames: number;
  readonly transactions: number;
  readonly resolve: () => void;
  readonly answer: Promise<void>;
}

/**
 * `-S`: hands the frames and what was told of them to the scripts' thread, slice by slice, and puts what they print in order
 * with the records. A file waits for them; a live capture never does (native-notes/scripts.md).
 */
export class Scripts implements TransactionOutput {
  /** Where the records go that scripts may print around. */
  readonly records: RecordPlace & { record(text: string): void };
  readonly #options: ScriptOptions;
  readonly #thread: ScriptThread;
  readonly #order: PrintOrder;
  readonly #held: HeldRecords;
  readonly #told: ToldRecords;
  readonly #ticker: Ticker;
  readonly #calls = { packet: 0, transaction: 0, tick: 0 };
  readonly #skipped = { frames: 0, transactions: 0 };
  #around: ScriptSurroundings | null = null;
  #framesBefore = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #errors = 0;
  #errorsTold = new Set<string>();
  #spares: Uint8Array<ArrayBuffer>[] = [];
  #onSettled: () => void = () => {};
  #onEnded: () => void = () => {};

  constructor(options: ScriptOptions, thread: ScriptThread, printer: Printer) {
    this.#options = options;
    this.#thread = thread;
    this.#ticker = new Ticker(options.isLive);
    this.#told = new ToldRecords(options.hasDetails);
    this.#order = new PrintOrder(printer, printFormat(options));
    this.#held = new HeldRecords(() => this.#frame());
    this.records = this.#held;
    thread.listen({
      done: (report) => this.#answered(report),
      aside: (report) => this.#aside(report),
      over: (reason) => this.#over(reason),
    });
  }

  /** Before the first frame. */
  begin(around: ScriptSurroundings): void {
    this.#around = around;
    this.#order.aside(this.#thread.ready.printed);
  }

  transaction(transaction: Transaction): void {
    if (!this.#thread.wants.transaction) return;
    // Asked here, too: what will pass them by need not be written.
    if (this.#hasRoom()) this.#told.add(transaction, this.#frame());
    else this.#skip(0, 1);
  }

  /** How far the next slice of batch[start, end) may reach, so that a file's ticks come in time. */
  sliceEnd(batch: Uint8Array, start: number, end: number): number {
    return this.#thread.wants.tick ? this.#ticker.sliceEnd(batch, start, end) : end;
  }

  /** Takes the frames of batch[start, end), and what has been told since the last time. Resolves when a file may go on. */
  take(batch: Uint8Array, start: number, end: number): Promise<void> | null {
    const { wants } = this.#thread;
    const around = this.#around!;
    const frames = this.#frame();
    this.#framesBefore += frames;
    const records = this.#held.take();
    const clockUs = around.clockUs();
    const isTick = wants.tick && this.#ticker.isDue(clockUs);
    const bytes = wants.packet ? end - start : 0;
    if (this.#options.isLive) this.#order.release(performance.now() - HOLD_MS);
    const isWanted = bytes > 0 || this.#told.count > 0 || isTick;
    if (!isWanted || !this.#hasRoom()) {
      if (isWanted) this.#skip(bytes > 0 ? frames : 0, this.#told.count);
      this.#told.drop();
      if (records.length > 0) this.#order.add(records, NOTHING_PRINTED);
      this.#order.settle();
      return null;
    }
    const copy = this.#copied(batch, start, start + bytes);
    const { told, toldAt } = this.#told.take();
    const tick = isTick ? tickOf(around.snapshot(), clockUs) : null;
    this.#wait(records, bytes + told.length, bytes > 0 ? frames : 0, toldAt.length);
    this.#thread.send({ kind: "slice", linkType: around.linkType, frames: copy, length: bytes, told, toldAt, tick }, [
      copy.buffer,
      told.buffer,
    ]);
    // A tick weighs more than its frames do: as many as there are to come may not wait.
    const isAhead = isTick || this.#waitingBytes >= AHEAD_BYTES;
    return this.#options.isLive || !isAhead ? null : this.#waiting[0]!.answer;
  }

  /** The capture is over: everything is handed over, printed, and `end` called. */
  async finish(): Promise<void> {
    const { isLive, warn } = this.#options;
    await this.take(new Uint8Array(0), 0, 0);
    if (this.#waiting.length > 0) {
      await within(isLive ? LAST_MS : null, new Promise<void>((resolve) => (this.#onSettled = resolve)));
    }
    if (this.#waiting.length > 0) this.#thread.close();
    if (this.#thread.isOver) return;
    const ended = new Promise<void>((resolve) => (this.#onEnded = resolve));
    this.#thread.send({ kind: "end" }, []);
    if (!(await within(END_MS, ended))) warn(`--script: end() did not come to its end within ${END_MS / 1000} s`);
  }

  close(): void {
    this.#thread.close();
  }

  counters(): ScriptCounters {
    const isRunning = !this.#thread.isOver;
    return { isRunning, calls: { ...this.#calls }, errors: this.#errors, skipped: { ...this.#skipped } };
  }

  /** How many frames of the present slice have been taken. */
  #frame(): number {
    return this.#around === null ? 0 : this.#around.frames() - this.#framesBefore;
  }

  #hasRoom(): boolean {
    if (this.#thread.isOver) return false;
    return !this.#options.isLive || this.#waitingBytes < WAITING_BYTES;
  }

  #skip(frames: number, transactions: number): void {
    this.#skipped.frames += frames;
    this.#skipped.transactions += transactions;
  }

  #wait(records: OrderedSlice["records"], bytes: number, frames: number, transactions: number): void {
    const slice = this.#order.add(records, null);
    this.#waitingBytes += bytes;
    let resolve: () => void = () => {};
    const answer = new Promise<void>((done) => {
      resolve = done;
    });
    this.#waiting.push({ slice, bytes, frames, transactions, resolve, answer });
  }

  #copied(batch: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
    const spare = this.#spares.pop();
    const copy =
      spare !== undefined && spare.length >= end - start ? spare : new Uint8Array(Math.max(FRAMES_BYTES, end - start));
    copy.set(batch.subarray(start, end));
    return copy;
  }

  #answered({ frames, printed, calls, errors }: Done): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    if (this.#spares.length < SPARE_FRAMES) this.#spares.push(frames);
    this.#calls.packet += calls.packet;
    this.#calls.transaction += calls.transaction;
    this.#calls.tick += calls.tick;
    this.#tellErrors(errors);
    waiting.slice.printed = printed;
    this.#settled(waiting);
  }

  #aside({ kind, printed, errors }: Aside): void {
    this.#order.aside(printed);
    this.#tellErrors(errors);
    if (kind === "ended") this.#onEnded();
  }

  /** The thread runs no more: whatever waits for it goes on without. */
  #over(reason: string | null): void {
    if (reason !== null) {
      this.#errors++;
      this.#options.warn(`--script ${this.#options.files.join(", ")}: stopped: ${reason}; capture goes on`);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      this.#skip(each.frames, each.transactions);
      each.slice.printed = NOTHING_PRINTED;
      this.#settled(each);
    }
    this.#onSettled();
    this.#onEnded();
  }

  #settled({ bytes, resolve }: Waiting): void {
    this.#waitingBytes -= bytes;
    this.#order.settle();
    resolve();
    if (this.#waiting.length === 0) this.#onSettled();
  }

  #tellErrors(errors: readonly ScriptError[]): void {
    for (const { message, count } of errors) {
      this.#errors += count;
      if (this.#errorsTold.has(message) || this.#errorsTold.size >= ERRORS_TOLD) continue;
      this.#errorsTold.add(message);
      this.#options.warn(`--script ${message}`);
    }
  }
}

/** Whether the promise was fulfilled within so many ms; null: whenever that is. */
async function within(ms: number | null, promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    if (ms !== null) timer = setTimeout(() => resolve(false), ms);
  });
  const isInTime = await Promise.race([promise.then(() => true as const), late]);
  clearTimeout(timer);
  return isInTime;
}
