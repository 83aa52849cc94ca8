import type { Resent } from "../connection/receiver.ts";
import { NO_ERROR, TransactionClass } from "../protocols/protocol.ts";
import { Draft, NO_DRAFT } from "./draft.ts";
import { dropOld, findEarly, isFull, without } from "./early-answers.ts";
import type { Origin } from "./origin.ts";
import { EXPIRED, NIL, TIMES, Time, WORDS, Word } from "./pending.ts";
import { PendingQueue } from "./pending-queue.ts";
import { MAX_PENDING_PER_CONNECTION } from "./requesting.ts";
import { Responding } from "./responding.ts";
import { NO_RESPONSE, ResponseDraft } from "./response-draft.ts";
import type { Rest } from "./rest.ts";
import { Flag, type UnansweredReason } from "./transaction.ts";

/** The longest wait that is remembered of an idle connection: a small integer. */
const MAX_KEPT_WAIT_US = 2 ** 30;

/** Expired quiet requests of one connection that keep their place, should their replies come after all. */
const MAX_QUIET = MAX_PENDING_PER_CONNECTION / 2;

/**
 * Pairs the messages of one connection: requests wait in a queue, first in, first out, and each response goes to the
 * oldest, or to the one whose id it has. It knows times and places; what a message means, its session says.
 */
export class Pairing extends Responding {
  // ---- what the conversation decides ----

  /** Gives back what only a message being read needs, where none is; until `wake`. */
  sleep(): void {
    if (this.draft.entry === NIL) this.draft = NO_DRAFT;
    if (!this.responding.hasBegun) this.responding = NO_RESPONSE;
    this.origin.forgetTexts();
  }

  /** No message is under way, and nothing is remembered that a pairing would not know after `resume`. */
  get isAtRest(): boolean {
    return (
      !this.isRequesting &&
      !this.responding.hasBegun &&
      !this.hasKept &&
      !this.isOverfull &&
      !this.isContradicted &&
      !this.hasLostResponses &&
      this.unmatchedSinceAligned === 0 &&
      (this.queue.count === 0 || (!this.isTentative && this.resends === null && this.teller.isPreviousOver))
    );
  }

  /** At rest: what `resume` and the session's (`standing`) have to know. Both serve another connection from now on. */
  leave(rest: Rest, standing: number): void {
    rest.lastNumber = this.number;
    rest.longestWaitUs = Math.min(this.teller.longestWaitUs, MAX_KEPT_WAIT_US);
    rest.keep(standing, this.hasPipelined, this.isTentative);
    rest.held = this.held;
    this.held = null;
    rest.queue = null;
    if (this.queue.count === 0) return;
    rest.queue = this.queue;
    this.queue = new PendingQueue(this.pool);
  }

  /** Serves this connection from now on, whose pairing has left this behind. */
  resume(origin: Origin, hasHandshake: boolean, rest: Rest): void {
    this.origin = origin;
    this.path = origin.path;
    this.queue = rest.queue ?? this.queue;
    this.service = this.sink.service(origin.server, origin.protocol);
    this.teller.serve(origin, this.queue, this.service);
    this.baseFlags = hasHandshake ? 0 : Flag.midstream;
    this.unmatchedReason = "no_request";
    this.receivedOffset = Number.POSITIVE_INFINITY;
    this.responseReceivedOffset = Number.POSITIVE_INFINITY;
    this.requestedOffset = -1;
    this.hasLostResponses = false;
    this.isStuck = false;
    this.hasLeft = false;
    this.resends = null;
    this.number = rest.lastNumber;
    this.teller.longestWaitUs = rest.longestWaitUs;
    this.hasPipelined = rest.hasPipelined;
    this.isTentative = rest.isTentative;
    this.held = rest.held;
    rest.queue = null;
    rest.held = null;
    this.wake();
  }

  /** To be called before anything is read again. */
  wake(): void {
    if (this.draft === NO_DRAFT) this.draft = new Draft(this.pool);
    if (this.responding === NO_RESPONSE) this.responding = new ResponseDraft();
  }

  /** Longest wait for a response on this connection, in µs; blocking commands apart. */
  get longestWaitUs(): number {
    return this.teller.longestWaitUs;
  }

  /** Requests not reported as anything yet. */
  get unreported(): number {
    return this.held === null ? this.queue.unreported : this.queue.unreported + this.held.answers.length;
  }

  /** A response begins somewhere in bytes that cannot be seen, of this segment. */
  responseBeginsUnseen(): void {
    this.responseBegins(Number.NaN);
  }

  /** The response being read has a hole: `flag` says why. */
  markResponse(flag: number): void {
    if (this.responding.hasBegun) this.responding.flags |= flag;
  }

  /** A response has begun and is not complete. */
  get isResponding(): boolean {
    return this.responding.isReading;
  }

  /** How many of the oldest requests end at this place of the client's stream or before. */
  pendingBefore(offset: number): number {
    const { queue } = this;
    let count = 0;
    for (let entry = queue.head; entry !== NIL; entry = queue.next(entry)) {
      const ended = queue.endedBefore(entry, offset);
      if (ended === 0) break;
      count += ended;
    }
    return count;
  }

