import { NO_ERROR, type Protocol, type TransactionClass } from "../protocols/protocol.ts";
import type { Origin } from "./origin.ts";
import { EXPIRED, type PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import {
  type Endpoint,
  Flag,
  type ServerRef,
  type Side,
  TEXT_CAPACITY,
  type Transaction,
  type UnansweredReason,
} from "./transaction.ts";

/** The one transaction record that every finished transaction is told with. */
export class TransactionRecord implements Transaction {
  /** Whose connection the fields down to `side` speak of. */
  #origin: Origin | null = null;
  protocol: Protocol;
  connectionId = 0;
  requestNumber = 0.5;
  client: Endpoint = { text: "" };
  serverEndpoint: Endpoint = { text: "" };
  server: ServerRef = { id: 0, text: "" };
  side: Side = "transit";
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
  requestBytes = 0.5;
  responseBytes = 0.5;
  retransmissions = 0;
  /** Places in the connection's streams; the response's is NaN where its beginning was not seen. */
  requestOffset = 0.5;
  responseOffset = 0.5;
  text: Uint8Array = new Uint8Array(0);
  textStart = 0;
  textEnd = 0;
  keyStart = 0;
  keyEnd = 0;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
  }

  get requestSequence(): number {
    return this.#origin!.clientPlace.sequenceAt(this.requestOffset);
  }

  get responseSequence(): number | null {
    if (this.unanswered !== "" || Number.isNaN(this.responseOffset)) return null;
    return this.#origin!.serverPlace.sequenceAt(this.responseOffset);
  }

  /** Takes over what is known of a request. What a connection's have in common is written once for a run of them. */
  // Runs for every response.
  fill(origin: Origin, pool: PendingPool, entry: number): void {
    if (this.#origin !== origin) this.#speakOf(origin);
    const { times, words, text } = pool;
    const time = entry * TIMES;
    const word = entry * WORDS;
    const textStart = entry * TEXT_CAPACITY;
    const lengths = words[word + Word.text]!;
    if (this.text !== text) this.text = text;
    this.requestNumber = times[time + Time.number]!;
    this.startUs = times[time + Time.start]!;
    this.requestOffset = times[time + Time.startOffset]!;
    this.requestBytes = times[time + Time.endOffset]! - this.requestOffset;
    this.class = (words[word + Word.class]! & ~EXPIRED) as TransactionClass;
    this.commandId = words[word + Word.commandId]!;
    this.flags = words[word + Word.flags]!;
    this.retransmissions = words[word + Word.retransmissions]!;
    this.textStart = textStart;
    this.textEnd = textStart + (lengths & 0xff);
    this.keyStart = textStart + ((lengths >>> 8) & 0xff);
    this.keyEnd = textStart + ((lengths >>> 16) & 0xff);
  }

  #speakOf(origin: Origin): void {
    this.#origin = origin;
    this.protocol = origin.protocol;
    this.connectionId = origin.connectionId;
    this.client = origin.client;
    this.serverEndpoint = origin.serverEndpoint;
    this.server = origin.server;
    this.side = origin.side;
  }

  /**
   * latency = send + wait + receive, none below 0; queue is the part of wait until the response before it ended, at
   * `previousEndUs` (contract §3). All times in µs since the epoch.
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
