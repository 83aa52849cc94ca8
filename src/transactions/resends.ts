import type { Piece, Resent } from "../connection/receiver.ts";
import type { Here } from "./here.ts";
import type { Origin } from "./origin.ts";
import { NIL, TIMES, Time } from "./pending.ts";
import type { PendingQueue } from "./pending-queue.ts";
import { SHORTEST_TIMEOUT_US, TIMEOUT_US } from "./resend.ts";
import type { ResponseDraft } from "./response-draft.ts";
import { Flag } from "./transaction.ts";

/** The soonest that senders send the end of a message again (Linux: two round trips and two ticks, RFC 8985 §7.2). */
const LEAST_PROBE_US = 2_000;

/** Charges what one connection lost to segments that were sent again to the requests that waited for it. Made for the first. */
export class Resends {
  private readonly queue: PendingQueue;
  private readonly origin: Origin;
  /** Until when waiting for bytes of the response, or of the request being read, has been charged: each moment counts once. */
  private responseChargedUs = 0.5;
  private requestChargedUs = 0.5;
  /** When the client's bytes were sent again last, and the time before, as far as that was needed. */
  private resentAtUs = 0.5;
  private resentBeforeUs = 0.5;
  /** When the client's bytes that came last filled a hole, because they were sent again; and how. */
  private filledUs = 0.5;
  private isFilledFast = false;
  /** The copy of a lost response that is charged already is counted, too: it was told of before it came. */
  private isCopyCounted = false;

  constructor(queue: PendingQueue, origin: Origin) {
    this.queue = queue;
    this.origin = origin;
    this.responseChargedUs = 0;
    this.requestChargedUs = 0;
    this.resentAtUs = 0;
    this.resentBeforeUs = 0;
    this.filledUs = 0;
  }

  /** Bytes of the request being read came, which has this entry, or NIL. */
  requestPiece(piece: Piece, entry: number): void {
    if (piece.resentUs > 0) {
      this.filledUs = piece.timeUs;
      this.isFilledFast = piece.isFast;
    }
    if (entry === NIL) return;
    if (piece.resentUs > 0) {
      this.chargeRequest(entry, piece.timeUs - piece.resentUs, piece.timeUs, piece.isFast);
      return;
    }
    const endUs = this.endOf(entry);
    if (this.isTailResent(piece, endUs)) this.chargeRequest(entry, endUs, piece.timeUs, false);
  }

  /** This request begins here. Where its bytes were held behind a hole, nobody could read them before that was filled. */
  begins(entry: number, { timeUs, flags }: Here): void {
    const lostUs = this.filledUs - timeUs;
    if (lostUs <= 0 || (flags & Flag.outOfOrder) === 0) return;
    this.requestChargedUs = this.filledUs;
    this.queue.charge(entry, Time.resentRequest, lostUs, this.isFilledFast, 0);
  }

  /** Bytes of the server came. */
  responsePiece(piece: Piece, response: ResponseDraft): void {
    if (piece.resentUs > 0) this.chargeResponse(piece.timeUs - piece.resentUs, piece.timeUs, piece.isFast);
    if (!response.hasBegun || piece.missingPackets === 0) return;
    if (this.isTailResent(piece, response.endUs)) this.chargeResponse(response.endUs, piece.timeUs, false);
  }

  /** The client's bytes [from, to) were sent again; `entry` is the request being read, or NIL. */
  retransmitted(from: number, to: number, resent: Resent, entry: number): void {
    const { timeUs, isFast } = resent;
    const isNeeded = resent.isNeeded && (!this.origin.arrivesHere(true) || this.wasDroppedHere(from, timeUs, entry));
    this.queue.markRetransmitted(from, to, timeUs, isNeeded, isFast);
    if (isNeeded) {
      this.resentBeforeUs = this.resentAtUs;
      this.resentAtUs = timeUs;
    }
    // It stood still since its latest byte.
    if (entry !== NIL) this.chargeRequest(entry, isNeeded ? this.endOf(entry) : timeUs, timeUs, isFast);
  }

  /**
   * The server's own host had seen these bytes, and kept silent for longer than it may put an acknowledgement off (Linux: 200 ms,
   * TCP_DELACK_MAX; sooner than any client's timer): its firewall or its kernel dropped them behind the capture.
   */
  private wasDroppedHere(from: number, timeUs: number, entry: number): boolean {
    const holder = this.queue.holderOf(from);
    const oldest = holder === NIL ? entry : holder;
    return oldest !== NIL && timeUs - this.endOf(oldest) >= TIMEOUT_US;
  }

  /**
   * The client's bytes from this place on had arrived when they were sent again last; `isAnswerLost`: who says so had sent bytes that
   * were never seen. Where those are the response, the client's timer ran out because that was lost, and its acknowledgement with it.
   */
  sentForNothing(from: number, isAnswerLost: boolean): void {
    const { head } = this.queue;
    const isAnswered = isAnswerLost && head !== NIL && this.queue.holderOf(from) === head;
    const waitedUs = isAnswered ? this.queue.pool.times[head * TIMES + Time.resentRequest]! : 0;
    this.queue.unmarkRetransmitted(from, this.resentBeforeUs);
    this.resentAtUs = this.resentBeforeUs;
    if (waitedUs < TIMEOUT_US) return;
    this.queue.charge(head, Time.resentResponse, Math.min(waitedUs, SHORTEST_TIMEOUT_US), false, 1);
    this.isCopyCounted = true;
  }

  /** Bytes of the response being read were sent again. */
  responseRetransmitted(resent: Resent, response: ResponseDraft): void {
    const { timeUs, isFast } = resent;
    const isNeeded = resent.isNeeded && !this.origin.arrivesHere(false);
    this.chargeResponse(isNeeded ? response.endUs : timeUs, timeUs, isFast);
  }

  /**
   * In the middle of a message, that stood still since `sinceUs`, packets are missing: the sender sent again what nobody had seen,
   * as it does after two round trips at the soonest (RFC 8985 §7.2).
   */
  private isTailResent(piece: Piece, sinceUs: number): boolean {
    const { toServer, toClient } = this.origin.path;
    const roundTripUs = Math.max(toServer.us, toClient.us);
    const leastUs = roundTripUs < 0 ? TIMEOUT_US : Math.max(LEAST_PROBE_US, roundTripUs);
    return piece.timeUs - sinceUs >= Math.min(leastUs, TIMEOUT_US);
  }

  /** The request being read stood still between these times. */
  private chargeRequest(entry: number, fromUs: number, toUs: number, isFast: boolean): void {
    const lostUs = Math.max(0, toUs - Math.max(fromUs, this.requestChargedUs));
    if (lostUs > 0) this.requestChargedUs = toUs;
    const before = this.queue.pool.times[entry * TIMES + Time.resentRequest]!;
    this.queue.charge(entry, Time.resentRequest, before + lostUs, isFast, 1);
  }

  /** The oldest request waits for its response, or has a part of it: between these times for bytes that were sent again. */
  private chargeResponse(fromUs: number, toUs: number, isFast: boolean): void {
    const { head } = this.queue;
    if (head === NIL) return;
    const lostUs = Math.max(0, toUs - Math.max(fromUs, this.responseChargedUs));
    if (lostUs > 0) this.responseChargedUs = toUs;
    const before = this.queue.pool.times[head * TIMES + Time.resentResponse]!;
    this.queue.charge(head, Time.resentResponse, before + lostUs, isFast, this.isCopyCounted && before > 0 ? 0 : 1);
    this.isCopyCounted = false;
  }

  private endOf(entry: number): number {
    return this.queue.pool.times[entry * TIMES + Time.end]!;
  }
}
