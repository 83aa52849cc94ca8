import type { Piece } from "../connection/receiver.ts";
import { type Exchange, NO_ERROR, NONE_PENDING, OTHER, TransactionClass } from "../protocols/protocol.ts";
import { MessageDetails } from "./details.ts";
import type { HeldAnswers } from "./held-answers.ts";
import type { Origin } from "./origin.ts";
import type { PairingContext } from "./pairing-context.ts";
import { Parts } from "./parts.ts";
import { NIL, OPTIONAL, TIMES, Time, WORDS, Word } from "./pending.ts";
import { Requesting } from "./requesting.ts";
import { ResponseDraft } from "./response-draft.ts";
import { Teller } from "./teller.ts";
import { Flag, type TransactionSink, type UnansweredReason, type UnmatchedReason } from "./transaction.ts";

/**
 * A response that brings nothing came about as late as its request allowed: after nine tenths of that, the server's clock is not ours, and
 * before half as much again and the time for a long way. Where it came later still, or was not to wait at all, it was slow.
 */
const PURPOSELY_US_PER_MS = 900;
const TOO_LATE_US_PER_MS = 1500;
const LONG_WAY_US = 100_000;

/** A complete response, and how much of the client's stream its sender had received. */
interface KeptResponse {
  readonly draft: ResponseDraft;
  readonly bytes: number;
  readonly errorId: number;
  readonly receivedOffset: number;
}

/** The server's side of one connection's pairing: each response goes to the oldest request, or to the one of its id. */
export abstract class Responding extends Requesting implements Exchange {
  /** Responses that found no request since this was last cleared. */
  unmatchedSinceAligned = 0;
  /** Why an unmatched response would be one: a request may have been lost, or none was sent. */
  unmatchedReason: UnmatchedReason = "no_request";
  /** Bytes that were never captured are being passed: when a message ends with them, nobody knows when. */
  isInGap = false;
  /** A request that was to be answered was not, and since then none was. */
  protected isStuck = false;
  /** How much of the client's stream the sender of the bytes being pushed had received; Infinity where it must not matter. */
  receivedOffset = Number.POSITIVE_INFINITY;
  /** What follows on this connection is no protocol's any more. */
  hasLeft = false;
  /** Where set, answered requests are not told yet (see `endHold`). */
  held: HeldAnswers | null = null;
  protected responding = new ResponseDraft();
  /** Responses of which the session cannot tell yet whose they are; most connections never have one. */
  protected kept: KeptResponse[] | null = null;
  /** Of responses that come in parts, each with its id; few protocols have any. */
  protected parts: Parts | null = null;
  protected readonly teller: Teller;
  protected readonly sink: TransactionSink;
  protected responseReceivedOffset = Number.POSITIVE_INFINITY;

  constructor(context: PairingContext, origin: Origin, hasHandshake: boolean) {
    super(context, origin, hasHandshake);
    this.sink = context.sink;
    this.teller = new Teller(context, origin, this.queue, this.service);
  }

  // Runs for every segment with payload.
  enterResponses(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.here.set(timeUs, startIndex, offset, flags, this.path);
    this.here.fromClient = false;
    if (this.responding.hasBegun) this.responding.extend(timeUs, flags);
  }

  // Runs for every segment with payload.
  enterResponsePiece(piece: Piece, offset: number): void {
    this.here.enter(piece, offset, this.path);
    this.here.fromClient = false;
    if (piece.resentUs > 0 || piece.missingPackets > 0) this.resent().responsePiece(piece, this.responding);
    if (!this.responding.hasBegun) return;
    this.responding.extend(piece.timeUs, this.here.flags);
    if (!this.responding.isBegunTold) this.tellBegun();
  }

