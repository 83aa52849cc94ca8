import type { Piece, Resent } from "../connection/receiver.ts";
import { type Exchange, NO_ERROR, NONE_PENDING } from "../protocols/protocol.ts";
import type { PairingContext } from "./context.ts";
import { Draft, NO_DRAFT } from "./draft.ts";
import type { HeldAnswers } from "./held-answers.ts";
import type { Origin } from "./origin.ts";
import { NIL, TIMES, Time, WORDS, Word } from "./pending.ts";
import { PendingQueue } from "./pending-queue.ts";
import { Requesting } from "./requesting.ts";
import { NO_RESPONSE, ResponseDraft } from "./response-draft.ts";
import type { Rest } from "./rest.ts";
import { Teller } from "./teller.ts";
import { Flag, type TransactionSink, type UnansweredReason, type UnmatchedReason } from "./transaction.ts";

/** A response that brings nothing came as late as its request allowed: nine tenths of that, the server's clock is not ours. */
const PURPOSELY_US_PER_MS = 900;
/** The longest wait that is remembered of an idle connection: a small integer. */
const MAX_KEPT_WAIT_US = 2 ** 30;

/** A complete response, and how much of the client's stream its sender had received. */
interface KeptResponse {
  readonly draft: ResponseDraft;
  readonly bytes: number;
  readonly errorId: number;
  readonly receivedOffset: number;
}

/**
 * Pairs the messages of one connection: requests wait in a queue, first in, first out, and each response goes to the
 * oldest. It knows times and places; what a message means, its session says.
 */
export class Pairing extends Requesting implements Exchange {
  /** Responses that found no request since this was last cleared. */
  unmatchedSinceAligned = 0;
  /** Why an unmatched response would be one: a request may have been lost, or none was sent. */
  unmatchedReason: UnmatchedReason = "no_request";
  /** Bytes that were never captured are being passed: when a message ends with them, nobody knows when. */
  isInGap = false;
  /** How much of the client's stream the sender of the bytes being pushed had received; Infinity where it must not matter. */
  receivedOffset = Number.POSITIVE_INFINITY;
  /** Where set, answered requests are not told yet (see `endHold`). */
  held: HeldAnswers | null = null;
  #response = new ResponseDraft();
  /** Responses of which the session cannot tell yet whose they are; most connections never have one. */
  #kept: KeptResponse[] | null = null;
  readonly #teller: Teller;
  readonly #sink: TransactionSink;
  #responseReceivedOffset = Number.POSITIVE_INFINITY;

  constructor(context: PairingContext, origin: Origin, hasHandshake: boolean) {
    super(context, origin, hasHandshake);
    this.#sink = context.sink;
    this.#teller = new Teller(context, origin, this.queue, this.service);
  }

