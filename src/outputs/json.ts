import { CLASS_NAMES, NO_ERROR } from "../protocols/protocol.ts";
import { Resend, resentDirection } from "../transactions/resend.ts";
import { CAUSES, Shares, serverUs } from "../transactions/shares.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import { FLAG_NAMES, TEXT_CAPACITY } from "../transactions/transaction.ts";
import { ClockText } from "./clock-text.ts";
import { CommonText } from "./common-text.ts";
import { Literal, putInteger, putJsonEscaped, putLiteral, putWord, RECORD_CAPACITY, Room } from "./put.ts";
import type { RecordFormat } from "./record-output.ts";

const literal = (text: string): Literal => new Literal(text);
const QUOTE = 0x22;
const COMMA = 0x2c;
const DASH = 0x2d;
const BRACE = 0x7d;
const NULL = literal("null");

/** The record's fields in their order (README, The JSON record), each with what stands before its value. */
const ID = literal('{"type":"transaction","id":"');
const KEY = literal('","key":');
const SUMMARY = literal(',"summary":"');
const OK = literal('","status":"ok","error":null');
const ERROR = literal('","status":"error","error":"');
const UNANSWERED = literal('","status":"unanswered","error":"');
const START = literal(',"start":"');
const END = literal('Z","end":');
const LATENCY = literal('Z","latency_us":');
const SEND = literal(',"send_us":');
const WAIT = literal(',"wait_us":');
const RECEIVE = literal(',"receive_us":');
const QUEUE = literal(',"queue_us":');
const NO_TIMES = literal(
  ',"latency_us":null,"send_us":null,"wait_us":null,"receive_us":null,"queue_us":null,"retransmit_us":null',
);
const RETRANSMIT = literal(',"retransmit_us":');
const RTT = literal(',"rtt_us":');
const SERVER_TIME = literal(',"server_us":');
const ZERO_WINDOW = literal(',"zero_window_us":');
const CAUSE = CAUSES.map((cause) => literal(`,"cause":"${cause}","cause_us":`));
const NO_CAUSE = literal(',"server_us":null,"zero_window_us":null,"cause":"unknown","cause_us":null');
const NOTHING_RESENT = literal(',"retransmission":null,"behind":null');
const RESENT = literal(',"retransmission":{"direction":"');
const RESENT_BY = literal('","by":"');
const RESENT_TIMES = literal('","times":');
const NO_RESENT = literal(',"retransmission":null');
const BEHIND = literal(',"behind":{"id":"');
const BEHIND_COMMAND = literal('","command":"');
const BEHIND_US = literal('","us":');
const ELSEWHERE = literal(',"elsewhere":true}');
const NO_BEHIND = literal(',"behind":null');
const REQUEST_BYTES = literal(',"request_bytes":');
const RESPONSE_BYTES = literal(',"response_bytes":');
const REQUEST_SEQUENCE = literal(',"request_seq":');
const RESPONSE_SEQUENCE = literal(',"response_seq":');
const FLAGS = literal(',"flags":[');
const RECORD_END = literal("]}\n");
const SYNS_AGAIN = literal(',"syn_retransmissions":');
const CONNECT_TO = literal('Z","end":"');
const CONNECT_END = literal("}\n");

/** The record of `--json` (README, The JSON record), one a line. */
export class JsonFormat implements RecordFormat {
  readonly capacity = RECORD_CAPACITY;
  behindIdAt = -1;
  private readonly clock = new ClockText("utc");
  private readonly shares = new Shares();
  private room = new Room(Buffer.alloc(0));
  /** From behind the id to the command's name: a third of a record's bytes. */
  private readonly parties = new CommonText(
    ({ protocol, side, client, serverEndpoint, class: transactionClass }) =>
      `","protocol":"${protocol.name}","class":"${CLASS_NAMES[transactionClass]}","side":"${side}",` +
      `"client":"${client.text}","server":"${serverEndpoint.text}","command":"`,
  );

  put(transaction: Transaction, into: Buffer, start: number): number {
    if (this.room.bytes !== into) this.room = new Room(into);
    const room = this.room;
    this.behindIdAt = -1;
    let at = putLiteral(room, start, ID);
    at = putInteger(into, at, transaction.connectionId);
    into[at++] = DASH;
    at = putInteger(into, at, transaction.requestNumber);
    at = putLiteral(room, at, this.parties.of(transaction));
    at = putRequest(transaction, room, at);
    at = putStatus(transaction, room, at);
    at = this.putTimes(transaction, room, at);
    at = putOptional(room, putLiteral(room, at, RTT), transaction.rttUs);
    at = putInteger(into, putLiteral(room, at, REQUEST_BYTES), transaction.requestBytes);
    at = putInteger(into, putLiteral(room, at, RESPONSE_BYTES), transaction.responseBytes);
    at = putInteger(into, putLiteral(room, at, REQUEST_SEQUENCE), transaction.requestSequence);
    at = putLiteral(room, at, RESPONSE_SEQUENCE);
    at = putOptional(room, at, transaction.responseSequence);
    at = this.putReasons(transaction, room, at);
    at = putFlags(transaction.flags, into, putLiteral(room, at, FLAGS));
    return putLiteral(room, at, RECORD_END);
  }

