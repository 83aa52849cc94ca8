import { NO_ERROR, type Protocol, type TransactionClass } from "../protocols/protocol.ts";
import type { Behind } from "./ahead.ts";
import type { Details } from "./details.ts";
import type { Origin } from "./origin.ts";
import { EXPIRED, OPTIONAL, type PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import { Resend } from "./resend.ts";
import {
  type Endpoint,
  Flag,
  type ServerRef,
  type Side,
  TEXT_CAPACITY,
  type Transaction,
  type UnansweredReason,
} from "./transaction.ts";

/**
 * The one transaction record that every finished transaction is told with. What only a printed one needs is looked up when
 * it is asked for: most transactions are counted and never printed.
 */
export class TransactionRecord implements Transaction {
  /** Null before the first is spoken of. */
  private origin: Origin | null = null;
  private readonly pool: PendingPool;
  private entry = 0;
  /** `Word.retransmissions` of its entry: asked for several times of each, and hardly ever set. */
  private resentWord = 0;
  class: TransactionClass = 0;
  commandId = 0;
  errorId: number = NO_ERROR;
  flags = 0;
  unanswered: UnansweredReason | "" = "";
  startUs = 0.5;
  endUs = 0.5;
  latencyUs = 0.5;
  sendUs = 0.5;
  waitUs = 0.5;
  receiveUs = 0.5;
  queueUs = 0.5;
  waitedUs = 0.5;
  responseBytes = 0.5;
  /** The place in the server's stream where the response began; NaN where that was not seen. */
  responseOffset = 0.5;
  behind: Behind | null = null;
  /** `Path.closedUs` at its end. */
  closedUs = 0;

  constructor(pool: PendingPool) {
    this.pool = pool;
  }

  /** Speaks of this request of this connection, from now on until the next call. */
  // Runs for every response.
  fill(origin: Origin, entry: number): void {
    const { times, words } = this.pool;
    const word = entry * WORDS;
    this.origin = origin;
    this.entry = entry;
    this.behind = null;
    this.startUs = times[entry * TIMES + Time.start]!;
    this.class = (words[word + Word.class]! & ~EXPIRED) as TransactionClass;
    this.commandId = words[word + Word.commandId]!;
    this.flags = words[word + Word.flags]! & ~OPTIONAL;
    this.resentWord = words[word + Word.retransmissions]!;
  }

  /** What is known of its segments sent again has changed. */
  reread(): void {
    this.resentWord = this.wordAt(Word.retransmissions);
  }

  get protocol(): Protocol {
    return this.of.protocol;
  }

  get connectionId(): number {
    return this.of.connectionId;
  }

  get client(): Endpoint {
    return this.of.client;
  }

  get serverEndpoint(): Endpoint {
    return this.of.serverEndpoint;
  }

  get server(): ServerRef {
    return this.of.server;
  }

  get side(): Side {
    return this.of.side;
  }

  get requestNumber(): number {
    return this.timeAt(Time.number);
  }

  get requestBytes(): number {
    return this.timeAt(Time.endOffset) - this.timeAt(Time.startOffset);
  }

  get retransmissions(): number {
    return this.resentWord & Resend.count;
  }

  get resends(): number {
    return this.resentWord & ~Resend.count;
  }

  get resentRequestUs(): number {
    return this.timeAt(Time.resentRequest);
  }

  get resentResponseUs(): number {
    return this.timeAt(Time.resentResponse);
  }

  get zeroWindowUs(): number {
    return Math.max(0, Math.min(this.closedUs - this.timeAt(Time.closed), this.latencyUs));
  }

  get toServerUs(): number {
    return this.of.toServerUs;
  }

  get rttUs(): number | null {
    const us = this.of.path.roundTripUs(this.side);
    return us < 0 ? null : us;
  }

  get requestSequence(): number {
    return this.of.clientPlace.sequenceAt(this.timeAt(Time.startOffset));
  }

  get responseSequence(): number | null {
    if (this.unanswered !== "" || Number.isNaN(this.responseOffset)) return null;
    return this.of.serverPlace.sequenceAt(this.responseOffset);
  }

  get details(): Details | null {
    return this.pool.details?.get(this.entry) ?? null;
  }

  get text(): Uint8Array {
    return this.pool.text;
  }

  get textStart(): number {
    return this.entry * TEXT_CAPACITY;
  }

  get textEnd(): number {
    return this.textStart + (this.wordAt(Word.text) & 0xff);
  }

  get keyStart(): number {
    return this.textStart + ((this.wordAt(Word.text) >>> 8) & 0xff);
  }

  get keyEnd(): number {
    return this.textStart + ((this.wordAt(Word.text) >>> 16) & 0xff);
  }

  private get of(): Origin {
    if (this.origin === null) throw new Error("the record speaks of no transaction yet");
    return this.origin;
  }

  private timeAt(field: number): number {
    return this.pool.times[this.entry * TIMES + field]!;
  }

  private wordAt(field: number): number {
    return this.pool.words[this.entry * WORDS + field]!;
  }

  /**
   * latency = send + wait + receive, none below 0; queue is the part of wait until the response before it ended, at
   * `previousEndUs` (README, The JSON record). All times in µs since the epoch.
   */
  // Runs for every response.
  time(requestEndUs: number, responseStartUs: number, responseEndUs: number, previousEndUs: number): void {
    const startUs = this.startUs;
    if (responseStartUs < startUs) this.flags |= Flag.clockSkew;
    const latencyUs = responseEndUs > startUs ? responseEndUs - startUs : 0;
    // A server may answer before the request has ended (an early error): then nothing was waited for.
    const sendUs = Math.min(requestEndUs - startUs, latencyUs);
    const waitUs = Math.min(Math.max(0, responseStartUs - requestEndUs), latencyUs - sendUs);
    this.endUs = responseEndUs;
    this.latencyUs = latencyUs;
    this.sendUs = sendUs;
    this.waitUs = waitUs;
    this.receiveUs = latencyUs - sendUs - waitUs;
    this.queueUs = Math.min(Math.max(0, previousEndUs - requestEndUs), waitUs);
    this.waitedUs = 0;
  }

  /** There was no response when it was given up, at `nowUs`. */
  timeUnanswered(nowUs: number): void {
    this.endUs = this.latencyUs = this.sendUs = this.waitUs = this.receiveUs = this.queueUs = Number.NaN;
    this.waitedUs = Math.max(0, nowUs - this.startUs);
    this.responseBytes = 0;
  }
}
