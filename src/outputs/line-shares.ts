import { Resend, resentDirection } from "../transactions/resend.ts";
import { CAUSES, type Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { putBytes, putInteger, putTenths, putWord } from "./put.ts";

/** Less than this would read 0.0. */
export const VISIBLE_US = 50;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const NEXT_PART = bytes(", ");
const COMMA = bytes(", ");
const OPEN = bytes(" (");
const CLOSE = bytes(")");
const BEHIND = bytes("behind ");
const OF = bytes(" of ");
const FROM = bytes(" from ");
const DASH = 0x2d;
const EARLIER = bytes("earlier ");
const SENT_TWICE = bytes(" sent twice");
const SENT = bytes(" sent ");
const TIMES = bytes(" times");
const SEGMENTS = bytes(" segments sent again");
const OR_MORE = bytes(" or more");
/** A longer message takes several packets (an Ethernet's, with time stamps): then copies of it and of its parts are not told apart. */
const PACKET_BYTES = 1448;
const TIME_OUT = bytes(", time-out");
const FAST = bytes(", fast");
const WINDOW_CLOSED = bytes("window closed ");
/** From so many bytes on a message is large, and its size worth a word: it takes a tenth of a second at 10 Mbit/s. */
export const LARGE_BYTES = 100_000;
const MEGABYTES = bytes(" MB");

const SERVER = CAUSES.indexOf("server");
const RETRANSMISSION = CAUSES.indexOf("retransmission");
const QUEUE = CAUSES.indexOf("queue");
const SEND = CAUSES.indexOf("send");
const RECEIVE = CAUSES.indexOf("receive");
/** What a share is called in a line, by index of CAUSES. */
const NAMES = CAUSES.map((cause) => bytes(`${cause === "network" ? "rtt" : cause} `));
const SERVER_OR_NETWORK = bytes("server or network ");

/**
 * The shares of a latency in ms, the largest first, with what explains them:
 * `retransmission 200.1 (request sent twice, time-out), rtt 0.9, server 0.4`.
 */
export function putShares(shares: Shares, of: Transaction, into: Buffer, start: number): number {
  let at = start;
  let shown = 0;
  for (;;) {
    const next = largest(shares, shown);
    if (next < 0 || (shown !== 0 && shares.share(next) < VISIBLE_US)) return at;
    if (shown !== 0) at = putBytes(into, at, NEXT_PART);
    shown |= 1 << next;
    const name = next === SERVER && shares.isNetworkUnknown ? SERVER_OR_NETWORK : NAMES[next]!;
    at = putTenths(into, putBytes(into, at, name), shares.share(next));
    at = putDetail(next, of, into, at);
  }
}

/** The largest share that is not among `shown` (bits), or -1. */
function largest(shares: Shares, shown: number): number {
  let found = -1;
  for (let cause = 0; cause < CAUSES.length - 1; cause++) {
    if (((shown >>> cause) & 1) !== 0) continue;
    if (found < 0 || shares.share(cause) > shares.share(found)) found = cause;
  }
  return found;
}

function putDetail(cause: number, of: Transaction, into: Buffer, start: number): number {
  const inside = start + OPEN.length;
  let end = inside;
  if (cause === RETRANSMISSION) end = putResent(of, into, inside);
  else if (cause === QUEUE || cause === SERVER) end = putBehind(cause === SERVER, of, into, inside);
  else if (cause === SEND) end = putMoving(of.requestBytes, of.zeroWindowUs, into, inside);
  else if (cause === RECEIVE) end = putMoving(of.responseBytes, of.zeroWindowUs, into, inside);
  if (end === inside) return start;
  putBytes(into, start, OPEN);
  return putBytes(into, end, CLOSE);
}

function putResent(of: Transaction, into: Buffer, start: number): number {
  // Where none of its own bytes were sent again, those of a request before it were.
  let at = of.retransmissions === 0 ? putBytes(into, start, EARLIER) : start;
  at = putWord(into, at, resentDirection(of.resends));
  const ofBytes = (of.resends & Resend.request) !== 0 ? of.requestBytes : of.responseBytes;
  if (of.retransmissions <= 1) at = putBytes(into, at, SENT_TWICE);
  else if (ofBytes > PACKET_BYTES) {
    at = putInteger(into, putBytes(into, at, COMMA), of.retransmissions);
    if (of.retransmissions === Resend.count) at = putBytes(into, at, OR_MORE);
    at = putBytes(into, at, SEGMENTS);
  } else at = putBytes(into, putInteger(into, putBytes(into, at, SENT), of.retransmissions + 1), TIMES);
  return putBytes(into, at, (of.resends & Resend.timeout) !== 0 ? TIME_OUT : FAST);
}

function putBehind(isElsewhere: boolean, { behind, protocol }: Transaction, into: Buffer, start: number): number {
  if (behind === null || (behind.client !== null) !== isElsewhere) return start;
  let at = putWord(into, putBytes(into, start, BEHIND), protocol.commands[behind.commandId] ?? "other");
  at = putInteger(into, putBytes(into, at, OF), behind.connectionId);
  into[at++] = DASH;
  at = putInteger(into, at, behind.requestNumber);
  if (behind.client !== null) at = putWord(into, putBytes(into, at, FROM), behind.client);
  return putTenths(into, putBytes(into, at, COMMA), behind.us);
}

/** Where `putShares` has put the number of the connection that was waited behind, in [start, end), or -1. */
export function behindIdAt(bytes: Buffer, start: number, end: number): number {
  const notes = bytes.subarray(start, end);
  const behind = notes.indexOf(BEHIND);
  return behind < 0 ? -1 : start + notes.indexOf(OF, behind) + OF.length;
}

/** `30.0 MB, window closed 1396.5`: what had to be moved, if that is much, and for how long it could not be. */
function putMoving(size: number, zeroWindowUs: number, into: Buffer, start: number): number {
  let at = start;
  if (size >= LARGE_BYTES) at = putBytes(into, putTenths(into, at, size / 1000), MEGABYTES);
  if (zeroWindowUs < VISIBLE_US) return at;
  if (at > start) at = putBytes(into, at, COMMA);
  return putTenths(into, putBytes(into, at, WINDOW_CLOSED), zeroWindowUs);
}
