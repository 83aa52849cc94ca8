import { CLASS_NAMES, NO_ERROR } from "../protocols/protocol.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { FLAG_NAMES, TEXT_CAPACITY } from "../transactions/transaction.ts";
import { ClockText } from "./clock-text.ts";
import { putBytes, putInteger, putJsonEscaped, putWord } from "./put.ts";
import type { RecordFormat } from "./record-output.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const QUOTE = 0x22;
const COMMA = 0x2c;
const DASH = 0x2d;
const NULL = bytes("null");

/** The record's fields in the contract's order (§3), each with what stands before its value. */
const ID = bytes('{"type":"transaction","id":"');
const PROTOCOL = bytes('","protocol":"');
const CLASS = bytes('","class":"');
const SIDE = bytes('","side":"');
const CLIENT = bytes('","client":"');
const SERVER = bytes('","server":"');
const COMMAND = bytes('","command":"');
const KEY = bytes('","key":');
const SUMMARY = bytes(',"summary":"');
const STATUS = bytes('","status":"');
const ERROR = bytes(`","error":`);
const START = bytes(',"start":"');
const END = bytes('Z","end":');
const LATENCY = bytes(',"latency_us":');
const SEND = bytes(',"send_us":');
const WAIT = bytes(',"wait_us":');
const RECEIVE = bytes(',"receive_us":');
const QUEUE = bytes(',"queue_us":');
const NO_TIMES = bytes(
  ',"latency_us":null,"send_us":null,"wait_us":null,"receive_us":null,"queue_us":null,"retransmit_us":null,"rtt_us":null',
);
/** Both come with the round-trip times. */
const RETRANSMIT_AND_RTT = bytes(',"retransmit_us":0,"rtt_us":null');
const REQUEST_BYTES = bytes(',"request_bytes":');
const RESPONSE_BYTES = bytes(',"response_bytes":');
const REQUEST_SEQUENCE = bytes(',"request_seq":');
const RESPONSE_SEQUENCE = bytes(',"response_seq":');
const FLAGS = bytes(',"flags":[');
const RECORD_END = bytes("]}\n");

/** The record of `--json` (contract §3), one a line. */
export class JsonFormat implements RecordFormat {
  private readonly clock = new ClockText("utc");

  put(transaction: Transaction, into: Buffer, start: number): number {
    let at = putBytes(into, start, ID);
    at = putInteger(into, at, transaction.connectionId);
    into[at++] = DASH;
    at = putInteger(into, at, transaction.requestNumber);
    at = putParties(transaction, into, at);
    at = putRequest(transaction, into, at);
    at = putStatus(transaction, into, at);
    at = this.putTimes(transaction, into, at);
    at = putInteger(into, putBytes(into, at, REQUEST_BYTES), transaction.requestBytes);
    at = putInteger(into, putBytes(into, at, RESPONSE_BYTES), transaction.responseBytes);
    at = putInteger(into, putBytes(into, at, REQUEST_SEQUENCE), transaction.requestSequence);
    at = putBytes(into, at, RESPONSE_SEQUENCE);
    const { responseSequence } = transaction;
    at = responseSequence === null ? putBytes(into, at, NULL) : putInteger(into, at, responseSequence);
    at = putFlags(transaction.flags, into, putBytes(into, at, FLAGS));
    return putBytes(into, at, RECORD_END);
  }

  private putTimes(transaction: Transaction, into: Buffer, start: number): number {
    let at = putBytes(into, start, START);
    at = this.clock.put(into, at, transaction.startUs);
    at = putBytes(into, at, END);
    if (transaction.unanswered !== "") return putBytes(into, putBytes(into, at, NULL), NO_TIMES);
    into[at++] = QUOTE;
    at = this.clock.put(into, at, transaction.endUs);
    into[at++] = 0x5a;
    into[at++] = QUOTE;
    at = putInteger(into, putBytes(into, at, LATENCY), transaction.latencyUs);
    at = putInteger(into, putBytes(into, at, SEND), transaction.sendUs);
    at = putInteger(into, putBytes(into, at, WAIT), transaction.waitUs);
    at = putInteger(into, putBytes(into, at, RECEIVE), transaction.receiveUs);
    at = putInteger(into, putBytes(into, at, QUEUE), transaction.queueUs);
    return putBytes(into, at, RETRANSMIT_AND_RTT);
  }
}

function putParties(transaction: Transaction, into: Buffer, start: number): number {
  let at = putWord(into, putBytes(into, start, PROTOCOL), transaction.protocol.name);
  at = putWord(into, putBytes(into, at, CLASS), CLASS_NAMES[transaction.class]);
  at = putWord(into, putBytes(into, at, SIDE), transaction.side);
  at = putWord(into, putBytes(into, at, CLIENT), transaction.client.text);
  return putWord(into, putBytes(into, at, SERVER), transaction.serverEndpoint.text);
}

function putRequest(transaction: Transaction, into: Buffer, start: number): number {
  const { text, textStart, textEnd, keyStart, keyEnd } = transaction;
  const command = transaction.protocol.commands[transaction.commandId] ?? "other";
  let at = putWord(into, putBytes(into, start, COMMAND), command);
  at = putBytes(into, at, KEY);
  if (keyStart === keyEnd) at = putBytes(into, at, NULL);
  else {
    into[at++] = QUOTE;
    at = putJsonEscaped(into, at, text, keyStart, Math.min(keyEnd, keyStart + TEXT_CAPACITY));
    into[at++] = QUOTE;
  }
  at = putBytes(into, at, SUMMARY);
  if (textStart === textEnd) return putWord(into, at, command);
  return putJsonEscaped(into, at, text, textStart, Math.min(textEnd, textStart + TEXT_CAPACITY));
}

function putStatus(transaction: Transaction, into: Buffer, start: number): number {
  const at = putBytes(into, start, STATUS);
  if (transaction.unanswered !== "") return putError(into, putWord(into, at, "unanswered"), transaction.unanswered);
  if (transaction.errorId === NO_ERROR) return putBytes(into, putBytes(into, putWord(into, at, "ok"), ERROR), NULL);
  return putError(into, putWord(into, at, "error"), transaction.protocol.errors[transaction.errorId] ?? "other");
}

function putError(into: Buffer, start: number, word: string): number {
  let at = putBytes(into, start, ERROR);
  into[at++] = QUOTE;
  at = putWord(into, at, word);
  into[at] = QUOTE;
  return at + 1;
}

function putFlags(flags: number, into: Buffer, start: number): number {
  let at = start;
  for (let bit = 0; flags >>> bit !== 0; bit++) {
    if (((flags >>> bit) & 1) === 0) continue;
    if (at > start) into[at++] = COMMA;
    into[at++] = QUOTE;
    at = putWord(into, at, FLAG_NAMES[bit] ?? "unknown");
    into[at++] = QUOTE;
  }
  return at;
}