  // Runs for every segment with payload.
  enterResponses(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.here.set(timeUs, startIndex, offset, flags);
    if (this.#response.hasBegun) this.#response.extend(timeUs, flags);
  }

  // Runs for every segment with payload.
  enterResponsePiece(piece: Piece, offset: number): void {
    this.here.enter(piece, offset, this.path);
    if (piece.resentUs > 0 || piece.missingPackets > 0) this.resent().responsePiece(piece, this.#response);
    if (this.#response.hasBegun) this.#response.extend(piece.timeUs, this.here.flags);
  }

  // ---- Exchange: the server's side ----

  get pendingCount(): number {
    return this.queue.count;
  }

  replyKindAt(position: number): number {
    const entry = this.queue.at(position);
    return entry === NIL ? NONE_PENDING : this.pool.words[entry * WORDS + Word.replyKind]!;
  }

  idAt(position: number): number {
    const entry = this.queue.at(position);
    return entry === NIL ? 0 : this.pool.words[entry * WORDS + Word.id]!;
  }

  replyKindOf(id: number): number {
    const entry = this.queue.withId(id);
    return entry === NIL ? NONE_PENDING : this.pool.words[entry * WORDS + Word.replyKind]!;
  }

  setReplyKind(replyKind: number): void {
    if (this.queue.head !== NIL) this.pool.words[this.queue.head * WORDS + Word.replyKind] = replyKind;
  }

  // Runs for every response.
  responseBegins(at: number): void {
    if (!this.#response.isPartial) this.#responseReceivedOffset = this.receivedOffset;
    this.#response.begin(this.here.timeUs, this.here.base + at, this.here.flags, this.here.missingPackets);
  }

  // Runs for every response.
  answer(at: number, errorId: number): void {
    this.#respond(this.here.base + at - this.#response.offset, errorId);
  }

  answerById(at: number, id: number, errorId: number): void {
    const bytes = this.here.base + at - this.#response.offset;
    this.#response.end();
    const entry = this.queue.withId(id);
    if (entry === NIL) this.service.unmatched(this.unmatchedReason, bytes);
    else {
      this.queue.take(entry);
      this.#answerTaken(entry, bytes, errorId);
    }
  }

  bringsNothing(id: number, maxWaitMs: number): void {
    const entry = this.queue.withId(id);
    if (entry === NIL) return;
    const waitedUs = this.here.timeUs - this.pool.times[entry * TIMES + Time.end]!;
    if (waitedUs >= maxWaitMs * PURPOSELY_US_PER_MS) this.queue.setBlocking(entry);
  }

  #respond(bytes: number, errorId: number): void {
    this.#response.end();
    if (this.queue.head !== NIL && this.#cannotBe()) this.isContradicted = true;
    if (this.queue.head === NIL || this.isContradicted) {
      this.unmatchedSinceAligned++;
      this.service.unmatched(this.unmatchedReason, bytes);
    } else if (this.isInGap) this.#giveUpOldest("gap", this.here.timeUs);
    else this.#answerOldest(bytes, errorId);
  }

  // Runs for every response: nearly all are told this way.
  response(at: number, end: number): void {
    const entry = this.queue.head;
    if (entry === NIL || !this.#isPlain || this.queue.isExpired(entry)) {
      this.responseBegins(at);
      this.answer(end, NO_ERROR);
      return;
    }
    this.queue.shift();
    this.#teller.answeredWhole(entry, this.here, at, end);
    this.pool.release(entry);
  }

  /** Nothing is in doubt, held or half read: a whole response is the oldest request's. */
  get #isPlain(): boolean {
    return (
      this.receivedOffset === Number.POSITIVE_INFINITY &&
      !this.isTentative &&
      this.held === null &&
      !this.isInGap &&
      !this.isContradicted &&
      !this.#response.isPartial
    );
  }

  /** Whether the response being read cannot be the oldest request's: it was sent before that had been received. */
  #cannotBe(): boolean {
    const received = this.#responseReceivedOffset;
    if (received < this.pool.times[this.queue.head * TIMES + Time.endOffset]!) return true;
    return this.isTentative && (received !== this.requestedOffset || this.isRequesting);
  }

  partialAnswer(_at: number): void {
    this.#response.isReading = false;
    this.#response.isPartial = this.queue.head !== NIL;
  }

  keep(at: number, errorId: number): void {
    this.#kept ??= [];
    this.#response.closedUs = this.here.closedUs;
    this.#kept.push({
      draft: this.#response,
      bytes: this.here.base + at - this.#response.offset,
      errorId,
      receivedOffset: this.#responseReceivedOffset,
    });
    this.#response = new ResponseDraft();
  }

