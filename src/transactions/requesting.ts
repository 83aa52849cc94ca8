import type { Path } from "../connection/path.ts";
import type { Piece, Resent } from "../connection/receiver.ts";
import { NO_REPLY, type TransactionClass } from "../protocols/protocol.ts";
import type { MessageDetails } from "./details.ts";
import { Draft } from "./draft.ts";
import type { EarlyAnswer } from "./early-answers.ts";
import type { Here } from "./here.ts";
import type { Origin } from "./origin.ts";
import type { PairingContext } from "./pairing-context.ts";
import { MAX_PENDING, NIL, OPTIONAL, type PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import { MAX_PENDING_BY_ID, PendingQueue } from "./pending-queue.ts";
import { Resends } from "./resends.ts";
import { Flag, type ServiceSink, type UnansweredReason } from "./transaction.ts";
import { writeWords } from "./write-words.ts";

/** Requests of one connection that may wait at once; beyond, what follows is treated as lost. */
export const MAX_PENDING_PER_CONNECTION = 1 << 16;

/** Requests that need not be answered and wait all the same, should they be. */
const MAX_OPTIONAL = 16;

/** The client's side of one connection's pairing: requests, as the session reads them, go into the queue. */
export abstract class Requesting {
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  readonly wantsDetails: boolean;
  readonly pathDepth: number;
  /** No room is left for another request: the client's bytes cannot be followed any more. */
  isOverfull = false;
  /** A request ended while another waited. */
  hasPipelined = false;
  /**
   * What was taken for a request may be the middle of a value. Then a response is believed only where its sender had
   * received exactly the requests read so far, and these follow one another: behind a value comes a line's end more.
   */
  isTentative = false;
  /** Responses that pair by id may have been among bytes that are missing; their requests are flagged so. */
  hasLostResponses = false;
  /** A response came to a request that its sender had not received: the pairing is wrong. */
  isContradicted = false;

  /** The latest answer that came before anything was asked; few connections have any. */
  early: EarlyAnswer | null = null;

  protected readonly here: Here;
  protected path: Path;
  protected origin: Origin;
  protected queue: PendingQueue;
  /** Made for the first segment that is sent again. */
  protected resends: Resends | null = null;
  protected draft: Draft;
  protected readonly pool: PendingPool;
  protected service: ServiceSink;
  /** What was told of the request being read; null while nothing was. */
  protected requestDetails: MessageDetails | null = null;
  protected baseFlags: number;
  protected number = 0;
  /** Where the last request ended, whether it waits for a reply or not. */
  protected requestedOffset = -0.5;

  constructor(context: PairingContext, origin: Origin, hasHandshake: boolean) {
    this.wantsText = context.wantsText;
    this.wantsValues = context.wantsValues;
    this.pathDepth = context.pathDepth;
    this.pool = context.pool;
    this.wantsDetails = context.pool.details !== null;
    this.queue = new PendingQueue(context.pool);
    this.draft = new Draft(context.pool);
    this.service = context.sink.service(origin.server, origin.protocol);
    this.path = origin.path;
    this.origin = origin;
    this.here = context.here;
    this.baseFlags = hasHandshake ? 0 : Flag.midstream;
  }

  /**
   * Bytes of the client (or server) follow: the byte with index `startIndex` stands at `offset` in its stream.
   * `flags` are added to the message that they belong to.
   */
  // Runs for every segment with payload.
  enterRequests(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.here.set(timeUs, startIndex, offset, flags, this.path);
    this.here.fromClient = true;
    if (this.draft.entry !== NIL) this.draft.extend(timeUs, flags);
  }

  /** The same for the bytes of a piece, which begin at `offset`. */
  // Runs for every segment with payload.
  enterRequestPiece(piece: Piece, offset: number): void {
    this.here.enter(piece, offset, this.path);
    this.here.fromClient = true;
    if (piece.resentUs > 0 || piece.missingPackets > 0) this.resent().requestPiece(piece, this.draft.entry);
    if (this.draft.entry !== NIL) this.draft.extend(piece.timeUs, this.here.flags);
  }

  protected resent(): Resends {
    if (this.resends === null) {
      // From here on what a request lost is its own (see `requests`).
      this.queue.separateAll();
      this.resends = new Resends(this.queue, this.origin);
    }
    return this.resends;
  }

  // Runs for every request.
  requestBegins(at: number): void {
    const depth = this.queue.count;
    const flags =
      this.baseFlags | this.here.flags | (depth > 0 && this.isAnyDue() && !this.isConcurrent ? Flag.pipelined : 0);
    if (
      depth >= MAX_PENDING_PER_CONNECTION ||
      !this.draft.begin(this.here.timeUs, this.here.base + at, flags, this.here.closedUs)
    ) {
      this.isOverfull = true;
    } else if (this.resends !== null) this.resends.begins(this.draft.entry, this.here);
    if (this.isTentative && depth > 0 && this.requestedOffset < this.here.base + at) this.isContradicted = true;
  }

  word(isKey: boolean): void {
    this.draft.word(isKey);
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.draft.text(bytes, start, end);
  }

  redacted(): void {
    this.draft.redacted();
  }

  textCut(): void {
    this.draft.textCut();
  }

  // Runs for every request.
  requestEnds(at: number, commandId: number, transactionClass: TransactionClass, replyKind: number, id: number): void {
    if (this.draft.entry === NIL) return;
    this.endsAt(this.here.base + at, commandId, transactionClass, replyKind, id);
  }

  requestEndsEarly(
    bytes: number,
    commandId: number,
    transactionClass: TransactionClass,
    kind: number,
    id: number,
  ): void {
    const { entry } = this.draft;
    if (entry === NIL) return;
    const startOffset = this.pool.times[entry * TIMES + Time.startOffset]!;
    this.endsAt(startOffset + bytes, commandId, transactionClass, kind, id);
  }

  // Runs for every request.
  private endsAt(
    endOffset: number,
    commandId: number,
    transactionClass: TransactionClass,
    replyKind: number,
    id: number,
  ): void {
    if (this.wantsDetails) this.keepDetails();
    const pool = this.pool;
    const times = pool.times;
    const words = pool.words;
    this.requestedOffset = endOffset;
    const entry = this.draft.end(endOffset);
    const time = entry * TIMES;
    const word = entry * WORDS;
    times[time + Time.number] = ++this.number;
    const hasReply = replyKind !== NO_REPLY;
    this.service.requested(commandId, endOffset - times[time + Time.startOffset]!, hasReply, 1);
    if (!hasReply) {
      pool.release(entry);
      return;
    }
    words[word + Word.commandId] = commandId;
    words[word + Word.class] = transactionClass;
    words[word + Word.replyKind] = replyKind;
    words[word + Word.id] = id;
    if (this.queue.blocking > 0) this.queue.addFlags(entry, Flag.behindBlocking);
    if (this.queue.count > 0 && this.isAnyDue()) this.hasPipelined = true;
    if (this.queue.count > 0 && (this.hasLostResponses || this.origin.isDatagrams)) this.isAgain(id);
    if (this.queue.count >= MAX_PENDING_BY_ID && this.origin.pairsById) this.makeRoom();
    if (this.queue.count >= MAX_OPTIONAL && this.queue.hasFlag(this.queue.head, OPTIONAL)) this.settleSilently();
    this.queue.add(entry);
    if (this.early !== null) this.answerEarly(entry, id);
  }

  /** This request may have been overtaken by its answer. */
  protected abstract answerEarly(entry: number, id: number): void;

  /** This id is used again: where bytes of the server are missing, whoever had it before has had its response there. */
  private isAgain(id: number): void {
    const { queue } = this;
    const before = queue.withId(id);
    if (before === NIL) return;
    if (this.origin.isDatagrams) this.isGone(before, "timeout", this.here.timeUs);
    else if (queue.hasFlag(before, Flag.gap)) this.isGone(before, "gap", this.here.timeUs);
    if (queue.count === 0) this.hasLostResponses = false;
  }

  /** More wait for the response with their id than are looked at for one: the oldest is given up. */
  protected abstract makeRoom(): void;

  replyOptional(): void {
    this.draft.addFlags(OPTIONAL);
  }

  abstract settleSilently(): void;

  /** This pending request will get no response any more. */
  protected abstract isGone(entry: number, reason: UnansweredReason, nowUs: number): void;

  requestAgain(id: number): boolean {
    const { queue, draft } = this;
    const entry = queue.withId(id);
    if (entry === NIL) return false;
    if (queue.isExpired(entry)) {
      // It has been told as unanswered: who asks again after that asks anew.
      this.isGone(entry, "timeout", this.here.timeUs);
      return false;
    }
    queue.charge(entry, Time.resentRequest, this.here.timeUs - this.pool.times[entry * TIMES + Time.end]!, false, 1);
    draft.drop();
    this.requestDetails = null;
    return true;
  }

  requestVoid(): void {
    this.draft.drop();
    this.requestDetails = null;
  }

  /** What was told of the request being read is its entry's from here on. */
  private keepDetails(): void {
    if (this.requestDetails === null) return;
    this.pool.details!.set(this.draft.entry, { request: this.requestDetails, response: null });
    this.requestDetails = null;
  }

  // Runs for every request: nearly all are told this way, for a third of what the steps above cost (test/bench).
  request(
    bytes: Uint8Array,
    at: number,
    end: number,
    commandId: number,
    transactionClass: TransactionClass,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    const queue = this.queue;
    const pool = this.pool;
    const depth = queue.count;
    const entry = depth < MAX_PENDING_PER_CONNECTION ? pool.allocate() : NIL;
    const startOffset = this.here.base + at;
    if (this.isTentative && depth > 0 && this.requestedOffset < startOffset) this.isContradicted = true;
    if (entry === NIL) {
      this.isOverfull = true;
      return;
    }
    const { times, words } = pool;
    const time = entry * TIMES;
    times[time + Time.start] = this.here.timeUs;
    times[time + Time.end] = this.here.timeUs;
    times[time + Time.startOffset] = startOffset;
    times[time + Time.endOffset] = this.requestedOffset = this.here.base + end;
    times[time + Time.number] = ++this.number;
    times[time + Time.resentRequest] = 0;
    times[time + Time.resentResponse] = 0;
    times[time + Time.closed] = this.here.closedUs;
    const word = entry * WORDS;
    words[word + Word.commandId] = commandId;
    words[word + Word.replyKind] = 0;
    words[word + Word.id] = 0;
    words[word + Word.flags] = this.baseFlags | this.here.flags | (depth > 0 ? this.queuedFlags() : 0);
    words[word + Word.retransmissions] = 0;
    words[word + Word.class] = transactionClass;
    words[word + Word.text] = this.wantsText
      ? writeWords(pool.text, entry, bytes, nameStart, nameEnd, keyStart, keyEnd)
      : 0;
    this.service.requested(commandId, end - at, true, 1);
    if (this.resends !== null) this.resends.begins(entry, this.here);
    queue.add(entry);
  }

  requests(
    bytes: Uint8Array,
    at: number,
    end: number,
    count: number,
    commandId: number,
    transactionClass: TransactionClass,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    const length = ((end - at) / count) | 0;
    const isKeyed = keyStart > 0;
    let told = 0;
    while (told < count) {
      const by = told * length;
      const from = at + by;
      const key = isKeyed ? keyStart + by : 0;
      const keyTo = isKeyed ? keyEnd + by : 0;
      this.request(bytes, from, from + length, commandId, transactionClass, nameStart + by, nameEnd + by, key, keyTo);
      told++;
      // What waits before it may differ for the first and the second; those that follow are as the second.
      const more = told === 1 ? 0 : this.repeatable(count - told, length);
      if (more === 0) continue;
      const to = from + (1 + more) * length;
      const { repeated } = this.pool;
      const base = this.here.base;
      const kept = repeated?.keep(bytes, from, to, base + from, nameStart + by, nameEnd + by, key, keyTo) ?? 0;
      this.queue.repeatLast(more, kept);
      this.number += more;
      this.requestedOffset = base + to;
      this.service.requested(commandId, more * length, true, more);
      told += more;
    }
  }

  /** How many of so many requests that follow the last, and are like it, may share its entry: where nobody asks for the losses of each. */
  private repeatable(count: number, length: number): number {
    const { pool, queue } = this;
    if (this.resends !== null || this.isTentative || this.isOverfull) return 0;
    if (queue.count + count > MAX_PENDING_PER_CONNECTION || pool.used + count > MAX_PENDING) return 0;
    // Two share an entry at least.
    return pool.repeated === null ? count : Math.max(0, Math.min(count, pool.repeated.roomFor(length) - 1));
  }

  private get isConcurrent(): boolean {
    return this.origin.isConcurrent;
  }

  /** Whether a pending request must be answered: those that need not be are few, and stand in front. */
  private isAnyDue(): boolean {
    const { queue } = this;
    let entry = queue.head;
    for (let left = MAX_OPTIONAL; entry !== NIL && left > 0 && queue.hasFlag(entry, OPTIONAL); left--)
      entry = queue.next(entry);
    return entry !== NIL;
  }

  /** What a request is that others wait before. */
  private queuedFlags(): number {
    this.hasPipelined = true;
    return this.queue.blocking > 0 ? Flag.pipelined | Flag.behindBlocking : Flag.pipelined;
  }

  /** A request is being read. */
  get isRequesting(): boolean {
    return this.draft.entry !== NIL;
  }

  /** The connection is over: of the request being read no more will come. */
  leaveUnfinished(reason: UnansweredReason): void {
    if (this.isRequesting) this.service.unfinished(reason);
    this.requestVoid();
  }

  /** Bytes came that are not the protocol's. */
  countParserError(reason: string): void {
    this.service.parserError(reason);
  }

  countResync(): void {
    this.service.resynced();
  }

  /** The request being read went on in bytes that are missing: `flag` says why. */
  markDraft(flag: number): void {
    this.draft.addFlags(flag);
  }

  /** The last request, whose end could not be seen, went on until `timeUs`. */
  extendLast(timeUs: number): void {
    const last = this.queue.last;
    if (last === NIL) return;
    const at = last * TIMES + Time.end;
    if (timeUs > this.pool.times[at]!) this.pool.times[at] = timeUs;
  }

  /** Bytes [from, to) of the client's stream were sent again. */
  markRetransmitted(from: number, to: number, resent: Resent): void {
    this.resent().retransmitted(from, to, resent, this.draft.entry);
  }

  /** The client's bytes from this place on had arrived when they were sent again last. */
  unmarkRetransmitted(from: number, isAnswerLost: boolean): void {
    this.resends?.sentForNothing(from, isAnswerLost);
  }
}
