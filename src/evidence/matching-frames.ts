import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { u32le } from "../bytes/read.ts";
import { type FrameSource, RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import { FrameRing } from "./frame-ring.ts";
import { AFTER_US, OBSTACLE_WORDS, type Obstacle, RequestFrames, type Wanted } from "./request-frames.ts";

/** Two records begin at least so many bytes apart (frame-ring.ts): one mark for each. */
const MARK_SHIFT = 4;
/** Waiting for what follows their responses at most; beyond, so many of the oldest are taken as they are, in one go. */
const MAX_AWAITED = 65_536;
const TAKEN_AT_ONCE = 4096;
/** A transaction is told so much later than its last frame at most: those of a connection older than the capture (native-notes/limits.md). */
const TOLD_AFTER_US = 5_000_000;

/** Takes whole records: `bytes[start, end)`. Returns false once no more will be written. */
type Write = (bytes: Uint8Array, start: number, end: number) => boolean;

export interface MatchingOptions {
  /** Of frames, kept until it is known whether they are wanted. */
  readonly bufferBytes: number;
  /** A request without a response is told after so long. */
  readonly requestTimeoutUs: number;
}

/**
 * `--write-matching`: keeps the last frames, marks those of each transaction that is told, and writes the marked ones, each once and in the
 * order captured, when their room is needed or nothing can ask for them any more.
 */
export class MatchingFrames implements TransactionOutput {
  readonly #ring: FrameRing;
  readonly #frames: RequestFrames;
  readonly #marks: Uint8Array;
  readonly #holdUs: number;
  readonly #warn: (sentence: string) => void;
  #awaited: Wanted[] = [];
  #written = 0;
  #told = 0;
  /** Transactions whose frames were overwritten, or are too many: they are not in the file. */
  missing = 0;

  /** `warn` is told of the first transaction that is missing, and why. */
  constructor(options: MatchingOptions, source: Pick<FrameSource, "linkType">, warn: (sentence: string) => void) {
    this.#ring = new FrameRing(options.bufferBytes, source.linkType);
    this.#frames = new RequestFrames(this.#ring, source.linkType);
    this.#marks = new Uint8Array((options.bufferBytes >>> MARK_SHIFT) + 1);
    this.#holdUs = options.requestTimeoutUs + TOLD_AFTER_US;
    this.#warn = warn;
  }

  transaction({ client, serverEndpoint, unanswered, startUs, endUs, waitedUs }: Transaction): void {
    this.#await(client.text, serverEndpoint.text, startUs, unanswered === "" ? endUs : startUs + waitedUs);
  }

  connect({ client, serverEndpoint, endUs, latencyUs }: Connect): void {
    this.#await(client.text, serverEndpoint.text, endUs - latencyUs, endUs);
  }

  /** Takes the frames of batch[start, end); what must leave for them is written, if it is marked. False once no more will be written. */
  keep(batch: Uint8Array, start: number, end: number, write: Write): boolean {
    const isGoingOn = this.#release(end - start, (_, isOverwritten) => isOverwritten, write);
    this.#ring.keep(batch, start, end);
    return isGoingOn;
  }

  /** The capture's clock stands here, and all frames until then have been kept. */
  advance(clockUs: number): void {
    if (this.#awaited.length === 0 || this.#awaited[0]!.endUs + AFTER_US > clockUs) return;
    const due = this.#awaited.findIndex(({ endUs }) => endUs + AFTER_US > clockUs);
    this.#mark(this.#awaited.splice(0, due < 0 ? this.#awaited.length : due));
  }

  /** Live, so that the file is not far behind: writes what is so old that no transaction can ask for it any more. */
  writeOld(clockUs: number, write: Write): boolean {
    const { bytes } = this.#ring;
    return this.#release(
      0,
      (at) => u32le(bytes, at) * 1e6 + u32le(bytes, at + 4) / 1000 < clockUs - this.#holdUs,
      write,
    );
  }

  /** The capture is over: writes what is left, and returns what became of all, for the user. */
  finish(write: Write): string {
    this.advance(Number.POSITIVE_INFINITY);
    this.#release(0, () => true, write);
    const missing = this.missing === 0 ? "" : `; of ${this.missing} it has not all: --dump-slow-buffer holds more`;
    return `--write-matching: ${this.#written} frames of ${this.#told} transactions were written${missing}`;
  }

  #await(client: string, server: string, startUs: number, endUs: number): void {
    this.#told++;
    this.#awaited.push({ client, server, startUs, endUs });
    if (this.#awaited.length > MAX_AWAITED) this.#mark(this.#awaited.splice(0, TAKEN_AT_ONCE));
  }

  /** A connection after the other: those of one are found in one walk. */
  #mark(due: readonly Wanted[]): void {
    const connections = new Map<string, Wanted[]>();
    for (const wanted of due) {
      const name = `${wanted.client} ${wanted.server}`;
      const others = connections.get(name);
      if (others === undefined) connections.set(name, [wanted]);
      else others.push(wanted);
    }
    for (const requests of connections.values()) this.#markOf(requests);
  }

  #markOf(requests: readonly Wanted[]): void {
    const walk = this.#frames.walk(requests[0]!.client, requests[0]!.server);
    for (const wanted of requests) {
      const places = this.#frames.places(wanted, (at) => this.#marks[at >>> MARK_SHIFT] === 1, walk);
      if (typeof places === "string") this.#miss(wanted, places);
      else for (const at of places) this.#marks[at >>> MARK_SHIFT] = 1;
    }
  }

  #miss({ client, server }: Wanted, obstacle: Obstacle): void {
    if (this.missing++ > 0) return;
    const why = OBSTACLE_WORDS[obstacle];
    this.#warn(`--write-matching: a transaction of ${client} with ${server} is not in the file: ${why}`);
  }

  /** Lets records leave the ring; neighbours are written at once. */
  #release(length: number, mayGo: (at: number, isOverwritten: boolean) => boolean, write: Write): boolean {
    const { bytes } = this.#ring;
    let [from, to] = [0, 0];
    let isGoingOn = true;
    const flush = () => {
      if (to > from && isGoingOn) isGoingOn = write(bytes, from, to);
    };
    this.#ring.release(length, (at, isOverwritten) => {
      if (!mayGo(at, isOverwritten)) return false;
      const mark = at >>> MARK_SHIFT;
      if (this.#marks[mark] === 0) return true;
      this.#marks[mark] = 0;
      this.#written++;
      if (at !== to) {
        flush();
        from = at;
      }
      to = at + RECORD_HEADER_BYTES + u32le(bytes, at + 8);
      return true;
    });
    flush();
    return isGoingOn;
  }
}
