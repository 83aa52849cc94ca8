import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { FrameSource } from "../capture/frame-source.ts";
import { fileHeader } from "../capture/frame-writer.ts";
import type { DumpOptions } from "../options.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import type { Transaction, UnansweredReason } from "../transactions/transaction.ts";
import { type DumpFolder, dumpName } from "./dump-folder.ts";
import { FrameRing } from "./frame-ring.ts";
import { AFTER_US, OBSTACLE_WORDS, type Obstacle, RequestFrames, type Wanted } from "./request-frames.ts";
import { Slowest } from "./slowest.ts";

/** Files that wait to be written at most: they are in memory. */
const MAX_WRITING = 8;
/** Without a response, and yet its frames tell something. */
const TELLING: readonly (UnansweredReason | "")[] = ["", "closed", "reset", "timeout"];

/** A slow request whose last frames may still come. */
interface Awaited extends Wanted {
  readonly name: string;
  readonly latencyUs: number;
}

/** Why a slow request that should have a file has none. */
type Missing = Obstacle | "failed";

const MISSING_WORDS: Readonly<Record<Missing, string>> = {
  ...OBSTACLE_WORDS,
  failed: "its file could not be written",
};

/**
 * `--dump-slow`: keeps the last frames, and writes those of each slow request's connection to a file of its own, once what
 * follows the response has come.
 */
export class SlowDump implements TransactionOutput {
  readonly #folder: DumpFolder;
  readonly #warn: (sentence: string) => void;
  readonly #ring: FrameRing;
  readonly #frames: RequestFrames;
  readonly #header: Uint8Array;
  readonly #awaited: Slowest<Awaited>;
  /** When the first of them is due, on the capture's clock. */
  #dueUs = Number.POSITIVE_INFINITY;
  #writing = 0;
  #written: Promise<void> = Promise.resolve();
  #slow = 0;
  readonly #missing: Record<Missing, number> = { overwritten: 0, too_large: 0, failed: 0 };

  /** `warn` is told of the first request of each kind that has no file, and why. */
  constructor(
    options: DumpOptions,
    folder: DumpFolder,
    source: Pick<FrameSource, "linkType" | "snaplen">,
    warn: (sentence: string) => void,
  ) {
    this.#folder = folder;
    this.#warn = warn;
    this.#ring = new FrameRing(options.bufferBytes, source.linkType);
    this.#frames = new RequestFrames(this.#ring, source.linkType);
    this.#header = fileHeader(source.linkType, source.snaplen);
    this.#awaited = new Slowest(options.count);
  }

  /** The run begins: makes the folder. Throws TcplatError "file". */
  begin(): void {
    this.#folder.open();
  }

  /** Takes the frames of batch[start, end), before what follows from them is told. */
  keep(batch: Uint8Array, start: number, end: number): void {
    this.#ring.keep(batch, start, end);
  }

  /** Takes a transaction that is printed, being slow. */
  transaction(transaction: Transaction): void {
    const { unanswered, startUs } = transaction;
    if (transaction.class !== TransactionClass.normal || !TELLING.includes(unanswered)) return;
    this.#slow++;
    const latencyUs = unanswered === "" ? transaction.latencyUs : transaction.waitedUs;
    if (!this.#folder.wants(latencyUs) || !this.#awaited.wants(latencyUs)) return;
    const endUs = unanswered === "" ? transaction.endUs : startUs + latencyUs;
    const { connectionId, requestNumber } = transaction;
    this.#awaited.add({
      name: dumpName({ endUs, latencyUs, connectionId, requestNumber }),
      latencyUs,
      startUs,
      endUs,
      client: transaction.client.text,
      server: transaction.serverEndpoint.text,
    });
    this.#dueUs = Math.min(this.#dueUs, endUs + AFTER_US);
  }

  /** The capture's clock stands here, and all frames until then have been kept; Infinity: there will be no more. */
  advance(clockUs: number): void {
    if (clockUs < this.#dueUs) return;
    const due = this.#awaited.take(({ endUs }) => endUs + AFTER_US <= clockUs);
    while (due.length > 0 && this.#writing < MAX_WRITING) this.#dump(due.shift()!);
    // What finds no room is due again the next time.
    for (const left of due) this.#awaited.add(left);
    this.#dueUs = Math.min(...[...this.#awaited].map(({ endUs }) => endUs + AFTER_US), Number.POSITIVE_INFINITY);
  }

  /** The same for a file, which waits until all that is due has been written. */
  async settle(clockUs: number): Promise<void> {
    this.advance(clockUs);
    while (this.#writing > 0) {
      await this.#written;
      this.advance(clockUs);
    }
  }

  /** The capture is over: writes what is left, and returns what became of all, for the user. */
  async finish(): Promise<string> {
    await this.settle(Number.POSITIVE_INFINITY);
    this.#folder.look();
    const { files, takenAway, path } = this.#folder;
    const others = this.#slow - files - takenAway - this.missing;
    const parts = [`--dump-slow: ${files} of ${this.#slow} slow requests are in ${path}`];
    if (takenAway > 0) parts.push(`${takenAway} taken away since`);
    if (others > 0) parts.push(`${others} less slow ones are left out (--dump-slow-count)`);
    for (const reason of Object.keys(MISSING_WORDS) as Missing[]) {
      const count = this.#missing[reason];
      if (count > 0) parts.push(`${count} without a file: ${MISSING_WORDS[reason]}`);
    }
    return parts.join("; ");
  }

  /** Slow requests that should have a file and have none. */
  get missing(): number {
    return this.#missing.overwritten + this.#missing.too_large + this.#missing.failed;
  }

  #dump(awaited: Awaited): void {
    if (!this.#folder.wants(awaited.latencyUs)) return;
    const records = this.#frames.take(awaited);
    if (typeof records === "string") {
      this.#miss(awaited, records, MISSING_WORDS[records]);
      return;
    }
    this.#writing++;
    // One after the other: they are small, and there are few.
    this.#written = this.#written.then(() => this.#write(awaited, records));
  }

  async #write(awaited: Awaited, records: Uint8Array): Promise<void> {
    try {
      await this.#folder.write(awaited.name, awaited.latencyUs, [this.#header, records]);
    } catch (error) {
      this.#miss(awaited, "failed", (error as Error).message);
    } finally {
      this.#writing--;
    }
  }

  #miss({ name }: Awaited, reason: Missing, words: string): void {
    if (this.#missing[reason]++ === 0) this.#warn(`--dump-slow: ${name} is not there: ${words}`);
  }
}
