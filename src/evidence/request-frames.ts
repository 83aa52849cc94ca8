import { u32le } from "../bytes/read.ts";
import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import { advance } from "../connection/sequence.ts";
import { Decoder } from "../decode/decoder.ts";
import { type Segment, TcpFlag } from "../decode/segment.ts";
import { ConnectionWalk, MAX_STEPS } from "./connection-walk.ts";
import { Ends } from "./ends.ts";
import type { FrameRing } from "./frame-ring.ts";

/** Of the connection, before the request: so many frames and bytes at most, which tell its round trip; none before its SYN. */
const BEFORE_FRAMES = 4000;
const BEFORE_BYTES = 512 << 10;
/** After the response: until it is acknowledged, which may take 40 ms (RFC 9293 §3.8.6.3), but no more frames than this. */
export const AFTER_US = 50_000;
const AFTER_FRAMES = 20;
/** A file is no longer; where the frames are, all are cut alike, to the first of these lengths that will do. */
export const MAX_FILE_BYTES = 4 << 20;
const CUTS = [65_535, 16_384, 4096, 1024, 512, 256, 128];
/**
 * Behind a hole a reader believes what it sees once the client has waited for its responses sixteen times (native-notes/limits.md), the
 * first of them being lost to the hole: so many exchanges before the request go with it.
 */
const EXCHANGES_BEFORE = 17;

/** A request, as far as its frames are looked for. Times in µs since the epoch. */
export interface Wanted {
  readonly client: string;
  readonly server: string;
  readonly startUs: number;
  readonly endUs: number;
}

/** Why a request has no file, for the user. Too many: even cut. */
export const OBSTACLE_WORDS = {
  overwritten: "its first frames were overwritten: --dump-slow-buffer holds more",
  too_large: "it has too many frames",
} as const;

export type Obstacle = keyof typeof OBSTACLE_WORDS;

/** Where in the ring its records are; or why nobody knows. */
export type Places = number[] | Obstacle;

/** Finds in the ring what belongs to one request. */
export class RequestFrames {
  readonly #ring: FrameRing;
  readonly #decoder: Decoder;

  constructor(ring: FrameRing, linkType: number) {
    this.#ring = ring;
    this.#decoder = new Decoder(linkType, true);
  }

  /** The connection's records from before the request until after its response, in the order captured: a copy. */
  take(wanted: Wanted): Buffer | Obstacle {
    const places = this.#find(wanted);
    return typeof places === "string" ? places : this.#copy(places);
  }

  /** For `places`: of many requests of one connection, each is found at the cost of its own frames. */
  walk(client: string, server: string): ConnectionWalk {
    return new ConnectionWalk(this.#ring, this.#decoder, client, server);
  }

  /**
   * Where in the ring the records of a request are, and of its response until the client has it or speaks again, in the order captured; with
   * the exchanges before it that a reader needs, each of which begins where the client speaks having got all that the server had
   * sent. What lies before a record that is known (`isKnown`) is, too.
   */
  places({ client, server, startUs, endUs }: Wanted, isKnown: (at: number) => boolean, walk?: ConnectionWalk): Places {
    const records = walk ?? this.walk(client, server);
    const exchange = new Exchange(startUs, endUs);
    for (let index = records.begin(endUs); records.has(index); index++) {
      const at = records.placeOf(index);
      if (records.timeOf(index) > endUs) {
        exchange.follows(records.timeOf(index), records.isSpoken(index), at);
        continue;
      }
      const { segment, isFromClient } = records.decode(index);
      if (!exchange.takes(segment, isFromClient, at, isKnown(at))) return exchange.places();
    }
    return records.end === "too_far" ? "too_large" : exchange.places();
  }

  /** Where its records are, in the order captured. */
  #find({ client, server, startUs, endUs }: Wanted): number[] | Obstacle {
    const decoder = this.#decoder;
    const { segment } = decoder;
    const ends = new Ends(client, server);
    const after: number[] = [];
    const places: number[] = [];
    const before = new Before();
    let isWhole = false;
    let steps = 0;
    for (const at of this.#ring.chain(ends.clientPort, ends.serverPort)) {
      if (++steps > MAX_STEPS) return "too_large";
      if (!decoder.decode(this.#ring.bytes, at) || !ends.areOf(segment)) continue;
      if (segment.timeUs > endUs) {
        if (segment.timeUs <= endUs + AFTER_US) after.push(at);
        continue;
      }
      if (segment.timeUs <= startUs) isWhole = true;
      if (segment.timeUs < startUs && !before.takes(segment, decoder.next - at)) break;
      places.push(at);
    }
    if (!isWhole) return "overwritten";
    const found = [...after.slice(-AFTER_FRAMES), ...places].reverse();
    return before.isFromSyn ? found : this.#trim(found, ends, startUs, endUs);
  }

  /**
   * Where the connection's beginning is not among the frames, nobody could tell in the middle of a long value what its bytes are,
   * and pairs are told only once nothing is under way. So the frames begin and end, where they can, as the client, having got
   * all that the server had sent, speaks again.
   */
  #trim(places: readonly number[], ends: Ends, startUs: number, endUs: number): number[] {
    const { segment } = this.#decoder;
    let from = 0;
    let to = places.length;
    let isBegun = false;
    let answeredTo: number | null = null;
    places.forEach((at, index) => {
      this.#decoder.decode(this.#ring.bytes, at);
      if (segment.payloadLength === 0) return;
      const isFromClient = ends.isFromClient(segment);
      if (isFromClient && segment.acknowledgement === answeredTo) {
        if (!isBegun && segment.timeUs <= startUs) from = index;
        if (segment.timeUs > endUs) to = index;
        isBegun = true;
      }
      answeredTo = isFromClient ? null : advance(segment.sequence, segment.payloadLength);
    });
    return places.slice(from, to);
  }

  #copy(places: readonly number[]): Buffer | Obstacle {
    const { bytes } = this.#ring;
    const lengths = places.map((at) => u32le(bytes, at + 8));
    const sizeAt = (cut: number) => lengths.reduce((sum, each) => sum + RECORD_HEADER_BYTES + Math.min(each, cut), 0);
    const cut = CUTS.find((each) => sizeAt(each) <= MAX_FILE_BYTES);
    if (cut === undefined) return "too_large";
    const records = Buffer.allocUnsafe(sizeAt(cut));
    let end = 0;
    for (const [i, at] of places.entries()) {
      const length = Math.min(lengths[i]!, cut);
      records.set(bytes.subarray(at, at + RECORD_HEADER_BYTES + length), end);
      records.writeUInt32LE(length, end + 8);
      end += RECORD_HEADER_BYTES + length;
    }
    return records;
  }
}

