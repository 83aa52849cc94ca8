import { CLASS_NAMES, NO_ERROR, TransactionClass } from "../protocols/protocol.ts";
import { Shares } from "../transactions/shares.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import { Flag, TEXT_CAPACITY } from "../transactions/transaction.ts";
import { ClockText } from "./clock-text.ts";
import { CommonText } from "./common-text.ts";
import { behindIdAt, putShares, VISIBLE_US } from "./line-shares.ts";
import {
  putBytes,
  putEscaped,
  putInteger,
  putLiteral,
  putMilliseconds,
  putTenths,
  putWord,
  RECORD_CAPACITY,
  Room,
} from "./put.ts";
import type { RecordFormat } from "./record-output.ts";

/** A part of the latency is worth a word from here on, when it is also at least a tenth of the latency. */
const NOTABLE_US = 100;
const NEWLINE = 0x0a;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const BAR = bytes(" | ");
const NEXT_NOTE = bytes("; ");
const NEXT_PART = bytes(", ");
const MS = bytes(" ms");
const UNANSWERED = bytes("unanswered (");
const AFTER = bytes(") after ");
const ERROR = bytes("error ");
const SEND = bytes("send ");
const WAIT = bytes("wait ");
const RECEIVE = bytes("receive ");
const QUEUED = bytes("pipelined, queued ");
const RETRANSMISSION = bytes("retransmission");
const ONE_RETRANSMISSION = bytes("1 retransmission");
const RETRANSMISSIONS = bytes(" retransmissions");
const CONNECT = bytes("(connect)");
const SYN_RETRANSMISSION = bytes(" SYN retransmission");
const PLURAL = bytes("s");
const RTT = bytes("rtt ");
const NOTHING = bytes("");
const BOLD = bytes("\x1b[1m");
const RED = bytes("\x1b[31m");
const DIM = bytes("\x1b[2m");
const PLAIN = bytes("\x1b[0m");

/** Flags named as they are, in the order shown; pipelined and retransmission are told with a number. */
const FLAG_NOTES: readonly { readonly flag: number; readonly text: Buffer }[] = [
  { flag: Flag.behindBlocking, text: bytes("behind a blocking command") },
  { flag: Flag.outOfOrder, text: bytes("out of order") },
  { flag: Flag.gap, text: bytes("gap") },
  { flag: Flag.truncated, text: bytes("truncated") },
  { flag: Flag.clockSkew, text: bytes("clock skew") },
  { flag: Flag.midstream, text: bytes("midstream") },
];

/** tcpkit's line (README, The line), with a fourth field where something explains the latency or qualifies it. */
export class LineFormat implements RecordFormat {
  readonly capacity = RECORD_CAPACITY;
  behindIdAt = -1;
  private readonly clock = new ClockText("local");
  private readonly parties = new CommonText(partiesText);
  private room = new Room(Buffer.alloc(0));
  private readonly explains: boolean;
  private readonly shares = new Shares();
  private readonly bold: Uint8Array;
  private readonly red: Uint8Array;
  private readonly dim: Uint8Array;
  private readonly plain: Uint8Array;

  /** `explains`: each answered transaction says what its latency was for; else only those that are odd do. */
  constructor(options: { readonly isColoured: boolean; readonly explains: boolean }) {
    this.explains = options.explains;
    this.bold = options.isColoured ? BOLD : NOTHING;
    this.red = options.isColoured ? RED : NOTHING;
    this.dim = options.isColoured ? DIM : NOTHING;
    this.plain = options.isColoured ? PLAIN : NOTHING;
  }

  put(transaction: Transaction, into: Buffer, start: number): number {
    const isAnswered = transaction.unanswered === "";
    this.behindIdAt = -1;
    const endUs = isAnswered ? transaction.endUs : transaction.startUs + transaction.waitedUs;
    if (this.room.bytes !== into) this.room = new Room(into);
    let at = this.clock.put(this.room, start, endUs);
    at = putLiteral(this.room, at, this.parties.of(transaction));
    at = isAnswered ? this.putLatency(transaction.latencyUs, into, at) : this.putUnanswered(transaction, into, at);
    at = putBytes(into, at, BAR);
    at = putText(transaction, into, at);
    at = this.putNotes(transaction, into, at);
    into[at] = NEWLINE;
    return at + 1;
  }

  /** `… | 1003.1 ms | (connect) | 1 SYN retransmission`: the words of a request are never in brackets. */
  putConnect(connect: Connect, into: Buffer, start: number): number {
    const { latencyUs, synRetransmissions, rttUs } = connect;
    if (this.room.bytes !== into) this.room = new Room(into);
    let at = this.clock.put(this.room, start, connect.endUs);
    at += into.write(partiesText(connect), at, "latin1");
    at = this.putLatency(latencyUs, into, at);
    at = putBytes(into, putBytes(into, at, BAR), CONNECT);
    if (synRetransmissions > 0 || rttUs !== null) {
      at = putBytes(into, putBytes(into, at, BAR), this.dim);
      if (synRetransmissions > 0) at = putBytes(into, putInteger(into, at, synRetransmissions), SYN_RETRANSMISSION);
      if (synRetransmissions > 1) at = putBytes(into, at, PLURAL);
      if (rttUs !== null) {
        if (synRetransmissions > 0) at = putBytes(into, at, NEXT_NOTE);
        at = putBytes(into, putTenths(into, putBytes(into, at, RTT), rttUs), MS);
      }
      at = putBytes(into, at, this.plain);
    }
    into[at] = NEWLINE;
    return at + 1;
  }

