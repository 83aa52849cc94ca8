import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";
import { usedLibpcapVersion } from "../capture/libpcap.ts";
import type { LiveSource } from "../capture/live-source.ts";
import { ConnectionRoom } from "../connection/room.ts";
import { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import { recordFormat } from "../outputs/record-format.ts";
import { type Part, Pipeline } from "../pipeline.ts";
import { rehearse } from "../rehearsal.ts";
import { idleClockUs, TURN_MS, takeLastBlock, WAIT_MS } from "../run/live-capture.ts";
import { type MakeSieve, openSieve } from "../run/open-sieve.ts";
import { openSource } from "../run/open-source.ts";
import { Patience } from "../run/patience.ts";
import { readOrFail } from "../run/read-or-fail.ts";
import type { Block } from "./block.ts";
import { BlockOutput } from "./block-output.ts";
import { dropBefore } from "./drop-before.ts";
import type { Order, Report, WorkerNumbers, WorkerStart } from "./messages.ts";
import { ServerNames } from "./server-names.ts";
import { Turns } from "./turns.ts";

/** Frames and bytes taken before anybody is looked at: the others' positions, a stop, the memory for records. */
const SLICE_FRAMES = 256;
const SLICE_BYTES = 65_536;
/** How often the main thread hears how far the records go, at least. */
const TELL_MS = 2;
/** Blocks of records under way: beyond, a file is not read, and live waits a while. */
const BLOCKS = 8;
/** Frames from before the start are looked for until one is stamped this much later: several CPUs stamp them. */
const START_US = 1_000_000;

/** Opens this worker's source, and takes orders. */
export async function startWorker(start: WorkerStart, port: MessagePort): Promise<void> {
  const tell = (report: Report, transfer: ArrayBuffer[] = []) => port.postMessage(report, transfer);
  let source: FrameSource;
  let makeSieve: MakeSieve | null;
  try {
    makeSieve = await openSieve(start.options);
    rehearse(start.options);
    source = await openSource(start.options, start.fanout);
  } catch (error) {
    if (!(error instanceof TcplatError)) throw error;
    tell({ kind: "refused", code: error.code, sentence: error.message });
    return;
  }
  const run = new WorkerRun(start, source, makeSieve, tell);
  port.on("message", (order: Order) => run.obey(order));
  tell({ kind: "ready", fanout: start.fanout, numbers: run.numbers(), libpcapVersion: usedLibpcapVersion() });
}

/** One worker: reads frames, analyses its connections, sends its records and numbers. */
class WorkerRun {
  readonly #start: WorkerStart;
  readonly #options: Options;
  readonly #source: FrameSource;
  readonly #tell: (report: Report, transfer?: ArrayBuffer[]) => void;
  readonly #turns: Turns;
  readonly #output: BlockOutput | null;
  readonly #pipeline: Pipeline;
  readonly #patience = new Patience();
  #toldAtMs = 0;
  #sinceUs = 0;
  #isStopping = false;
  #wasUp = true;
  #failure: TcplatError | null = null;

  constructor(
    start: WorkerStart,
    source: FrameSource,
    makeSieve: MakeSieve | null,
    tell: (report: Report, transfer?: ArrayBuffer[]) => void,
  ) {
    const { options, index } = start;
    this.#start = start;
    this.#options = options;
    this.#source = source;
    this.#tell = tell;
    this.#turns = new Turns(start.turns);
    this.#output = options.quiet ? null : this.#makeOutput();
    const output = this.#output;
    const printed: readonly TransactionOutput[] = output === null ? [] : [output];
    const sieve = makeSieve?.(printed) ?? null;
    const outputs = sieve === null ? printed : [sieve];
    const dropped = () => ({ stdout: output?.recordsDropped ?? 0 });
    const part: Part = {
      index,
      shares: source.isLive ? 1 : start.workers,
      room: new ConnectionRoom(options.maxConnections, start.workers, start.room),
      directory: new ServerNames(start.serverNames, () => this.#waitTurn()),
      onOpened: (connection) => output?.opened(connection.id),
      onEnded: (connection) => output?.ended(connection.id),
    };
    this.#pipeline = new Pipeline(options, source, outputs, dropped, null, part, () => sieve?.filtered ?? 0);
    if (output !== null) output.moment = this.#pipeline.table.moment;
    start.numbers.port.on("message", () => this.#answerNumbers());
  }

  obey(order: Order): void {
    if (order.kind === "returned") this.#output?.take(order.text, order.events);
    else if (order.kind === "sample") this.#pipeline.table.sampleOnly(order.ratio);
    else if (order.kind === "stop") this.#stop();
    else {
      this.#sinceUs = order.sinceUs;
      void this.#run();
    }
  }

  #stop(): void {
    this.#isStopping = true;
    this.#source.wake();
  }

  async #run(): Promise<void> {
    if (this.#source.isLive) await this.#captureLive();
    else await this.#captureFile();
    this.#pipeline.finish();
    this.#output?.post(this.#pipeline.table.moment.frame + 1);
    this.#turns.done(this.#start.index);
    const failure = this.#failure === null ? null : { code: this.#failure.code, sentence: this.#failure.message };
    this.#tell({ kind: "done", numbers: this.numbers(), warning: this.#source.warning, failure });
    this.#source.close();
    this.#start.numbers.port.close();
  }

  // ---- a file ----

  async #captureFile(): Promise<void> {
    let turnAt = performance.now();
    for (;;) {
      const read = this.#read();
      const length = typeof read === "number" ? read : await read;
      if (length === END_OF_FRAMES || !(await this.#consumeFile(length))) return;
      if (performance.now() - turnAt > TURN_MS) {
        await nextTurn();
        turnAt = performance.now();
      }
    }
  }

  /** False where the capture ends before the batch does: behind the same frame for all workers. */
  async #consumeFile(length: number): Promise<boolean> {
    const { index } = this.#start;
    const { batch } = this.#source;
    const pipeline = this.#pipeline;
    for (let at = 0; at < length; ) {
      const left = (this.#options.count ?? Number.POSITIVE_INFINITY) - pipeline.frames;
      const allowed = this.#turns.allowed(index, pipeline.frames, Math.min(left, SLICE_FRAMES));
      if (allowed === 0) return false;
      at = pipeline.consume(batch, Math.min(length, at + SLICE_BYTES), allowed, at);
      this.#turns.publish(index, pipeline.frames + 1, false);
      if (this.#output === null) continue;
      if (this.#mustTell()) this.#output.post(pipeline.frames + 1);
      if (!this.#output.isFull) continue;
      // Whoever waits for our records knows how far they go.
      this.#output.post(pipeline.frames + 1);
      while (this.#output.isFull) await this.#output.returned();
    }
    return true;
  }

  /** Of what comes before the present moment, nothing more can come from the others. */
  #waitTurn(): void {
    if (this.#source.isLive) return;
    const { moment } = this.#pipeline.table;
    this.#output?.post(moment.frame);
    this.#turns.wait(this.#start.index, moment.frame, moment.isInTurn);
  }

  // ---- an interface ----

  async #captureLive(): Promise<void> {
    let turnAt = performance.now();
    while (!this.#isStopping) {
      const length = await this.#takeLive();
      if (length === END_OF_FRAMES) return;
      if (length === 0) await this.#idle();
      else if (performance.now() - turnAt > TURN_MS) {
        await nextTurn();
        turnAt = performance.now();
      }
    }
    await takeLastBlock(
      this.#source,
      () => this.#takeLive(),
      () => this.#pipeline.lastFrameUs,
    );
  }

  /** Reads and takes a batch; returns what `read` did. */
  async #takeLive(): Promise<number> {
    const read = this.#read();
    const length = typeof read === "number" ? read : await read;
    if (length <= 0) return length;
    const { batch } = this.#source;
    const pipeline = this.#pipeline;
    const end = this.#dropEarly(length);
    for (let at = 0; at < end; ) {
      at = pipeline.consume(batch, Math.min(end, at + SLICE_BYTES), Number.POSITIVE_INFINITY, at);
      const output = this.#output;
      if (output?.isFull) await this.#patience.lend(() => output.isFull);
    }
    pipeline.endBatch();
    if (this.#output?.isEmpty === false) this.#output.post(pipeline.frames + 1);
    this.#turns.count(this.#start.index, pipeline.frames);
    return length;
  }

  /** Frames from before all workers had joined were seen by each of them. Returns how many bytes are left. */
  #dropEarly(length: number): number {
    const sinceUs = Math.max(this.#sinceUs, (this.#source as LiveSource).openedAtUs);
    if (this.#pipeline.table.clockUs > sinceUs + START_US) return length;
    return dropBefore(this.#source.batch, length, sinceUs);
  }

  async #idle(): Promise<void> {
    const source = this.#source;
    if (source.isUp !== this.#wasUp) {
      this.#wasUp = source.isUp;
      this.#tell({ kind: "up", isUp: source.isUp });
    }
    this.#pipeline.idle(idleClockUs());
    if (this.#output?.isEmpty === false) this.#output.post(0);
    await source.waitForFrames(WAIT_MS);
  }

  // ---- both ----

  #read(): number | Promise<number> {
    return readOrFail(this.#source, (error) => {
      this.#failure = error;
    });
  }

  #mustTell(): boolean {
    const now = performance.now();
    if (now - this.#toldAtMs < TELL_MS) return false;
    this.#toldAtMs = now;
    return true;
  }

  #makeOutput(): BlockOutput {
    return new BlockOutput({
      format: recordFormat(this.#options, this.#start.isColoured),
      capacity: BLOCKS,
      dropFrom: this.#source.isLive ? BLOCKS * 2 : Number.POSITIVE_INFINITY,
      send: (block) => this.#send(block),
    });
  }

  #send(block: Block): void {
    if (block.eventCount === 0) this.#tell({ kind: "block", block });
    else this.#tell({ kind: "block", block }, [block.text.buffer as ArrayBuffer, block.events.buffer as ArrayBuffer]);
  }

  #answerNumbers(): void {
    const { port, answers } = this.#start.numbers;
    port.postMessage(this.numbers());
    const count = new Int32Array(answers);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  }

  /** Every number as it stands now. */
  numbers(): WorkerNumbers {
    return { ...this.#pipeline.state(), incomplete: this.#pipeline.incomplete() };
  }
}
