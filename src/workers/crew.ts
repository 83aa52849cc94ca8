import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import { mergeStages } from "../aggregate/merge-stages.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { mergedSnapshot } from "../aggregate/state.ts";
import type { FanoutGroup } from "../capture/fanout.ts";
import { type IncompleteConnections, NONE_INCOMPLETE, sumOfIncomplete } from "../connection/incomplete.ts";
import { sharedRoom } from "../connection/room.ts";
import type { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import { PROTOCOLS } from "../protocols/registry.ts";
import type { Captor, SourceView } from "../run/captor.ts";
import { tellUp } from "../run/live-capture.ts";
import { failureOf, Hand } from "./hand.ts";
import { RecordOrder } from "./record-order.ts";
import { serverNamesMemory } from "./server-names.ts";
import { Turns, type TurnsMemory, turnsMemory } from "./turns.ts";

/** A scrape waits so long for all workers' numbers; of one that is too busy the last ones stand. */
const NUMBERS_MS = 50;
/** Numbers older than this are told of, at most this often. */
const OLD_MS = 1000;
const SAY_EVERY_MS = 60_000;
/** As -B asks for at least. */
const MIN_BUFFER_KIB = 64;

export interface CrewOptions {
  readonly options: Options;
  readonly workers: number;
  readonly isColoured: boolean;
  readonly log: Logger;
  /** The thread's program; another one only in tests. */
  readonly program?: URL;
}

/**
 * Captures in worker threads, each with a source and a pipeline of its own: of a file each reads all frames and analyses its
 * connections, of an interface the kernel gives each its frames. The main thread puts their records in order and adds up
 * their numbers. See native-notes/workers.md.
 */
export class Crew implements Captor {
  readonly source: SourceView & { isUp: boolean; warning: string | null };
  failure: TcplatError | null = null;
  readonly #options: Options;
  readonly #log: Logger;
  readonly #hands: readonly Hand[];
  readonly #turns: Turns;
  /** When all had joined, µs since the epoch: from here on each frame is somebody's, though nobody reads it yet. */
  readonly #joinedUs = Date.now() * 1000;
  #order: RecordOrder | null = null;
  #writer: RecordWriter | null = null;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  private constructor(crew: CrewOptions, hands: readonly Hand[], turns: TurnsMemory) {
    const { options } = crew;
    const isLive = options.read === null;
    this.#options = options;
    this.#log = crew.log;
    this.#hands = hands;
    this.#turns = new Turns(turns);
    this.source = {
      name: options.read ?? options.interface,
      engine: "libpcap",
      isLive,
      clock: isLive ? "kernel" : "file",
      isUp: true,
      warning: null,
    };
  }

  /** Starts the threads, each with its source open. Throws TcplatError as opening one does. */
  static async start(crew: CrewOptions): Promise<Crew> {
    const { options, workers } = crew;
    const turns = turnsMemory(workers);
    const common = {
      workers,
      isColoured: crew.isColoured,
      turns,
      serverNames: serverNamesMemory(),
      room: sharedRoom(),
    };
    const shared = { ...options, bufferKib: bufferPart(options, workers) };
    if (options.read !== null) compileInPlace();
    const hands: Hand[] = [];
    const hire = (fanout: FanoutGroup | null) => {
      const hand = new Hand({ ...common, options: shared, index: hands.length, fanout }, crew.program);
      hands.push(hand);
      return hand;
    };
    try {
      if (options.read !== null) {
        for (let index = 0; index < workers; index++) hire(null);
      } else {
        // The first makes the group, whose id the others must know.
        const group = await hire({ id: null }).ready();
        for (let index = 1; index < workers; index++) hire(group);
      }
      await Promise.all(hands.map((hand) => hand.ready()));
    } catch (error) {
      // Nobody is dismissed while it loads: native code that is interrupted there ends the process.
      await Promise.allSettled(hands.map((hand) => hand.ready()));
      for (const hand of hands) hand.dismiss();
      throw error;
    }
    return new Crew(crew, hands, turns);
  }

  /** Where the records go: to be told before `capture`. Returns itself. */
  recordsTo(writer: RecordWriter): this {
    this.#writer = writer;
    this.#order = new RecordOrder({
      workers: this.#hands.length,
      writer,
      hasConnectionIds: this.#options.json,
      isOrdered: !this.source.isLive,
      giveBack: (worker, { text, events }) =>
        this.#hands[worker]!.order({ kind: "returned", text, events }, [
          text.buffer as ArrayBuffer,
          events.buffer as ArrayBuffer,
        ]),
    });
    return this;
  }

  begin(): void {}

  async capture(): Promise<void> {
    const begin = { kind: "begin", sinceUs: this.#joinedUs } as const;
    this.#hands.forEach((hand, worker) => {
      hand.onBlock = (block) => this.#order?.add(worker, block);
      hand.onUp = () => this.#tellUp();
      hand.order(begin);
    });
    const reports = await Promise.all(
      this.#hands.map(async (hand, worker) => {
        const report = await hand.done();
        this.#order?.end(worker);
        // A broken capture is no capture: the others need not go on alone.
        if (report.failure !== null) this.stop();
        return report;
      }),
    );
    this.failure = failureOf(reports.find(({ failure }) => failure !== null)?.failure ?? null);
    this.source.warning = reports[0]!.warning;
    const frames = reports.map(({ numbers }) => numbers.stages.capture.frames);
    if (!this.source.isLive && new Set(frames).size > 1)
      this.#log.warn(`${this.source.name} changed while it was read: its numbers are those of different lengths of it`);
  }

  stop(): void {
    this.#turns.stopAll();
    for (const hand of this.#hands) hand.order({ kind: "stop" });
  }

  async finish(): Promise<void> {
    if (this.source.isLive) this.#order?.hurry();
    await this.#order?.flushed();
  }

  get frames(): number {
    return this.#turns.frames(this.source.isLive);
  }

  get usedLibpcapVersion(): string {
    return this.#hands[0]!.libpcapVersion;
  }

  sampleOnly(ratio: number): void {
    for (const hand of this.#hands) hand.order({ kind: "sample", ratio });
  }

  /** Waits for the workers' numbers: they are the only ones that capture, and so may this thread wait. */
  snapshot(): Snapshot {
    const deadlineMs = performance.now() + NUMBERS_MS;
    for (const hand of this.#hands) hand.ask();
    for (const hand of this.#hands) hand.collect(deadlineMs);
    this.#sayWhereOld();
    const numbers = this.#hands.map((hand) => hand.numbers!);
    const dropped = { stdout: this.#writer?.recordsDropped ?? 0 };
    const stages = mergeStages(
      numbers.map((of) => of.stages),
      !this.source.isLive,
      dropped,
    );
    return mergedSnapshot(
      numbers.map((of) => of.aggregate),
      stages,
      PROTOCOLS,
    );
  }

  incomplete(): IncompleteConnections {
    return this.#hands.map(({ numbers }) => numbers?.incomplete ?? NONE_INCOMPLETE).reduce(sumOfIncomplete);
  }

  reopen(): void {}

  close(): void {
    for (const hand of this.#hands) hand.dismiss();
  }

  #tellUp(): void {
    const { name } = this.source;
    const isUp = this.#hands.every((hand) => hand.isUp);
    if (isUp === this.source.isUp) return;
    this.source.isUp = isUp;
    tellUp(this.#log, name, isUp);
  }

  #sayWhereOld(): void {
    const now = performance.now();
    const oldest = Math.min(...this.#hands.map((hand) => (hand.isDone ? now : hand.numbersAtMs)));
    if (now - oldest < OLD_MS || now - this.#saidAtMs < SAY_EVERY_MS) return;
    this.#saidAtMs = now;
    this.#log.warn(
      `a worker is too busy to tell its numbers: those shown are ${((now - oldest) / 1000).toFixed(1)} s old`,
    );
  }
}

/**
 * Threads started from now on compile their hot functions themselves, instead of on other threads: where every core has a worker, that
 * takes 6 % off a file's time (test/bench, `workers`). Live, a worker should rather not stand still for 20 ms.
 */
function compileInPlace(): void {
  setFlagsFromString("--no-concurrent-recompilation");
}

/** Each worker's part of the kernel's buffer. */
function bufferPart({ bufferKib }: Options, workers: number): number {
  return Math.max(MIN_BUFFER_KIB, Math.ceil(bufferKib / workers));
}