  /** A response goes on in a second segment: its end may be far, but how long the server took to begin it is known. */
  private tellBegun(): void {
    this.responding.isBegunTold = true;
    const entry = this.queue.head;
    if (entry === NIL || this.origin.protocol.isSerial !== true || this.queue.isExpired(entry)) return;
    if (this.isTentative || this.held !== null || this.isContradicted || this.hasKept) return;
    this.queue.separate(entry);
    this.teller.begun(entry, this.responding);
  }

  // ---- Exchange: the server's side ----

  get pendingCount(): number {
    return this.queue.count;
  }

  get hasPaired(): boolean {
    return this.teller.longestWaitUs >= 1 || (this.held !== null && this.held.answers.length > 0);
  }

  replyKindAt(position: number): number {
    const entry = this.queue.at(position);
    return entry === NIL ? NONE_PENDING : this.pool.words[entry * WORDS + Word.replyKind]!;
  }

  get oldestCommandId(): number {
    const { head } = this.queue;
    return head === NIL ? OTHER : this.pool.words[head * WORDS + Word.commandId]!;
  }

  idAt(position: number): number {
    const entry = this.queue.at(position);
    return entry === NIL ? 0 : this.pool.words[entry * WORDS + Word.id]!;
  }

  positionOf(id: number, mask: number, from: number): number {
    return this.queue.positionOf(id, mask, from);
  }

  replyKindOf(id: number): number {
    const entry = this.queue.withId(id);
    return entry === NIL ? NONE_PENDING : this.pool.words[entry * WORDS + Word.replyKind]!;
  }

  setReplyKind(replyKind: number): void {
    if (this.queue.head === NIL) return;
    this.queue.separate(this.queue.head);
    this.pool.words[this.queue.head * WORDS + Word.replyKind] = replyKind;
  }

  // Runs for every response.
  responseBegins(at: number): void {
    if (!this.responding.isPartial) this.responseReceivedOffset = this.receivedOffset;
    this.responding.begin(this.here.timeUs, this.here.base + at, this.here.flags, this.here.missingPackets);
  }

  responseVoid(): void {
    this.responding.end();
  }

  // Runs for every response.
  answer(at: number, errorId: number): void {
    this.respond(this.here.base + at - this.responding.offset, errorId);
  }

  answerById(at: number, id: number, errorId: number): void {
    const bytes = this.here.base + at - this.responding.offset;
    this.responding.end();
    const entry = this.queue.withId(id);
    if (entry === NIL) {
      if (!this.keepsEarly(id, bytes, errorId)) this.service.unmatched(this.unmatchedReason, bytes);
      return;
    }
    while (this.queue.head !== entry && this.queue.hasFlag(this.queue.head, OPTIONAL)) this.settleSilently();
    if (this.isInGap) {
      this.isGone(entry, "gap", this.here.timeUs);
      return;
    }
    const before = this.parts?.join(entry, this.responding) ?? 0;
    this.queue.take(entry);
    this.answerTaken(entry, before + bytes, errorId);
  }

  /** Keeps an answer that no question has come for, should that be still to come. False where it is nobody's. */
  protected abstract keepsEarly(id: number, bytes: number, errorId: number): boolean;

  partialAnswerById(at: number, id: number): void {
    const bytes = this.here.base + at - this.responding.offset;
    this.responding.end();
    const entry = this.queue.withId(id);
    if (entry === NIL) {
      this.service.unmatched(this.unmatchedReason, bytes);
      return;
    }
    this.parts ??= new Parts();
    this.parts.add(entry, this.responding, bytes);
  }

  becomes(transactionClass: TransactionClass): void {
    if (this.queue.head !== NIL) this.queue.setClass(this.queue.head, transactionClass);
  }

  bringsNothing(id: number, maxWaitMs: number): void {
    const entry = this.queue.withId(id);
    if (entry === NIL) return;
    const waitedUs = this.here.timeUs - this.pool.times[entry * TIMES + Time.end]!;
    if (maxWaitMs === 0 || waitedUs < maxWaitMs * PURPOSELY_US_PER_MS) return;
    if (waitedUs > maxWaitMs * TOO_LATE_US_PER_MS + LONG_WAY_US) return;
    this.queue.setClass(entry, TransactionClass.blocking);
  }

