import { MAY_BE_ACKS } from "../connection/numbering.ts";
import { shortestUs } from "../connection/round-trip.ts";
import { NO_ERROR, TransactionClass } from "../protocols/protocol.ts";
import { Ahead, type Behind, LEAST_US } from "./ahead.ts";
import type { Here } from "./here.ts";
import type { Origin } from "./origin.ts";
import type { PairingContext } from "./pairing-context.ts";
import { NIL, type PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import type { PendingQueue } from "./pending-queue.ts";
import type { TransactionRecord } from "./record.ts";
import { Resend, SHORTEST_TIMEOUT_US, TIMEOUT_US } from "./resend.ts";
import type { ResponseDraft } from "./response-draft.ts";
import { Shares, serverShareUs } from "./shares.ts";
import { Flag, type ServiceSink, type UnansweredReason } from "./transaction.ts";

/** The longest that senders wait for an acknowledgement before they send again for the first time (Windows), beside the round trip. */
const LONGEST_TIMEOUT_US = 300_000;

/** Reused: what is told of one transaction is used before the next. */
const SHARES = new Shares();

/** Tells what became of one connection's requests, with all that explains it. Entries are released by the caller. */
export class Teller {
  /** Longest wait for a response on this connection, in µs; blocking commands apart. */
  longestWaitUs = 0.5;
  private origin: Origin;
  private queue: PendingQueue;
  private readonly pool: PendingPool;
  private service: ServiceSink;
  private readonly record: TransactionRecord;
  private readonly wantsBehind: boolean;
  /** When the response before ended. */
  private previousEndUs = Number.NEGATIVE_INFINITY;
  private ahead: Ahead | null = null;

  constructor(context: PairingContext, origin: Origin, queue: PendingQueue, service: ServiceSink) {
    this.origin = origin;
    this.queue = queue;
    this.pool = context.pool;
    this.service = service;
    this.record = context.record;
    this.wantsBehind = context.wantsText;
    this.longestWaitUs = 0;
  }

  /** Tells of this connection's requests from now on. */
  serve(origin: Origin, queue: PendingQueue, service: ServiceSink): void {
    this.origin = origin;
    this.queue = queue;
    this.service = service;
    this.previousEndUs = Number.NEGATIVE_INFINITY;
    this.ahead = null;
  }

  /** No request waits that was sent before the last response ended: those have told all that they are to tell of others. */
  get isPreviousOver(): boolean {
    const { head } = this.queue;
    return head === NIL || this.pool.times[head * TIMES + Time.end]! >= this.previousEndUs;
  }

  /** Its whole response, bytes[at, end) of what is being pushed, has come, without error. */
  // Runs for every response.
  answeredWhole(entry: number, here: Here, at: number, end: number): void {
    if (this.isOnlyCounted(entry, here)) {
      this.count(entry, here, end - at);
      return;
    }
    const record = this.record;
    record.fill(this.origin, entry);
    record.errorId = NO_ERROR;
    record.unanswered = "";
    record.flags |= here.flags;
    record.responseBytes = end - at;
    record.responseOffset = here.base + at;
    record.closedUs = here.closedUs;
    // As `record.time`, of one moment; written out, since doubles that are passed on are allocated (13 ns a transaction).
    const { startUs } = record;
    const nowUs = here.timeUs;
    const requestEndUs = this.pool.times[entry * TIMES + Time.end]!;
    if (nowUs < startUs) record.flags |= Flag.clockSkew;
    const latencyUs = nowUs > startUs ? nowUs - startUs : 0;
    const sentUs = requestEndUs - startUs;
    const sendUs = Math.min(sentUs, latencyUs);
    const waitUs = latencyUs - sendUs;
    // Others alone can be waited for; and a clock that was set back makes their ends late.
    const aheadUs = (record.flags & Flag.pipelined) === 0 ? 0 : this.previousEndUs - requestEndUs;
    record.endUs = nowUs;
    record.latencyUs = latencyUs;
    record.sendUs = sendUs;
    record.waitUs = waitUs;
    record.receiveUs = 0;
    record.queueUs = aheadUs <= 0 ? 0 : Math.min(aheadUs, waitUs);
    record.waitedUs = 0;
    this.tell(record, entry, here.missingPackets);
  }

  /**
   * Whether a whole response that is here now is what nearly all are: soon, to a request in one piece, nothing sent again, nothing else to
   * be told of it. The record and its split times cost three times as much as counting it (test/bench, stages).
   */
  // Runs for every response.
  isOnlyCounted(entry: number, here: Here): boolean {
    const { times, words } = this.pool;
    const time = entry * TIMES;
    const word = entry * WORDS;
    const startUs = times[time + Time.start]!;
    const latencyUs = here.timeUs - startUs;
    if (!(latencyUs >= 0 && latencyUs < this.service.toldFromUs) || times[time + Time.end] !== startUs) return false;
    if (words[word + Word.class] !== TransactionClass.normal || words[word + Word.retransmissions] !== 0) return false;
    if (here.missingPackets > 0) return false;
    const waitUs = latencyUs | 0;
    const mayBeBehind = this.wantsBehind && this.queue.count > 0;
    if (!mayBeBehind && waitUs < this.service.notedFromUs) return true;
    const queueUs = this.queuedUs(entry, waitUs);
    if (waitUs - queueUs >= this.service.notedFromUs) return false;
    // Those behind may have waited for this one.
    return !mayBeBehind || serverShareUs(waitUs, queueUs, this.origin.toServerUs) < LEAST_US;
  }

  /** Counts one of which that is true. */
  // Runs for every response.
  private count(entry: number, here: Here, bytes: number): void {
    const startUs = this.pool.times[entry * TIMES + Time.start]!;
    const waitUs = (here.timeUs - startUs) | 0;
    const queueUs = this.queuedUs(entry, waitUs);
    if (waitUs > this.longestWaitUs) this.longestWaitUs = waitUs;
    if (here.timeUs > this.previousEndUs) this.previousEndUs = here.timeUs;
    const commandId = this.pool.words[entry * WORDS + Word.commandId]!;
    this.service.answeredSoon(commandId, bytes, waitUs, queueUs, this.origin.toServerUs, 1);
  }

  /** The same for so many that are alike, answered together in so many bytes: all but the first have waited for those before. */
  countTogether(entry: number, here: Here, bytes: number, count: number): void {
    this.count(entry, here, bytes);
    const waitUs = (here.timeUs - this.pool.times[entry * TIMES + Time.start]!) | 0;
    const commandId = this.pool.words[entry * WORDS + Word.commandId]!;
    const queueUs = this.queuedUs(entry, waitUs);
    this.service.answeredSoon(commandId, 0, waitUs, queueUs, this.origin.toServerUs, count - 1);
  }

  /** How much of its wait this one, in one piece, waited for those before: as in `answeredWhole`. */
  // Runs for every response.
  private queuedUs(entry: number, waitUs: number): number {
    if ((this.pool.words[entry * WORDS + Word.flags]! & Flag.pipelined) === 0) return 0;
    const aheadUs = this.previousEndUs - this.pool.times[entry * TIMES + Time.start]!;
    return aheadUs <= 0 ? 0 : Math.min(aheadUs, waitUs) | 0;
  }

  /** `response` is complete; `errorId` and its length, `bytes`, are its message's. */
  // Runs for every response.
  answered(entry: number, response: ResponseDraft, bytes: number, errorId: number): void {
    const record = this.record;
    record.fill(this.origin, entry);
    record.errorId = errorId;
    record.unanswered = "";
    record.flags |= response.flags;
    record.responseBytes = bytes;
    record.responseOffset = response.offset;
    record.closedUs = response.closedUs;
    const requestEndUs = this.pool.times[entry * TIMES + Time.end]!;
    const isPipelined = (record.flags & Flag.pipelined) !== 0;
    record.time(
      requestEndUs,
      response.startUs,
      response.endUs,
      isPipelined ? this.previousEndUs : Number.NEGATIVE_INFINITY,
    );
    this.tell(record, entry, response.missingPackets);
  }

  /** The first of `response` has come, and more will: whom the server answered meanwhile may have waited for it. */
  begun(entry: number, response: ResponseDraft): void {
    if (!this.wantsBehind || response.missingPackets > 0) return;
    const record = this.record;
    record.fill(this.origin, entry);
    // Of one that was sent again it is known only at its end how long the server took.
    if (record.resends !== 0) return;
    record.unanswered = "";
    record.flags |= response.flags;
    const isPipelined = (record.flags & Flag.pipelined) !== 0;
    record.time(
      this.pool.times[entry * TIMES + Time.end]!,
      response.startUs,
      response.endUs,
      isPipelined ? this.previousEndUs : Number.NEGATIVE_INFINITY,
    );
    this.service.begun(record);
  }

  unanswered(entry: number, reason: UnansweredReason, nowUs: number): void {
    const record = this.record;
    record.fill(this.origin, entry);
    record.errorId = NO_ERROR;
    record.unanswered = reason;
    record.timeUnanswered(nowUs);
    this.service.unanswered(record);
  }

  // Runs for every response.
  private tell(record: TransactionRecord, entry: number, missingPackets: number): void {
    if (record.waitUs > this.longestWaitUs && record.class !== TransactionClass.blocking) {
      this.longestWaitUs = record.waitUs;
    }
    if (record.resends !== 0) this.dropNeedless(record, entry);
    if (missingPackets > 0 && record.waitUs >= TIMEOUT_US) this.chargeMissing(record, entry, missingPackets);
    if (this.wantsBehind && (record.queueUs > 0 || this.queue.count > 0)) this.noteQueue(record);
    if (record.endUs > this.previousEndUs) this.previousEndUs = record.endUs;
    this.service.answered(record);
  }

  /**
   * Who waited for whom: this one for those before it, those behind for this one. Those wait from when the server turned to this one
   * until its response has ended; what it lost on the way there was lost by them as well.
   */
  private noteQueue(record: TransactionRecord): void {
    const { queue, server } = SHARES.split(record);
    const servedUs = record.startUs + record.sendUs + record.waitUs - server;
    if (queue >= LEAST_US) record.behind = this.longestAhead(servedUs - queue, queue);
    if (this.queue.count === 0 || record.endUs - servedUs < LEAST_US) return;
    this.ahead ??= new Ahead();
    this.ahead.note(servedUs, record.endUs, record.requestNumber, record.commandId);
  }

  /** The request waited for most since `sinceUs`, for `queueUs` in all. The end of a response may come after the next one, out of order. */
  private longestAhead(sinceUs: number, queueUs: number): Behind | null {
    const behind = this.ahead?.longest(this.origin.connectionId, sinceUs) ?? null;
    return behind === null || behind.us <= queueUs ? behind : { ...behind, us: queueUs };
  }

  /** A response that came sooner than it can be an answer to what was sent again is one to what was sent before. */
  private dropNeedless(record: TransactionRecord, entry: number): void {
    const sinceUs = record.waitUs - record.resentRequestUs;
    if ((record.resends & Resend.request) === 0 || sinceUs < 0) return;
    if (sinceUs >= shortestUs(record.toServerUs)) return;
    const timedOutUs = record.resentRequestUs;
    this.queue.forgetRequest(entry);
    record.reread();
    // Nobody had acknowledged it for so long: the response was lost, and sent again.
    const timeoutUs = Math.min(SHORTEST_TIMEOUT_US, timedOutUs) + record.toServerUs;
    const lostUs = Math.min(record.waitUs - record.toServerUs, timeoutUs);
    if (timedOutUs < TIMEOUT_US) return;
    this.queue.charge(entry, Time.resentResponse, lostUs, false, 0);
    record.reread();
  }

  /**
   * A response came after the sender's shortest time-out, and packets are missing before it: they were copies of it. Each
   * time-out is twice as long as the one before (RFC 6298 §5.5). Where the request's acknowledgement was not seen, and the client
   * did without sending again, that was what is missing: left out by a filter, or dropped by the capture.
   */
  private chargeMissing(record: TransactionRecord, entry: number, missingPackets: number): void {
    if (this.origin.arrivesHere(true)) return;
    const roundTripUs = Math.max(0, this.origin.path.toServer.us);
    const mayBeAcks = (missingPackets & MAY_BE_ACKS) !== 0 && record.retransmissions === 0;
    if (mayBeAcks && record.waitUs > LONGEST_TIMEOUT_US + roundTripUs) return;
    const packets = missingPackets & ~MAY_BE_ACKS;
    const timeoutsUs = (2 ** packets - 1) * (SHORTEST_TIMEOUT_US + roundTripUs);
    const leftUs = record.waitUs - roundTripUs - record.resentRequestUs;
    if (leftUs < TIMEOUT_US) return;
    const lostUs = Math.min(leftUs, timeoutsUs);
    // One that was seen to be late is counted already.
    const segments = record.resentResponseUs > 0 ? packets - 1 : packets;
    this.queue.charge(entry, Time.resentResponse, lostUs, false, segments);
    record.reread();
    record.flags |= Flag.retransmission;
  }
}
