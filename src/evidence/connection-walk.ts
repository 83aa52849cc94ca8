import type { Decoder } from "../decode/decoder.ts";
import type { Segment } from "../decode/segment.ts";
import { Ends } from "./ends.ts";
import type { FrameRing } from "./frame-ring.ts";

/** Looked at for one connection: those of other hosts with the same ports among them. */
export const MAX_STEPS = 250_000;
/** A record that is so much older than another was not captured behind it, in µs: several card queues are out of order by less. */
const DISORDER_US = 5000;

/** What became of the walk: there are no older records, or too many were looked at. */
export type WalkEnd = "done" | "too_far";

/**
 * A connection's records, from the newest back: each is decoded once to be found, however many requests are looked for. From the newest
 * on for each of them would cost a busy connection all that came in the time that its requests wait for what follows.
 * Good until the ring keeps more.
 */
export class ConnectionWalk {
  /** How the last search for an older record went. */
  end: WalkEnd = "done";
  readonly #ring: FrameRing;
  readonly #decoder: Decoder;
  readonly #ends: Ends;
  readonly #chain: Generator<number>;
  #steps = 0;
  /** By index, 0 the newest: where in the ring, when in µs, and whether the client speaks in it. */
  readonly #places: number[] = [];
  readonly #times: number[] = [];
  readonly #isSpoken: boolean[] = [];
  /** Of the request looked for last: the newest record that is not clearly behind its end. */
  #boundary = 0;

  /** `client` and `server` as in the records of a run. */
  constructor(ring: FrameRing, decoder: Decoder, client: string, server: string) {
    this.#ring = ring;
    this.#decoder = decoder;
    this.#ends = new Ends(client, server);
    this.#chain = ring.chain(this.#ends.clientPort, this.#ends.serverPort);
  }

  /**
   * Where to begin for a request that ended then: nothing newer is of any use to it, since in that record, or in a newer one, the client
   * speaks again.
   */
  begin(endUs: number): number {
    const behindUs = endUs + DISORDER_US;
    let index = this.#boundary;
    while (this.has(index) && this.#times[index]! > behindUs) index++;
    while (index > 0 && this.#times[index - 1]! <= behindUs) index--;
    this.#boundary = index;
    do index--;
    while (index > 0 && !this.#isSpoken[index]);
    return Math.max(0, index);
  }

  /** Whether there is a record of this index; if not, `end` says why. */
  has(index: number): boolean {
    while (this.#places.length <= index) if (!this.#findOlder()) return false;
    return true;
  }

  /** Of a record that there is: where in the ring it is. */
  placeOf(index: number): number {
    return this.#places[index]!;
  }

  /** Likewise: when it was captured, in µs since the epoch. */
  timeOf(index: number): number {
    return this.#times[index]!;
  }

  /** Likewise: whether it holds bytes of the client's. */
  isSpoken(index: number): boolean {
    return this.#isSpoken[index]!;
  }

  /** Likewise: all of it, and which way it goes. */
  decode(index: number): { readonly segment: Segment; readonly isFromClient: boolean } {
    const { segment } = this.#decoder;
    this.#decoder.decode(this.#ring.bytes, this.#places[index]!);
    return { segment, isFromClient: this.#ends.isFromClient(segment) };
  }

  #findOlder(): boolean {
    const { segment } = this.#decoder;
    while (this.#steps <= MAX_STEPS) {
      const { value: at, done } = this.#chain.next();
      if (done) return false;
      if (++this.#steps > MAX_STEPS) break;
      if (!this.#decoder.decode(this.#ring.bytes, at) || !this.#ends.areOf(segment)) continue;
      this.#places.push(at);
      this.#times.push(segment.timeUs);
      this.#isSpoken.push(segment.payloadLength > 0 && this.#ends.isFromClient(segment));
      return true;
    }
    this.end = "too_far";
    return false;
  }
}
