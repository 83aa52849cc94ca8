import type { Connection } from "../connection/connection.ts";
import type { Server } from "../connection/servers.ts";
import {
  type Exchange,
  NO_ERROR,
  NO_REPLY,
  NONE_PENDING,
  type Protocol,
  TransactionClass,
} from "../protocols/protocol.ts";
import { NIL, type PendingPool } from "./pending.ts";
import type { TransactionRecord } from "./record.ts";
import {
  type Endpoint,
  Flag,
  type ServiceSink,
  TEXT_CAPACITY,
  type TransactionSink,
  type UnansweredReason,
  type UnmatchedReason,
} from "./transaction.ts";

/** Requests of one connection that may wait at once; beyond, what follows is treated as lost. */
export const MAX_PENDING_PER_CONNECTION = 1 << 16;

const BLANK = 0x20;
const REDACTED = new TextEncoder().encode("(redacted)");

/** What all pairings of a run share. */
export interface PairingContext {
  readonly pool: PendingPool;
  readonly sink: TransactionSink;
  readonly record: TransactionRecord;
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
}

/**
 * Pairs the messages of one connection: requests wait in a queue, first in, first out, and each response goes to the
 * oldest. It knows times and places; what a message means, its session says.
 */
export class Pairing implements Exchange {
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  readonly server: Server;
  pendingCount = 0;
  /** Requests that were told to the sink as requested and not yet as anything else. */
  unreported = 0;
  /** No room is left for another request: the client's bytes cannot be followed any more. */
  isOverfull = false;
  /** Responses that found no request since this was last cleared. */
  unmatchedSinceAligned = 0;
  /** Why an unmatched response would be one: a request may have been lost, or none was sent. */
  unmatchedReason: UnmatchedReason = "no_request";
  /** Longest wait for a response on this connection, in µs; blocking commands apart. */
  longestWaitUs = 0.5;
  /** Bytes that were never captured are being passed: when a message ends with them, nobody knows when. */
  isInGap = false;
  /** A response has begun and is not complete. */
  isResponding = false;
  /** The request being read, or NIL. */
  draft = NIL;

  // Where the bytes being pushed stand.
  #timeUs = 0.5;
  #startIndex = 0;
  #offset = 0.5;
  #flags = 0;

  readonly #pool: PendingPool;
  readonly #service: ServiceSink;
  readonly #record: TransactionRecord;
  readonly #protocol: Protocol;
  readonly #connection: Connection;
  readonly #client: Endpoint;
  readonly #serverEndpoint: Endpoint;
  readonly #baseFlags: number;
  #head = NIL;
  #tail = NIL;
  #blocking = 0;
  #lastNumber = 0.5;
  #textLength = 0;
  #isKeyOpen = false;
  #hasKey = false;
  #responseStartUs = 0.5;
  #responseEndUs = 0.5;
  #responseOffset = 0.5;
  #responseFlags = 0;
  /** A part of the oldest request's response has come: its start and bytes stay. */
  #isPartial = false;
  #previousEndUs = Number.NEGATIVE_INFINITY;

  constructor(context: PairingContext, connection: Connection, server: Server, protocol: Protocol) {
    this.wantsText = context.wantsText;
    this.wantsValues = context.wantsValues;
    this.#pool = context.pool;
    this.#service = context.sink.service(server, protocol);
    this.#record = context.record;
    this.#protocol = protocol;
    this.#connection = connection;
    this.server = server;
    this.#client = { text: connection.clientText };
    this.#serverEndpoint = { text: connection.serverText };
    this.#baseFlags = connection.hasHandshake ? 0 : Flag.midstream;
    this.#lastNumber = 0;
  }

  /**
   * Bytes of the client (or server) follow: the byte with index `startIndex` stands at `offset` in its stream.
   * `flags` are added to the message that they belong to.
   */
  // Runs for every segment with payload.
  enterRequests(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.#enter(timeUs, startIndex, offset, flags);
    const draft = this.draft;
    if (draft !== NIL) {
      const pool = this.#pool;
      if (timeUs > pool.endUs[draft]!) pool.endUs[draft] = timeUs;
      pool.flags[draft] = pool.flags[draft]! | flags;
    }
  }

  // Runs for every segment with payload.
  enterResponses(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.#enter(timeUs, startIndex, offset, flags);
    if (this.isResponding || this.#isPartial) {
      if (timeUs > this.#responseEndUs) this.#responseEndUs = timeUs;
      this.#responseFlags |= flags;
    }
  }

  #enter(timeUs: number, startIndex: number, offset: number, flags: number): void {
    this.#timeUs = timeUs;
    this.#startIndex = startIndex;
    this.#offset = offset;
    this.#flags = flags;
  }

  // ---- Exchange: the client's side ----

