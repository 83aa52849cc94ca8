import type { Protocol, TransactionClass } from "../protocols/protocol.ts";
import type { Behind } from "./ahead.ts";
import type { Details } from "./details.ts";
import {
  type Endpoint,
  type ServerRef,
  type Side,
  TEXT_CAPACITY,
  type Transaction,
  type UnansweredReason,
} from "./transaction.ts";

/** A transaction that outlives the call it was told in. What it waited behind may be found out later. */
export class TransactionCopy implements Transaction {
  protocol!: Protocol;
  connectionId = 0;
  requestNumber = 0;
  client!: Endpoint;
  serverEndpoint!: Endpoint;
  server!: ServerRef;
  side: Side = "transit";
  class: TransactionClass = 0;
  commandId = 0;
  errorId = 0;
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
  requestBytes = 0;
  responseBytes = 0;
  requestSequence = 0;
  responseSequence: number | null = null;
  retransmissions = 0;
  resends = 0;
  resentRequestUs = 0;
  resentResponseUs = 0;
  behind: Behind | null = null;
  details: Details | null = null;
  zeroWindowUs = 0;
  rttUs: number | null = null;
  toServerUs = 0;
  readonly text = new Uint8Array(TEXT_CAPACITY);
  readonly textStart = 0;
  textEnd = 0;
  keyStart = 0;
  keyEnd = 0;

  static of(transaction: Transaction): TransactionCopy {
    return new TransactionCopy().take(transaction);
  }

  /** Becomes a copy of this one. */
  take(of: Transaction): this {
    this.protocol = of.protocol;
    this.connectionId = of.connectionId;
    this.requestNumber = of.requestNumber;
    this.client = of.client;
    this.serverEndpoint = of.serverEndpoint;
    this.server = of.server;
    this.side = of.side;
    this.class = of.class;
    this.commandId = of.commandId;
    this.errorId = of.errorId;
    this.flags = of.flags;
    this.unanswered = of.unanswered;
    this.startUs = of.startUs;
    this.endUs = of.endUs;
    this.latencyUs = of.latencyUs;
    this.sendUs = of.sendUs;
    this.waitUs = of.waitUs;
    this.receiveUs = of.receiveUs;
    this.queueUs = of.queueUs;
    this.waitedUs = of.waitedUs;
    this.requestBytes = of.requestBytes;
    this.responseBytes = of.responseBytes;
    this.requestSequence = of.requestSequence;
    this.responseSequence = of.responseSequence;
    this.retransmissions = of.retransmissions;
    this.resends = of.resends;
    this.resentRequestUs = of.resentRequestUs;
    this.resentResponseUs = of.resentResponseUs;
    this.behind = of.behind;
    this.details = of.details;
    this.zeroWindowUs = of.zeroWindowUs;
    this.rttUs = of.rttUs;
    this.toServerUs = of.toServerUs;
    for (let from = of.textStart, to = 0; from < of.textEnd; from++, to++) this.text[to] = of.text[from]!;
    this.textEnd = of.textEnd - of.textStart;
    this.keyStart = of.keyStart - of.textStart;
    this.keyEnd = of.keyEnd - of.textStart;
    return this;
  }
}
