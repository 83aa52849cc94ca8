import { advance, distance } from "../connection/sequence.ts";
import { type Segment, TcpFlag } from "../decode/segment.ts";
import { TIMEOUT_US } from "../transactions/resend.ts";

/** What is remembered of what was sent, and of what is missing. */
const SENT_CAPACITY = 512;
const HOLES_CAPACITY = 64;
/** As in connection/observe.ts: later than networks reorder. */
const NETWORK_REORDER_US = 3_000;

/** What is odd about a segment. */
export type Oddity =
  /** The same bytes were seen before, `us` earlier. */
  | { readonly what: "retransmission"; readonly us: number | null; readonly by: ResentBy; readonly isNeeded: boolean }
  /** Bytes that had been missing, `us` after those behind them: sent again, the first copy never came here. */
  | { readonly what: "retransmission_of_lost"; readonly us: number; readonly by: ResentBy }
  /** That its sender had sent it before follows from its time, or its number (IP identification), alone. */
  | { readonly what: "retransmission_unseen"; readonly us: number }
  /** Bytes that had been missing came `us` after those behind them: they only took longer. */
  | { readonly what: "out_of_order"; readonly us: number }
  /** So many bytes before this segment are missing here. */
  | { readonly what: "hole"; readonly bytes: number }
  | { readonly what: "duplicate_ack"; readonly times: number }
  | { readonly what: "window_closed" }
  | { readonly what: "window_opened"; readonly us: number }
  | { readonly what: "window_probe" | "keep_alive" };

/** What made the sender send again: its timer, duplicate acknowledgements, or something sooner that does not show. */
export type ResentBy = "timeout" | "fast" | "early";

interface Sent {
  readonly start: number;
  readonly end: number;
  readonly timeUs: number;
}

interface Hole extends Sent {
  readonly ipId: number;
}

/** One direction of a connection, as far as its segments tell what each one is. */
export class FlowWatch {
  /** Behind the highest byte seen; null before the first. */
  next: number | null = null;
  /** What this end has acknowledged of the other's bytes; null before it has. */
  acknowledged: number | null = null;
  repeatedAcks = 0;
  isClosed = false;
  #closedAtUs = 0;
  #sent: Sent[] = [];
  #holes: Hole[] = [];
  #window = -1;

  /** Another connection has taken the ports. */
  reset(): void {
    this.next = this.acknowledged = null;
    this.repeatedAcks = 0;
    this.isClosed = false;
    this.#sent = [];
    this.#holes = [];
    this.#window = -1;
  }

  /** Takes this end's next segment; `roundTripUs` is 0 while unknown. */
  note(segment: Segment, peer: FlowWatch, roundTripUs: number): Oddity[] {
    const oddities: Oddity[] = [];
    const { flags, payloadLength } = segment;
    const isSyn = (flags & TcpFlag.syn) !== 0;
    if ((flags & TcpFlag.rst) !== 0) return oddities;
    const length = payloadLength + (isSyn || (flags & TcpFlag.fin) !== 0 ? 1 : 0);
    if ((flags & TcpFlag.ack) !== 0) this.#noteAck(segment, peer, length, oddities);
    if (!isSyn) this.#noteWindow(segment, oddities);
    this.#noteBytes(segment, peer, length, roundTripUs, oddities);
    this.#window = segment.window;
    return oddities;
  }

  #noteAck({ acknowledgement, window }: Segment, peer: FlowWatch, length: number, oddities: Oddity[]): void {
    if (this.acknowledged === null || distance(acknowledgement, this.acknowledged) > 0) {
      this.acknowledged = acknowledgement;
      this.repeatedAcks = 0;
    } else if (acknowledgement === this.acknowledged && length === 0 && window === this.#window) {
      // Without anything on its way there is nothing to ask for.
      if (peer.next === null || distance(peer.next, acknowledgement) <= 0) return;
      oddities.push({ what: "duplicate_ack", times: ++this.repeatedAcks });
    }
  }

  #noteWindow({ window, timeUs }: Segment, oddities: Oddity[]): void {
    if ((window === 0) === this.isClosed) return;
    this.isClosed = !this.isClosed;
    if (this.isClosed) this.#closedAtUs = timeUs;
    oddities.push(
      this.isClosed ? { what: "window_closed" } : { what: "window_opened", us: Math.max(0, timeUs - this.#closedAtUs) },
    );
  }

  #noteBytes(segment: Segment, peer: FlowWatch, length: number, roundTripUs: number, oddities: Oddity[]): void {
    const { sequence, timeUs, ipId, payloadLength } = segment;
    const end = advance(sequence, length);
    const { next } = this;
    if (next === null) {
      this.next = end;
      this.#remember(sequence, end, timeUs);
      return;
    }
    const offset = distance(sequence, next);
    if (length <= 1 && offset === -1 && payloadLength === length) {
      oddities.push({ what: peer.isClosed ? "window_probe" : "keep_alive" });
      return;
    }
    if (length === 0) return;
    if (offset > 0) {
      oddities.push({ what: "hole", bytes: offset });
      if (this.#holes.length === HOLES_CAPACITY) this.#holes.shift();
      this.#holes.push({ start: next, end: sequence, timeUs, ipId });
    } else if (offset < 0) oddities.push(this.#comeAgain(segment, end, peer, roundTripUs));
    if (distance(end, next) > 0) this.next = end;
    this.#remember(sequence, end, timeUs);
  }

  /** Bytes before the highest: missing until now, or seen before. */
  #comeAgain({ sequence, timeUs, ipId }: Segment, end: number, peer: FlowWatch, roundTripUs: number): Oddity {
    const hole = this.#holes.find((each) => distance(sequence, each.end) < 0 && distance(end, each.start) > 0);
    if (hole !== undefined) {
      this.#fill(hole, sequence, end);
      const us = Math.max(0, timeUs - hole.timeUs);
      const isLater =
        ipId !== 0 && hole.ipId !== 0 ? (ipId - hole.ipId) << 16 > 0 : us >= NETWORK_REORDER_US && us >= roundTripUs;
      return isLater ? { what: "retransmission_of_lost", us, by: resentBy(us, peer) } : { what: "out_of_order", us };
    }
    const first = this.#sent.find((each) => distance(each.start, end) < 0 && distance(each.end, sequence) > 0);
    const us = first === undefined ? null : Math.max(0, timeUs - first.timeUs);
    const isNeeded = peer.acknowledged === null || distance(peer.acknowledged, end) < 0;
    return { what: "retransmission", us, by: resentBy(us ?? 0, peer), isNeeded };
  }

  /** What is left of a hole stays one. */
  #fill(hole: Hole, start: number, end: number): void {
    const left: Hole[] = [];
    if (distance(start, hole.start) > 0) left.push({ ...hole, end: start });
    if (distance(end, hole.end) < 0) left.push({ ...hole, start: end });
    this.#holes.splice(this.#holes.indexOf(hole), 1, ...left);
  }

  #remember(start: number, end: number, timeUs: number): void {
    if (this.#sent.length === SENT_CAPACITY) this.#sent.shift();
    this.#sent.push({ start, end, timeUs });
  }
}

function resentBy(us: number, peer: FlowWatch): ResentBy {
  if (us >= TIMEOUT_US) return "timeout";
  return peer.repeatedAcks > 0 ? "fast" : "early";
}