  // Runs for every request.
  requestBegins(at: number): void {
    const pool = this.#pool;
    if (this.pendingCount >= MAX_PENDING_PER_CONNECTION) {
      this.isOverfull = true;
      return;
    }
    const draft = pool.allocate();
    this.draft = draft;
    if (draft === NIL) {
      this.isOverfull = true;
      return;
    }
    pool.startUs[draft] = this.#timeUs;
    pool.endUs[draft] = this.#timeUs;
    pool.startOffset[draft] = this.#offset + (at - this.#startIndex);
    pool.flags[draft] = this.#baseFlags | this.#flags | (this.pendingCount > 0 ? Flag.pipelined : 0);
    pool.retransmissions[draft] = 0;
    pool.isExpired[draft] = 0;
    pool.keyStart[draft] = 0;
    pool.keyEnd[draft] = 0;
    this.#textLength = 0;
    this.#isKeyOpen = false;
    this.#hasKey = false;
  }

  word(isKey: boolean): void {
    const draft = this.draft;
    if (draft === NIL) return;
    this.#closeKey(draft);
    if (this.#textLength > 0 && this.#textLength < TEXT_CAPACITY) {
      this.#pool.text[draft * TEXT_CAPACITY + this.#textLength++] = BLANK;
    }
    if (isKey && !this.#hasKey) {
      this.#hasKey = true;
      this.#isKeyOpen = true;
      this.#pool.keyStart[draft] = this.#textLength;
    }
  }

  // Runs for every request, when something prints them.
  text(bytes: Uint8Array, start: number, end: number): void {
    const draft = this.draft;
    if (draft === NIL) return;
    const target = this.#pool.text;
    let length = this.#textLength;
    const room = TEXT_CAPACITY - length;
    const stop = end - start > room ? start + room : end;
    let to = draft * TEXT_CAPACITY + length;
    for (let from = start; from < stop; from++) target[to++] = bytes[from]!;
    length += stop - start;
    this.#textLength = length;
  }

  redacted(): void {
    this.word(false);
    this.text(REDACTED, 0, REDACTED.length);
  }

  textCut(): void {
    if (this.draft !== NIL) this.#pool.flags[this.draft] = this.#pool.flags[this.draft]! | Flag.truncated;
  }