  /** Ends the oldest request with the response being read, whose last byte came at `endUs`; `errorId` as far as can be told. */
  answerCut(endUs: number, offset: number, errorId: number): void {
    this.here.set(endUs, 0, offset, 0, this.path);
    this.responding.extend(endUs, 0);
    this.responding.end();
    this.noteWait(this.queue.head);
    // Nobody knows how much of what was cut off was its.
    this.answerOldest(Number.isNaN(this.responding.offset) ? 0 : offset - this.responding.offset, errorId);
  }

  /** However long it is held, how long it took to begin is known: it tells how long silence has to last. */
  private noteWait(entry: number): void {
    if ((this.pool.words[entry * WORDS + Word.class]! & ~EXPIRED) === TransactionClass.blocking) return;
    const waitUs = this.responding.startUs - this.pool.times[entry * TIMES + Time.end]!;
    if (waitUs > this.teller.longestWaitUs) this.teller.longestWaitUs = waitUs;
  }

  /** Ends so many pending requests with responses that stand, unseen, in a segment of this time. */
  answerAllAt(timeUs: number, flag: number, count: number): void {
    this.here.set(timeUs, 0, 0, 0, this.path);
    for (let left = count; left > 0; left--) {
      if (!this.responding.isReading) this.responding.begin(timeUs, Number.NaN, flag);
      this.responding.endUs = timeUs;
      this.responding.end();
      this.answerOldest(0, NO_ERROR);
    }
  }

  /** Bytes of the response being read, from this place on, were sent again. */
  markResponseRetransmitted(from: number, resent: Resent): void {
    if (this.queue.head === NIL || !this.responding.hasBegun || from < this.responding.offset) return;
    this.resent().responseRetransmitted(resent, this.responding);
  }

  /**
   * Reports requests that were whole before `beforeUs`; they keep their place. Blocking ones wait on purpose, and one is being answered.
   * Returns how many of the oldest were forgotten: quiet ones, where half of the queue's room is taken, which a client that sends nothing else would fill.
   */
  expire(beforeUs: number, nowUs: number): number {
    // A reader may take minutes for a large response: that is no silence of the server's, as long as bytes come.
    const isBeingAnswered = this.responding.hasBegun && this.responding.endUs >= beforeUs && !this.origin.pairsById;
    const answered = isBeingAnswered ? this.queue.head : NIL;
    for (const entry of this.queue.expire(beforeUs, answered)) this.unanswered(entry, "timeout", nowUs);
    const { queue, pool } = this;
    const before = queue.count;
    while (queue.count > MAX_QUIET && queue.isExpired(queue.head) && this.mayBeSilent(queue.head))
      pool.release(queue.shift());
    return before - queue.count;
  }

  /** Those that were whole before `beforeUs` and were reported need not keep their place any longer. */
  forgetExpired(beforeUs: number): void {
    const { queue, pool } = this;
    while (queue.head !== NIL && queue.isExpired(queue.head) && pool.times[queue.head * TIMES + Time.end]! < beforeUs)
      this.giveUpOldest("timeout", beforeUs);
  }

  /** Only where nothing was asked so far: later it would be one too many. Where an answer may be several datagrams, one says too little. */
  protected override keepsEarly(id: number, bytes: number, errorId: number): boolean {
    const { isDatagrams, protocol } = this.origin;
    if (!isDatagrams || this.number > 0 || protocol.pairsById !== true || isFull(this.early)) return false;
    const { startUs: timeUs, offset, details } = this.responding;
    const flags = this.responding.flags | Flag.outOfOrder;
    this.early = { id, timeUs, offset, flags, bytes, errorId, details, before: this.early };
    return true;
  }

  protected override answerEarly(entry: number, id: number): void {
    const answer = findEarly(this.early, id, this.here.timeUs);
    if (answer === null) return;
    this.early = without(this.early, answer);
    this.responding.begin(answer.timeUs, answer.offset, answer.flags);
    this.responding.details = answer.details;
    this.responding.end();
    this.queue.take(entry);
    this.answerTaken(entry, answer.bytes, answer.errorId);
  }

  /** The early answers that no question can be coming for any more are nobody's. */
  dropEarly(nowUs: number): void {
    if (this.early !== null) this.early = dropOld(this.early, nowUs, this.service);
  }

  /** Ends every pending request without a response. */
  giveUpAll(reason: UnansweredReason, nowUs: number): void {
    while (this.queue.head !== NIL) this.giveUpOldest(reason, nowUs);
    this.dropEarly(Number.POSITIVE_INFINITY);
    this.responding.end();
    for (const { bytes } of this.kept ?? []) this.service.unmatched("gap", bytes);
    this.kept = null;
  }

  /** Bytes of the server are missing: any of the responses that pair by id may have been among them. */
  losesResponses(): void {
    this.hasLostResponses = this.queue.count > 0;
    this.queue.flagAll(Flag.gap);
  }

  /** Tells what was held, from now on at once: pairs, or requests without a response and responses without a request. */
  endHold(areRight: boolean, nowUs: number): void {
    const answers = this.held?.answers ?? [];
    this.held = null;
    for (const { entry, response, responseBytes, errorId } of answers) {
      if (areRight) this.tell(entry, response, responseBytes, errorId);
      else {
        // It has waited, as far as can be told, until the response that was not proven.
        this.teller.unanswered(entry, "gap", Math.min(nowUs, response.endUs));
        this.pool.release(entry);
        this.service.unmatched("gap", responseBytes);
      }
    }
  }
}