  private respond(bytes: number, errorId: number): void {
    this.responding.end();
    if (this.queue.head !== NIL && this.cannotBe()) this.isContradicted = true;
    if (this.queue.head === NIL || this.isContradicted) {
      this.unmatchedSinceAligned++;
      this.service.unmatched(this.unmatchedReason, bytes);
    } else if (this.isInGap) this.giveUpOldest("gap", this.here.timeUs);
    else this.answerOldest(bytes, errorId);
  }

  // Runs for every response: nearly all are told this way.
  response(at: number, end: number): void {
    const entry = this.queue.head;
    if (entry === NIL || !this.isPlain || this.queue.isExpired(entry)) {
      this.responseBegins(at);
      this.answer(end, NO_ERROR);
      return;
    }
    this.queue.shift();
    this.teller.answeredWhole(entry, this.here, at, end);
    this.pool.release(entry);
  }

  // Runs for every response that others follow.
  get together(): number {
    const { alike, head } = this.queue;
    if (alike < 2 || !this.isPlain || this.queue.isExpired(head)) return 1;
    return this.teller.isOnlyCounted(head, this.here) ? alike : 1;
  }

  responses(at: number, end: number, count: number): void {
    this.teller.countTogether(this.queue.head, this.here, end - at, count);
    this.queue.drop(count);
  }

  /** Nothing is in doubt, held or half read: a whole response is the oldest request's. */
  private get isPlain(): boolean {
    return (
      this.receivedOffset === Number.POSITIVE_INFINITY &&
      !this.isTentative &&
      this.held === null &&
      !this.isInGap &&
      !this.isContradicted &&
      !this.responding.isPartial
    );
  }

  /** Whether the response being read cannot be the oldest request's: it was sent before that had been received. */
  private cannotBe(): boolean {
    const received = this.responseReceivedOffset;
    if (received < this.pool.times[this.queue.head * TIMES + Time.endOffset]!) return true;
    return this.isTentative && (received !== this.requestedOffset || this.isRequesting);
  }

  partialAnswer(_at: number): void {
    this.responding.isReading = false;
    this.responding.isPartial = this.queue.head !== NIL;
  }

  keep(at: number, errorId: number): void {
    this.kept ??= [];
    this.responding.closedUs = this.here.closedUs;
    this.kept.push({
      draft: this.responding,
      bytes: this.here.base + at - this.responding.offset,
      errorId,
      receivedOffset: this.responseReceivedOffset,
    });
    this.responding = new ResponseDraft();
  }

  answerKept(): void {
    const kept = this.kept?.shift();
    if (kept === undefined) return;
    const [draft, receivedOffset, closedUs] = [this.responding, this.responseReceivedOffset, this.here.closedUs];
    this.responding = kept.draft;
    this.here.closedUs = kept.draft.closedUs;
    this.responseReceivedOffset = kept.receivedOffset;
    this.respond(kept.bytes, kept.errorId);
    this.responding = draft;
    this.here.closedUs = closedUs;
    this.responseReceivedOffset = receivedOffset;
  }

  /** Responses are kept until it is known whose they are. */
  get hasKept(): boolean {
    return this.kept !== null && this.kept.length > 0;
  }

  push(at: number): void {
    this.service.pushed(this.responding.takePush(this.here.base + at));
  }

  orphan(at: number): void {
    this.responding.isReading = false;
    this.service.unmatched("noreply", this.here.base + at - this.responding.offset);
  }

  unasked(at: number): void {
    this.responding.isReading = false;
    this.unmatchedSinceAligned++;
    this.service.unmatched(this.unmatchedReason, this.here.base + at - this.responding.offset);
  }