  // Runs for every request.
  requestEnds(at: number, commandId: number, transactionClass: TransactionClass, replyKind: number, id: number): void {
    const draft = this.draft;
    if (draft === NIL) return;
    this.draft = NIL;
    const pool = this.#pool;
    this.#closeKey(draft);
    pool.textLength[draft] = this.#textLength;
    pool.endOffset[draft] = this.#offset + (at - this.#startIndex);
    pool.requestNumber[draft] = ++this.#lastNumber;
    pool.commandId[draft] = commandId;
    pool.transactionClass[draft] = transactionClass;
    const hasReply = replyKind !== NO_REPLY;
    this.#service.requested(commandId, pool.endOffset[draft]! - pool.startOffset[draft]!, hasReply);
    if (!hasReply) {
      pool.release(draft);
      return;
    }
    pool.replyKind[draft] = replyKind;
    pool.id[draft] = id;
    if (this.#blocking > 0) pool.flags[draft] = pool.flags[draft]! | Flag.behindBlocking;
    if (transactionClass === TransactionClass.blocking) this.#blocking++;
    if (this.#head === NIL) this.#head = draft;
    else pool.next[this.#tail] = draft;
    this.#tail = draft;
    this.pendingCount++;
    this.unreported++;
  }

  requestVoid(): void {
    if (this.draft === NIL) return;
    this.#pool.release(this.draft);
    this.draft = NIL;
  }

  #closeKey(draft: number): void {
    if (!this.#isKeyOpen) return;
    this.#isKeyOpen = false;
    this.#pool.keyEnd[draft] = this.#textLength;
  }

  // ---- Exchange: the server's side ----

  replyKindAt(position: number): number {
    const entry = this.#entryAt(position);
    return entry === NIL ? NONE_PENDING : this.#pool.replyKind[entry]!;
  }

  idAt(position: number): number {
    const entry = this.#entryAt(position);
    return entry === NIL ? 0 : this.#pool.id[entry]!;
  }

  #entryAt(position: number): number {
    let entry = this.#head;
    for (let i = position; i > 0 && entry !== NIL; i--) entry = this.#pool.next[entry]!;
    return entry;
  }

  setReplyKind(replyKind: number): void {
    if (this.#head !== NIL) this.#pool.replyKind[this.#head] = replyKind;
  }

  // Runs for every response.
  responseBegins(at: number): void {
    this.isResponding = true;
    if (this.#isPartial) return;
    this.#responseStartUs = this.#timeUs;
    this.#responseEndUs = this.#timeUs;
    this.#responseOffset = this.#offset + (at - this.#startIndex);
    this.#responseFlags = this.#flags;
  }

  // Runs for every response.
  answer(at: number, errorId: number): void {
    const bytes = this.#offset + (at - this.#startIndex) - this.#responseOffset;
    this.isResponding = false;
    this.#isPartial = false;
    if (this.#head === NIL) this.#unmatched(this.unmatchedReason, bytes);
    else if (this.isInGap) this.#giveUpHead("gap", this.#timeUs);
    else this.#answerHead(bytes, errorId);
  }

  /** Ends the oldest request with the response that began and went on as noted: all but its end is known. */
  // Runs for every response.
  #answerHead(responseBytes: number, errorId: number): void {
    const pool = this.#pool;
    const head = this.#head;
    if (pool.isExpired[head] === 1) {
      this.#unlinkHead();
      pool.release(head);
      this.#service.unmatched("late", responseBytes);
      return;
    }
    const record = this.#record;
    const startUs = pool.startUs[head]!;
    const requestEndUs = pool.endUs[head]!;
    const endUs = this.#responseEndUs;
    this.#fill(head);
    record.errorId = errorId;
    record.unanswered = "";
    record.flags |= this.#responseFlags;
    record.endUs = endUs;
    record.responseBytes = responseBytes;
    record.waitedUs = 0;
    if (endUs < startUs || this.#responseStartUs < startUs) record.flags |= Flag.clockSkew;
    const latencyUs = endUs > startUs ? endUs - startUs : 0;
    // A server may answer before the request has ended (an early error): then nothing was waited for.
    const sendUs = Math.min(requestEndUs - startUs, latencyUs);
    const gapUs = this.#responseStartUs - requestEndUs;
    const rest = latencyUs - sendUs;
    const waitUs = gapUs <= 0 ? 0 : Math.min(gapUs, rest);
    const queuedUs = this.#previousEndUs - requestEndUs;
    record.latencyUs = latencyUs;
    record.sendUs = sendUs;
    record.waitUs = waitUs;
    record.receiveUs = rest - waitUs;
    record.queueUs = queuedUs <= 0 ? 0 : Math.min(queuedUs, waitUs);
    if (endUs > this.#previousEndUs) this.#previousEndUs = endUs;
    if (waitUs > this.longestWaitUs && record.class !== TransactionClass.blocking) this.longestWaitUs = waitUs;
    this.unreported--;
    this.#unlinkHead();
    this.#service.answered(record);
    pool.release(head);
  }

  partialAnswer(_at: number): void {
    this.isResponding = false;
    this.#isPartial = this.#head !== NIL;
  }

  push(at: number): void {
    const bytes = this.#offset + (at - this.#startIndex) - this.#responseOffset;
    this.isResponding = false;
    this.#service.pushed(bytes);
  }

  orphan(at: number): void {
    this.isResponding = false;
    this.#service.unmatched("noreply", this.#offset + (at - this.#startIndex) - this.#responseOffset);
  }

  settleSilently(): void {
    const head = this.#head;
    if (head === NIL) return;
    const isExpired = this.#pool.isExpired[head] === 1;
    this.#unlinkHead();
    this.#pool.release(head);
    if (isExpired) return;
    this.unreported--;
    this.#service.settledSilently();
  }

  lookups(hits: number, misses: number): void {
    this.#service.lookups(hits, misses);
  }

  // ---- what the conversation decides ----

  /** Bytes came that are not the protocol's. */
  countParserError(reason: string): void {
    this.#service.parserError(reason);
  }

  countResync(): void {
    this.#service.resynced();
  }

  /** The request being read went on in bytes that are missing: `flag` says why. */
  markDraft(flag: number): void {
    if (this.draft !== NIL) this.#pool.flags[this.draft] = this.#pool.flags[this.draft]! | flag;
  }

  /** The response being read has a hole: `flag` says why. */
  markResponse(flag: number): void {
    if (this.isResponding || this.#isPartial) this.#responseFlags |= flag;
  }

  /** Drops the response being read. */
  abandonResponse(): void {
    this.isResponding = false;
    this.#isPartial = false;
  }

  /** Ends the only pending request with the response being read, whose last byte came at `endUs`. */
  answerCut(endUs: number, offset: number): void {
    if (endUs > this.#responseEndUs) this.#responseEndUs = endUs;
    this.isResponding = false;
    this.#isPartial = false;
    this.#answerHead(offset - this.#responseOffset, NO_ERROR);
  }

  /** Ends all pending requests with responses that stand, unseen, in a segment of this time. */
  answerAllAt(timeUs: number, flag: number): void {
    while (this.#head !== NIL) {
      if (!this.isResponding) {
        this.#responseStartUs = timeUs;
        this.#responseFlags = flag;
        this.#responseOffset = 0;
      }
      this.#responseEndUs = timeUs;
      this.isResponding = false;
      this.#answerHead(0, NO_ERROR);
    }
    this.#isPartial = false;
  }

  /** The last request, whose end could not be seen, went on until `timeUs`. */
  extendLast(timeUs: number): void {
    const tail = this.#tail;
    if (tail !== NIL && timeUs > this.#pool.endUs[tail]!) this.#pool.endUs[tail] = timeUs;
  }

  /** Marks requests whose bytes [from, to) of the client's stream were sent again. */
  markRetransmitted(from: number, to: number): void {
    const pool = this.#pool;
    for (let entry = this.#head; entry !== NIL; entry = pool.next[entry]!) {
      if (pool.startOffset[entry]! >= to) break;
      if (pool.endOffset[entry]! > from) this.#countRetransmission(entry);
    }
    if (this.draft !== NIL) this.#countRetransmission(this.draft);
  }

  /** Bytes of the response being read were sent again. */
  markResponseRetransmitted(from: number): void {
    if (this.#head !== NIL && (this.isResponding || this.#isPartial) && from >= this.#responseOffset)
      this.#countRetransmission(this.#head);
  }

  #countRetransmission(entry: number): void {
    this.#pool.flags[entry] = this.#pool.flags[entry]! | Flag.retransmission;
    this.#pool.retransmissions[entry] = this.#pool.retransmissions[entry]! + 1;
  }

  /** Reports requests that began before `beforeUs`; they keep their place. Blocking ones wait on purpose. */
  expire(beforeUs: number, nowUs: number): void {
    const pool = this.#pool;
    for (let entry = this.#head; entry !== NIL; entry = pool.next[entry]!) {
      if (pool.startUs[entry]! >= beforeUs) break;
      const transactionClass = pool.transactionClass[entry]!;
      if (pool.isExpired[entry] === 1 || transactionClass === TransactionClass.blocking) continue;
      pool.isExpired[entry] = 1;
      this.#reportUnanswered(entry, "timeout", nowUs);
    }
  }

  /** Ends every pending request without a response. */
  giveUpAll(reason: UnansweredReason, nowUs: number): void {
    while (this.#head !== NIL) this.#giveUpHead(reason, nowUs);
    this.abandonResponse();
  }

  #giveUpHead(reason: UnansweredReason, nowUs: number): void {
    const head = this.#head;
    this.#unlinkHead();
    if (this.#pool.isExpired[head] === 0) this.#reportUnanswered(head, reason, nowUs);
    this.#pool.release(head);
  }

  #reportUnanswered(entry: number, reason: UnansweredReason, nowUs: number): void {
    const record = this.#record;
    this.#fill(entry);
    record.errorId = NO_ERROR;
    record.unanswered = reason;
    record.endUs = record.latencyUs = record.sendUs = record.waitUs = record.receiveUs = record.queueUs = Number.NaN;
    record.waitedUs = Math.max(0, nowUs - record.startUs);
    record.responseBytes = 0;
    this.unreported--;
    this.#service.unanswered(record);
  }

  #unlinkHead(): void {
    const head = this.#head;
    if (this.#pool.transactionClass[head] === TransactionClass.blocking) this.#blocking--;
    this.#head = this.#pool.next[head]!;
    if (this.#head === NIL) this.#tail = NIL;
    this.pendingCount--;
  }

  #unmatched(reason: UnmatchedReason, bytes: number): void {
    this.unmatchedSinceAligned++;
    this.#service.unmatched(reason, bytes);
  }

  // Runs for every response.
  #fill(entry: number): void {
    const pool = this.#pool;
    const record = this.#record;
    const textStart = entry * TEXT_CAPACITY;
    record.protocol = this.#protocol;
    record.connectionId = this.#connection.id;
    record.requestNumber = pool.requestNumber[entry]!;
    record.client = this.#client;
    record.serverEndpoint = this.#serverEndpoint;
    record.server = this.server;
    record.side = this.#connection.side;
    record.class = pool.transactionClass[entry] as TransactionClass;
    record.commandId = pool.commandId[entry]!;
    record.flags = pool.flags[entry]!;
    record.startUs = pool.startUs[entry]!;
    record.requestBytes = pool.endOffset[entry]! - pool.startOffset[entry]!;
    record.retransmissions = pool.retransmissions[entry]!;
    record.text = pool.text;
    record.textStart = textStart;
    record.textEnd = textStart + pool.textLength[entry]!;
    record.keyStart = textStart + pool.keyStart[entry]!;
    record.keyEnd = textStart + pool.keyEnd[entry]!;
  }
}