  private isExplaining({ unanswered, resends, behind, latencyUs }: Transaction): boolean {
    if (unanswered !== "") return false;
    return this.explains || resends !== 0 || (behind !== null && isNotable(behind.us, latencyUs));
  }

  private putLatency(latencyUs: number, into: Buffer, start: number): number {
    let at = putBytes(into, start, this.bold);
    at = putMilliseconds(into, at, latencyUs);
    at = putBytes(into, at, MS);
    return putBytes(into, at, this.plain);
  }

  private putUnanswered(transaction: Transaction, into: Buffer, start: number): number {
    let at = putBytes(into, start, this.red);
    at = putBytes(into, at, UNANSWERED);
    at = putWord(into, at, transaction.unanswered);
    at = putBytes(into, at, AFTER);
    at = putTenths(into, at, transaction.waitedUs);
    at = putBytes(into, at, MS);
    return putBytes(into, at, this.plain);
  }

  private putNotes(transaction: Transaction, into: Buffer, start: number): number {
    const shares = this.isExplaining(transaction) ? this.shares.split(transaction) : null;
    const from = start + BAR.length + this.dim.length;
    const noted = putNotes(transaction, into, from, shares);
    if (noted === from) return start;
    if (transaction.behind !== null && shares !== null) this.behindIdAt = behindIdAt(into, from, noted);
    putBytes(into, putBytes(into, start, BAR), this.dim);
    return putBytes(into, noted, this.plain);
  }
}

function partiesText({ client, serverEndpoint }: Transaction | Connect): string {
  return ` ${client.text} => ${serverEndpoint.text} | `;
}

function putText(transaction: Transaction, into: Buffer, at: number): number {
  const { text, textStart, textEnd } = transaction;
  if (textStart === textEnd) return putWord(into, at, transaction.protocol.commands[transaction.commandId] ?? "other");
  return putEscaped(into, at, text, textStart, Math.min(textEnd, textStart + TEXT_CAPACITY));
}

/** The notes, separated by "; "; nothing where nothing needs a word. */
function putNotes(transaction: Transaction, into: Buffer, start: number, shares: Shares | null): number {
  const isExplained = shares !== null;
  let at = isExplained ? putShares(shares, transaction, into, start) : start;
  if (transaction.class !== TransactionClass.normal)
    at = putWord(into, separate(into, at, start), CLASS_NAMES[transaction.class]);
  if (transaction.errorId !== NO_ERROR) {
    at = putBytes(into, separate(into, at, start), ERROR);
    at = putWord(into, at, transaction.protocol.errors[transaction.errorId] ?? "other");
  }
  if (transaction.unanswered === "" && !isExplained) at = putTimes(transaction, into, at, start);
  if (transaction.resends === 0) at = putRetransmissions(transaction, into, at, start);
  if ((transaction.flags & ~(Flag.pipelined | Flag.retransmission)) === 0) return at;
  for (let i = 0; i < FLAG_NOTES.length; i++) {
    const note = FLAG_NOTES[i]!;
    if ((transaction.flags & note.flag) !== 0) at = putBytes(into, separate(into, at, start), note.text);
  }
  return at;
}

function separate(into: Buffer, at: number, start: number): number {
  return at === start ? at : putBytes(into, at, NEXT_NOTE);
}

/** `send 0.3, wait 1.1, receive 201.8 ms` where sending or receiving is notable; how long it was queued likewise. */
function putTimes(transaction: Transaction, into: Buffer, start: number, notesStart: number): number {
  const { latencyUs, sendUs, waitUs, receiveUs, queueUs } = transaction;
  let at = start;
  if (isNotable(sendUs, latencyUs) || isNotable(receiveUs, latencyUs)) {
    at = separate(into, at, notesStart);
    if (sendUs >= VISIBLE_US) {
      at = putTenths(into, putBytes(into, at, SEND), sendUs);
      at = putBytes(into, at, NEXT_PART);
    }
    at = putTenths(into, putBytes(into, at, WAIT), waitUs);
    if (receiveUs >= VISIBLE_US) {
      at = putBytes(into, at, NEXT_PART);
      at = putTenths(into, putBytes(into, at, RECEIVE), receiveUs);
    }
    at = putBytes(into, at, MS);
  }
  if (!isNotable(queueUs, latencyUs)) return at;
  at = putBytes(into, separate(into, at, notesStart), QUEUED);
  return putBytes(into, putTenths(into, at, queueUs), MS);
}

function isNotable(partUs: number, latencyUs: number): boolean {
  return partUs >= NOTABLE_US && partUs * 10 >= latencyUs;
}

function putRetransmissions(transaction: Transaction, into: Buffer, start: number, notesStart: number): number {
  const count = transaction.retransmissions;
  if (count === 0 && (transaction.flags & Flag.retransmission) === 0) return start;
  const at = separate(into, start, notesStart);
  if (count <= 1) return putBytes(into, at, count === 1 ? ONE_RETRANSMISSION : RETRANSMISSION);
  return putBytes(into, putInteger(into, at, count), RETRANSMISSIONS);
}