/** How far back the frames before a request are taken, from the newest on. */
class Before {
  #frames = 0;
  #bytes = 0;
  #syn: number | null = null;

  /** They begin with the connection itself. */
  get isFromSyn(): boolean {
    return this.#syn !== null;
  }

  takes(segment: Segment, bytes: number): boolean {
    const isSyn = (segment.flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn;
    // What is older than its SYN (sent again, perhaps) was another connection.
    if (this.#syn !== null) return isSyn && segment.sequence === this.#syn;
    this.#frames++;
    this.#bytes += bytes;
    if (this.#frames > BEFORE_FRAMES || this.#bytes > BEFORE_BYTES) return false;
    if (isSyn) this.#syn = segment.sequence;
    return true;
  }
}

/** The records of one exchange, looked at from the newest on. */
class Exchange {
  /** The request's first bytes are among them. */
  #isWhole = false;
  readonly #startUs: number;
  readonly #endUs: number;
  #after: number[] = [];
  readonly #places: number[] = [];
  #before = 0;
  #exchanges = 0;
  /** The oldest record with bytes is the client's, and not after the request's first: what it acknowledges; and how many records there are up to it. */
  #beginning: { readonly acknowledged: number; readonly count: number } | null = null;

  constructor(startUs: number, endUs: number) {
    this.#startUs = startUs;
    this.#endUs = endUs;
  }

  /** Of a record behind the response. */
  follows(timeUs: number, isSpoken: boolean, at: number): void {
    // The client speaks again: this, and what is behind it, is another exchange's.
    if (isSpoken) this.#after = [];
    else if (timeUs <= this.#endUs + AFTER_US) this.#after.push(at);
  }

  /** Of one that is not. Returns false where nothing before it is wanted. */
  takes(segment: Segment, isFromClient: boolean, at: number, isKnown: boolean): boolean {
    const { timeUs, payloadLength, flags } = segment;
    const isSyn = (flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn;
    // Datagrams need nothing before them.
    if (timeUs < this.#startUs && (isKnown || segment.isDatagram || ++this.#before > BEFORE_FRAMES)) return false;
    if (timeUs <= this.#startUs) this.#isWhole = true;
    if (payloadLength > 0 && this.#endsBefore(segment, isFromClient)) return false;
    this.#places.push(at);
    if (payloadLength > 0) this.#note(segment, isFromClient);
    return !(isSyn && timeUs <= this.#startUs);
  }

  /** The server's last bytes before a beginning, all of them acknowledged there, and no more exchanges are needed. */
  #endsBefore({ sequence, payloadLength }: Segment, isFromClient: boolean): boolean {
    if (isFromClient || this.#beginning?.acknowledged !== advance(sequence, payloadLength)) return false;
    if (++this.#exchanges <= EXCHANGES_BEFORE) return false;
    this.#places.length = this.#beginning.count;
    return true;
  }

  #note({ timeUs, acknowledgement }: Segment, isFromClient: boolean): void {
    const isCandidate = isFromClient && timeUs <= this.#startUs;
    this.#beginning = isCandidate ? { acknowledged: acknowledgement, count: this.#places.length } : null;
  }

  places(): Places {
    if (!this.#isWhole) return "overwritten";
    return [...this.#after.slice(-AFTER_FRAMES), ...this.#places].reverse();
  }
}
