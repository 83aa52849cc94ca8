import { NO_ERROR, type Protocol, type TransactionClass } from "../protocols/protocol.ts";
import type { Endpoint, ServerRef, Side, Transaction, UnansweredReason } from "./transaction.ts";

/** The one transaction record that every finished transaction is told with. */
export class TransactionRecord implements Transaction {
  /** Whose connection the fields down to `side` speak of. */
  owner: object | null = null;
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
  text: Uint8Array = new Uint8Array(0);
  textStart = 0;
  textEnd = 0;
  keyStart = 0;
  keyEnd = 0;

  constructor(protocol: Protocol) {
    this.protocol = protocol;
  }
}