  putConnect(connect: Connect, into: Buffer, start: number): number {
    if (this.room.bytes !== into) this.room = new Room(into);
    const room = this.room;
    const { protocol, side, client, serverEndpoint, latencyUs } = connect;
    const parties =
      `{"type":"connect","id":"${connect.connectionId}","protocol":"${protocol}","side":"${side}",` +
      `"client":"${client.text}","server":"${serverEndpoint.text}","start":"`;
    let at = start + into.write(parties, start, "latin1");
    at = this.clock.put(room, at, connect.endUs - latencyUs);
    at = this.clock.put(room, putLiteral(room, at, CONNECT_TO), connect.endUs);
    at = putInteger(into, putLiteral(room, at, LATENCY), latencyUs);
    at = putInteger(into, putLiteral(room, at, SYNS_AGAIN), connect.synRetransmissions);
    at = putOptional(room, putLiteral(room, at, RTT), connect.rttUs);
    return putLiteral(room, at, CONNECT_END);
  }

  private putTimes(transaction: Transaction, room: Room, start: number): number {
    const { bytes } = room;
    let at = putLiteral(room, start, START);
    at = this.clock.put(room, at, transaction.startUs);
    at = putLiteral(room, at, END);
    if (transaction.unanswered !== "") return putLiteral(room, putLiteral(room, at, NULL), NO_TIMES);
    bytes[at++] = QUOTE;
    at = this.clock.put(room, at, transaction.endUs);
    at = putInteger(bytes, putLiteral(room, at, LATENCY), transaction.latencyUs);
    at = putInteger(bytes, putLiteral(room, at, SEND), transaction.sendUs);
    at = putInteger(bytes, putLiteral(room, at, WAIT), transaction.waitUs);
    at = putInteger(bytes, putLiteral(room, at, RECEIVE), transaction.receiveUs);
    at = putInteger(bytes, putLiteral(room, at, QUEUE), transaction.queueUs);
    return putInteger(bytes, putLiteral(room, at, RETRANSMIT), this.shares.split(transaction).retransmission);
  }

  /** What the latency was for; the shares were split for the times. */
  private putReasons(transaction: Transaction, room: Room, start: number): number {
    const { bytes } = room;
    let at = start;
    if (transaction.unanswered !== "") at = putLiteral(room, at, NO_CAUSE);
    else {
      at = putOptional(room, putLiteral(room, at, SERVER_TIME), serverUs(transaction));
      at = putInteger(bytes, putLiteral(room, at, ZERO_WINDOW), transaction.zeroWindowUs);
      at = putLiteral(room, at, CAUSE[this.shares.causeId]!);
      at = putInteger(bytes, at, this.shares.causeUs);
    }
    if (transaction.resends === 0 && transaction.behind === null) return putLiteral(room, at, NOTHING_RESENT);
    at = putResent(transaction, room, at);
    if (transaction.behind !== null) this.behindIdAt = at + BEHIND.length;
    return putBehind(transaction, room, at);
  }
}

function putRequest(transaction: Transaction, room: Room, start: number): number {
  const { text, textStart, textEnd, keyStart, keyEnd } = transaction;
  const { bytes } = room;
  const command = transaction.protocol.commands[transaction.commandId] ?? "other";
  let at = putWord(bytes, start, command);
  at = putLiteral(room, at, KEY);
  if (keyStart === keyEnd) at = putLiteral(room, at, NULL);
  else {
    bytes[at++] = QUOTE;
    at = putJsonEscaped(bytes, at, text, keyStart, Math.min(keyEnd, keyStart + TEXT_CAPACITY));
    bytes[at++] = QUOTE;
  }
  at = putLiteral(room, at, SUMMARY);
  if (textStart === textEnd) return putWord(bytes, at, command);
  return putJsonEscaped(bytes, at, text, textStart, Math.min(textEnd, textStart + TEXT_CAPACITY));
}

function putStatus(transaction: Transaction, room: Room, start: number): number {
  if (transaction.unanswered === "" && transaction.errorId === NO_ERROR) return putLiteral(room, start, OK);
  const isUnanswered = transaction.unanswered !== "";
  const error = isUnanswered ? transaction.unanswered : (transaction.protocol.errors[transaction.errorId] ?? "other");
  const at = putWord(room.bytes, putLiteral(room, start, isUnanswered ? UNANSWERED : ERROR), error);
  room.bytes[at] = QUOTE;
  return at + 1;
}

function putOptional(room: Room, at: number, value: number | null): number {
  return value === null ? putLiteral(room, at, NULL) : putInteger(room.bytes, at, value);
}

function putResent(transaction: Transaction, room: Room, start: number): number {
  const { resends } = transaction;
  if (resends === 0) return putLiteral(room, start, NO_RESENT);
  const { bytes } = room;
  let at = putWord(bytes, putLiteral(room, start, RESENT), resentDirection(resends));
  at = putWord(bytes, putLiteral(room, at, RESENT_BY), (resends & Resend.timeout) !== 0 ? "timeout" : "fast");
  at = putInteger(bytes, putLiteral(room, at, RESENT_TIMES), transaction.retransmissions);
  bytes[at] = BRACE;
  return at + 1;
}

function putBehind({ behind, protocol }: Transaction, room: Room, start: number): number {
  if (behind === null) return putLiteral(room, start, NO_BEHIND);
  const { bytes } = room;
  let at = putInteger(bytes, putLiteral(room, start, BEHIND), behind.connectionId);
  bytes[at++] = DASH;
  at = putInteger(bytes, at, behind.requestNumber);
  at = putWord(bytes, putLiteral(room, at, BEHIND_COMMAND), protocol.commands[behind.commandId] ?? "other");
  at = putInteger(bytes, putLiteral(room, at, BEHIND_US), behind.us);
  if (behind.client !== null) return putLiteral(room, at, ELSEWHERE);
  bytes[at] = BRACE;
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