  settleSilently(): void {
    if (this.queue.head === NIL) return;
    const isExpired = this.queue.isExpired(this.queue.head);
    this.pool.release(this.queue.shift());
    if (!isExpired) this.service.settledSilently();
  }

  detail(name: string, value: string | number): void {
    if (this.here.fromClient) {
      this.requestDetails ??= new MessageDetails();
      this.requestDetails.add(name, value);
    } else {
      this.responding.details ??= new MessageDetails();
      this.responding.details.add(name, value);
    }
  }

  leaves(): void {
    this.hasLeft = true;
  }

  lookups(hits: number, misses: number): void {
    this.service.lookups(hits, misses);
  }

  /** Ends the oldest request with the response that began and went on as noted: all but its end is known. */
  // Runs for every response.
  protected answerOldest(responseBytes: number, errorId: number): void {
    this.answerTaken(this.queue.shift(), responseBytes, errorId);
  }

  /** The same for a request that is not in the queue any more. */
  // Runs for every response.
  protected answerTaken(entry: number, responseBytes: number, errorId: number): void {
    this.isStuck = false;
    if (this.queue.isExpired(entry)) {
      this.pool.release(entry);
      this.service.unmatched("late", responseBytes);
      return;
    }
    this.responding.closedUs = this.here.closedUs;
    if (this.wantsDetails) this.giveDetails(entry);
    if (this.held === null) this.tell(entry, this.responding, responseBytes, errorId);
    else {
      const waitUs = this.responding.startUs - this.pool.times[entry * TIMES + Time.end]!;
      this.held.add(entry, this.responding, waitUs, responseBytes, errorId);
    }
  }

  /** What was told of the response is its request's entry's. */
  private giveDetails(entry: number): void {
    const { details } = this.pool;
    const response = this.responding.details;
    this.responding.details = null;
    if (response === null) return;
    const known = details!.get(entry);
    if (known === undefined) details!.set(entry, { request: null, response });
    else known.response = response;
  }

  // Runs for every response.
  protected tell(entry: number, response: ResponseDraft, responseBytes: number, errorId: number): void {
    this.teller.answered(entry, response, responseBytes, errorId);
    this.pool.release(entry);
  }

  private reasonOf(entry: number, reason: UnansweredReason): UnansweredReason {
    return this.hasLostResponses && this.queue.hasFlag(entry, Flag.gap) ? "gap" : reason;
  }

  protected override makeRoom(): void {
    this.giveUpOldest("evicted", this.here.timeUs);
  }

  protected override isGone(entry: number, reason: UnansweredReason, nowUs: number): void {
    this.queue.take(entry);
    this.parts?.forget(entry);
    if (!this.queue.isExpired(entry)) this.unanswered(entry, reason, nowUs);
    this.pool.release(entry);
  }

  protected giveUpOldest(reason: UnansweredReason, nowUs: number): void {
    const isExpired = this.queue.isExpired(this.queue.head);
    const entry = this.queue.shift();
    this.parts?.forget(entry);
    if (!isExpired) this.unanswered(entry, reason, nowUs);
    this.pool.release(entry);
  }

  protected unanswered(entry: number, reason: UnansweredReason, nowUs: number): void {
    const known = this.reasonOf(entry, reason);
    const isSettled = this.queue.hasFlag(entry, OPTIONAL) || (known !== "gap" && this.mayBeSilent(entry));
    // A server that answers in order has not come to those behind one that it never answered.
    if (isSettled && !this.isStuck) this.service.settledSilently();
    else {
      this.isStuck = !this.origin.pairsById;
      this.teller.unanswered(entry, known, nowUs);
    }
  }

  /** Whether this request, should nobody answer it, had nothing to be told. */
  protected mayBeSilent(entry: number): boolean {
    return this.origin.protocol.maySayNothing?.(this.pool.words[entry * WORDS + Word.replyKind]!) === true;
  }
}
