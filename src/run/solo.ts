import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";
import { FrameWriter } from "../capture/frame-writer.ts";
import { usedLibpcapVersion } from "../capture/libpcap.ts";
import type { IncompleteConnections } from "../connection/incomplete.ts";
import { TcplatError } from "../errors.ts";
import type { MatchingFrames } from "../evidence/matching-frames.ts";
import type { SlowDump } from "../evidence/slow-dump.ts";
import type { Options } from "../options.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import { Pipeline } from "../pipeline.ts";
import type { PacketPrinter } from "../raw/packet-printer.ts";
import type { Scripts } from "../scripts/scripts.ts";
import type { Captor } from "./captor.ts";
import { idleClockUs, LAST_BLOCK_MS, TURN_MS, takeLastBlock, tellUp, WAIT_MS } from "./live-capture.ts";
import { Patience } from "./patience.ts";
import { readOrFail } from "./read-or-fail.ts";

/** Bytes of frames taken before the writer is looked at: 14 of them can be a request, and a record of 500. */
const SLICE_BYTES = 65_536;
/** Of all batches, where nobody looks: a loop that turns less often is not compiled, with all of the pipeline in it (1 % of a short run). */
const WHOLE_BATCH_BYTES = 1 << 30;

/** Who is told of what a run finds; all but the first where they are asked for. */
export interface Told {
  /** Each transaction that is printed, by way of `--filter`. */
  readonly outputs: readonly TransactionOutput[];
  /** How many `--filter` has withheld. */
  readonly filtered?: () => number;
  /** Every transaction. */
  readonly observer?: TransactionOutput | null;
  /** Every frame: to print it, to dump those of slow requests, to write those of the outputs' transactions. */
  readonly packets?: PacketPrinter | null;
  readonly dump?: SlowDump | null;
  readonly matching?: MatchingFrames | null;
  /** Frames and transactions, slice by slice. */
  readonly scripts?: Scripts | null;
}

/** Captures on the main thread: one source, one pipeline. */
export class Solo implements Captor {
  readonly source: FrameSource;
  failure: TcplatError | null = null;
  readonly #options: Options;
  readonly #log: Logger;
  readonly #writer: RecordWriter;
  readonly #pipeline: Pipeline;
  readonly #dump: SlowDump | null;
  readonly #packets: PacketPrinter | null;
  readonly #matching: MatchingFrames | null;
  readonly #scripts: Scripts | null;
  #frameWriter: FrameWriter | null = null;
  #isStopping = false;
  /** Nothing more is to be taken, whatever still comes: -c, or -G with -W, is complete. */
  #isComplete = false;
  #wasUp = true;
  /** When frames came last. */
  #framesAtMs = Number.NEGATIVE_INFINITY;
  readonly #patience = new Patience();
  readonly #sliceBytes: number;