  answerKept(): void {
    const kept = this.#kept?.shift();
    if (kept === undefined) return;
    const [draft, receivedOffset, closedUs] = [this.#response, this.#responseReceivedOffset, this.here.closedUs];
    this.#response = kept.draft;
    this.here.closedUs = kept.draft.closedUs;
    this.#responseReceivedOffset = kept.receivedOffset;
    this.#respond(kept.bytes, kept.errorId);
    this.#response = draft;
    this.here.closedUs = closedUs;
    this.#responseReceivedOffset = receivedOffset;
  }

  /** Responses are kept until it is known whose they are. */
  get hasKept(): boolean {
    return this.#kept !== null && this.#kept.length > 0;
  }

  push(at: number): void {
    this.service.pushed(this.#response.takePush(this.here.base + at));
  }

  orphan(at: number): void {
    this.#response.isReading = false;
    this.service.unmatched("noreply", this.here.base + at - this.#response.offset);
  }

  settleSilently(): void {
    if (this.queue.head === NIL) return;
    const isExpired = this.queue.isExpired(this.queue.head);
    this.pool.release(this.queue.shift());
    if (!isExpired) this.service.settledSilently();
  }

  detail(_name: string, _value: string | number): void {}

  lookups(hits: number, misses: number): void {
    this.service.lookups(hits, misses);
  }

  // ---- what the conversation decides ----

  /** Gives back what only a message being read needs, where none is; until `wake`. */
  sleep(): void {
    if (this.draft.entry === NIL) this.draft = NO_DRAFT;
    if (!this.#response.hasBegun) this.#response = NO_RESPONSE;
    this.origin.forgetTexts();
  }

  /** No message is under way, and nothing is remembered that a pairing would not know after `resume`. */
  get isAtRest(): boolean {
    return (
      !this.isRequesting &&
      !this.#response.hasBegun &&
      !this.hasKept &&
      !this.isOverfull &&
      !this.isContradicted &&
      this.unmatchedSinceAligned === 0 &&
      (this.queue.count === 0 || (!this.isTentative && this.resends === null && this.#teller.isPreviousOver))
    );
  }

  /** At rest: what `resume` and the session's (`standing`) have to know. Both serve another connection from now on. */
  leave(rest: Rest, standing: number): void {
    rest.lastNumber = this.number;
    rest.longestWaitUs = Math.min(this.#teller.longestWaitUs, MAX_KEPT_WAIT_US);
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
    this.service = this.#sink.service(origin.server, origin.protocol);
    this.#teller.serve(origin, this.queue, this.service);
    this.baseFlags = hasHandshake ? 0 : Flag.midstream;
    this.unmatchedReason = "no_request";
    this.receivedOffset = Number.POSITIVE_INFINITY;
    this.#responseReceivedOffset = Number.POSITIVE_INFINITY;
    this.requestedOffset = -1;
    this.resends = null;
    this.number = rest.lastNumber;
    this.#teller.longestWaitUs = rest.longestWaitUs;
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
    if (this.#response === NO_RESPONSE) this.#response = new ResponseDraft();
  }

  /** Longest wait for a response on this connection, in µs; blocking commands apart. */
  get longestWaitUs(): number {
    return this.#teller.longestWaitUs;
  }

  /** Requests not reported as anything yet. */
  get unreported(): number {
    return this.held === null ? this.queue.unreported : this.queue.unreported + this.held.answers.length;
  }

  /** The response being read has a hole: `flag` says why. */
  markResponse(flag: number): void {
    if (this.#response.hasBegun) this.#response.flags |= flag;
  }

  /** A response has begun and is not complete. */
  get isResponding(): boolean {
    return this.#response.isReading;
  }

  /** Ends the only pending request with the response being read, whose last byte came at `endUs`; `errorId` as far as can be told. */
  answerCut(endUs: number, offset: number, errorId: number): void {
    this.#response.extend(endUs, 0);
    this.#response.end();
    this.#answerOldest(offset - this.#response.offset, errorId);
  }

  /** Ends all pending requests with responses that stand, unseen, in a segment of this time. */
  answerAllAt(timeUs: number, flag: number): void {
    while (this.queue.head !== NIL) {
      if (!this.#response.isReading) this.#response.begin(timeUs, Number.NaN, flag);
      this.#response.endUs = timeUs;
      this.#response.end();
      this.#answerOldest(0, NO_ERROR);
    }
  }

  /** Bytes of the response being read, from this place on, were sent again. */
  markResponseRetransmitted(from: number, resent: Resent): void {
    if (this.queue.head === NIL || !this.#response.hasBegun || from < this.#response.offset) return;
    this.resent().responseRetransmitted(resent, this.#response);
  }

  /** Reports requests that began before `beforeUs`; they keep their place. Blocking ones wait on purpose. */
  expire(beforeUs: number, nowUs: number): void {
    for (const entry of this.queue.expire(beforeUs)) this.#teller.unanswered(entry, "timeout", nowUs);
  }

  /** Ends every pending request without a response. */
  giveUpAll(reason: UnansweredReason, nowUs: number): void {
    while (this.queue.head !== NIL) this.#giveUpOldest(reason, nowUs);
    this.#response.end();
    for (const { bytes } of this.#kept ?? []) this.service.unmatched("gap", bytes);
    this.#kept = null;
  }

  #giveUpOldest(reason: UnansweredReason, nowUs: number): void {
    const isExpired = this.queue.isExpired(this.queue.head);
    const entry = this.queue.shift();
    if (!isExpired) this.#teller.unanswered(entry, reason, nowUs);
    this.pool.release(entry);
  }

  /** Ends the oldest request with the response that began and went on as noted: all but its end is known. */
  // Runs for every response.
  #answerOldest(responseBytes: number, errorId: number): void {
    this.#answerTaken(this.queue.shift(), responseBytes, errorId);
  }

  /** The same for a request that is not in the queue any more. */
  // Runs for every response.
  #answerTaken(entry: number, responseBytes: number, errorId: number): void {
    if (this.queue.isExpired(entry)) {
      this.pool.release(entry);
      this.service.unmatched("late", responseBytes);
      return;
    }
    this.#response.closedUs = this.here.closedUs;
    if (this.held === null) this.#tell(entry, this.#response, responseBytes, errorId);
    else this.held.add(entry, this.#response, responseBytes, errorId);
  }

  // Runs for every response.
  #tell(entry: number, response: ResponseDraft, responseBytes: number, errorId: number): void {
    this.#teller.answered(entry, response, responseBytes, errorId);
    this.pool.release(entry);
  }

  /** Tells what was held, from now on at once: pairs, or requests without a response and responses without a request. */
  endHold(areRight: boolean, nowUs: number): void {
    const answers = this.held?.answers ?? [];
    this.held = null;
    for (const { entry, response, responseBytes, errorId } of answers) {
      if (areRight) this.#tell(entry, response, responseBytes, errorId);
      else {
        this.#teller.unanswered(entry, "gap", nowUs);
        this.pool.release(entry);
        this.service.unmatched("gap", responseBytes);
      }
    }
  }
}