  constructor(options: Options, source: FrameSource, log: Logger, writer: RecordWriter, told: Told) {
    const { outputs, observer = null, dump = null, matching = null } = told;
    this.#options = options;
    this.source = source;
    this.#log = log;
    this.#writer = writer;
    this.#dump = dump;
    this.#packets = told.packets ?? null;
    this.#matching = matching;
    this.#scripts = told.scripts ?? null;
    const isLookedAt = [dump, matching, this.#packets, this.#scripts, observer].some((who) => who !== null);
    this.#sliceBytes = isLookedAt || outputs.length > 0 ? SLICE_BYTES : WHOLE_BATCH_BYTES;
    const dropped = () => ({
      stdout: writer.recordsDropped,
      ...(dump !== null && { dump_slow: dump.missing }),
      ...(matching !== null && { write_matching: matching.missing }),
    });
    this.#pipeline = new Pipeline(options, source, outputs, dropped, observer, null, told.filtered);
  }

  begin(): void {
    const { write, read } = this.#options;
    this.#dump?.begin();
    if (write !== null) this.#frameWriter = new FrameWriter(write, this.source.linkType, this.source.snaplen, read);
    this.#scripts?.begin({
      linkType: this.source.linkType,
      frames: () => this.#pipeline.frames,
      clockUs: () => this.#pipeline.table.clockUs,
      snapshot: () => this.snapshot(),
    });
  }

  stop(): void {
    this.#isStopping = true;
    this.source.wake();
  }

  async finish(): Promise<void> {
    this.#pipeline.finish();
    await this.#scripts?.finish();
    if (this.#dump !== null) this.#log.info(await this.#dump.finish());
    const written = this.#matching?.finish(this.#writeFrames) ?? null;
    // Where the disk is full the error says so, and how many were written is not known.
    if (written !== null && this.failure === null) this.#log.info(written);
  }

  get frames(): number {
    return this.#pipeline.frames;
  }

  get usedLibpcapVersion(): string {
    return usedLibpcapVersion();
  }

  sampleOnly(ratio: number): void {
    this.#pipeline.table.sampleOnly(ratio);
  }

  snapshot(): Snapshot {
    const snapshot = this.#pipeline.snapshot();
    return this.#scripts === null ? snapshot : { ...snapshot, scripts: this.#scripts.counters() };
  }

  incomplete(): IncompleteConnections {
    return this.#pipeline.incomplete();
  }

  reopen(): void {
    this.#frameWriter?.reopen();
  }

  close(): void {
    this.#frameWriter?.close();
    this.#scripts?.close();
    this.source.close();
  }

  // ---- the main loop ----

  async capture(): Promise<void> {
    let turnAt = performance.now();
    while (!this.#isStopping) {
      // Asked before reading, as behind a stop: a busy machine may let the time pass between the two.
      const lookedAtMs = performance.now();
      const read = this.#read();
      const length = typeof read === "number" ? read : await read;
      if (length === END_OF_FRAMES) return;
      if (length > 0) await this.#consume(length);
      else await this.#idle(lookedAtMs);
      if (length > 0 && performance.now() - turnAt > TURN_MS) {
        await nextTurn();
        turnAt = performance.now();
      }
    }
    if (!this.source.isLive) return;
    const take = async () => (this.#isComplete ? END_OF_FRAMES : await this.#take());
    await takeLastBlock(this.source, take, () => this.#pipeline.lastFrameUs);
  }

  /** Takes a batch in slices: a frame may hold thousands of requests, and what is to be printed must find room. */
  async #consume(length: number): Promise<void> {
    const { count } = this.#options;
    const batch = this.source.batch;
    // What -G and -W leave out of their last file is not told either.
    const end = this.#matching === null ? (this.#frameWriter?.lastEnd(batch, 0, length) ?? length) : length;
    let at = this.source.batchStart;
    while (at < end) {
      const left = count === null ? Number.POSITIVE_INFINITY : count - this.#pipeline.frames;
      if (left <= 0) break;
      const from = at;
      const bound = Math.min(end, at + this.#sliceBytes);
      at = this.#pipeline.consume(batch, this.#scripts?.sliceEnd(batch, at, bound) ?? bound, left, at);
      this.#packets?.print(batch, from, at);
      if (this.#scripts !== null) await this.#scripts.take(batch, from, at);
      if (this.#dump !== null) await this.#keep(this.#dump, from, at);
      if (this.#matching !== null) this.#keepMatching(this.#matching, from, at);
      if (this.#writer.isFilling) await this.#letWriterCatchUp();
    }
    this.#pipeline.endBatch();
    this.#framesAtMs = performance.now();
    if (this.#matching === null && !this.#writeFrames(batch, 0, at)) this.#isStopping = true;
    this.#isComplete = end < length || (count !== null && this.#pipeline.frames >= count);
    if (this.#isComplete) this.#isStopping = true;
  }

  /** `--dump-slow`: keeps the batch's frames in [from, to). A file waits until those that are due have been written. */
  async #keep(dump: SlowDump, from: number, to: number): Promise<void> {
    const { clockUs } = this.#pipeline.table;
    dump.keep(this.source.batch, from, to);
    if (this.source.isLive) dump.advance(clockUs);
    else await dump.settle(clockUs);
  }

  /** `--write-matching`: keeps the batch's frames in [from, to), and writes those that nothing can ask for any more. */
  #keepMatching(matching: MatchingFrames, from: number, to: number): void {
    const { clockUs } = this.#pipeline.table;
    const isGoingOn = matching.keep(this.source.batch, from, to, this.#writeFrames);
    matching.advance(clockUs);
    const isUpToDate = !this.source.isLive || matching.writeOld(clockUs, this.#writeFrames);
    if (!isGoingOn || !isUpToDate) this.#isStopping = true;
  }

  /** `-w`: false once no more will be written. A full disk ends the run, too: what was seen until then is told all the same. */
  readonly #writeFrames = (bytes: Uint8Array, start: number, end: number): boolean => {
    try {
      return this.#frameWriter === null || this.#frameWriter.write(bytes, start, end);
    } catch (error) {
      if (!(error instanceof TcplatError)) throw error;
      this.failure ??= error;
      return false;
    }
  };

  /** A file waits for whoever reads the records, a live capture for a while. */
  async #letWriterCatchUp(): Promise<void> {
    const writer = this.#writer;
    if (!this.source.isLive) {
      if (writer.isFull) await writer.drain();
      return;
    }
    await this.#patience.lend(() => writer.isFilling);
  }

  /** `lookedAtMs`: when there were no frames. */
  async #idle(lookedAtMs: number): Promise<void> {
    const source = this.source;
    if (source.isUp !== this.#wasUp) {
      this.#wasUp = source.isUp;
      tellUp(this.#log, source.name, source.isUp);
    }
    if (source.isLive) {
      this.#pipeline.idle(idleClockUs());
      this.#dump?.advance(this.#pipeline.table.clockUs);
      if (this.#matching !== null) this.#keepMatching(this.#matching, 0, 0);
      this.#scripts?.take(source.batch, 0, 0);
    }
    await source.waitForFrames(this.#tellHeld(lookedAtMs));
  }

  /**
   * Tells what is held back, but not between two blocks of the kernel's: the next may bring the response that it waited for. Returns how
   * long there is nothing to do, ms.
   */
  #tellHeld(lookedAtMs: number): number {
    if (!this.#pipeline.isHolding) return WAIT_MS;
    const leftMs = this.#framesAtMs + LAST_BLOCK_MS - lookedAtMs;
    if (leftMs > 0) return leftMs;
    this.#pipeline.tellHeld();
    return WAIT_MS;
  }

  /** Reads and takes a batch; returns what `read` did. */
  async #take(): Promise<number> {
    const length = await this.#read();
    if (length > 0) await this.#consume(length);
    return length;
  }

  #read(): number | Promise<number> {
    return readOrFail(this.source, (error) => {
      this.failure = error;
    });
  }
}
