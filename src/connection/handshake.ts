import { type Segment, TcpFlag } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import type { Flow } from "./flow.ts";
import { advance, distance } from "./sequence.ts";
import { isFromA } from "./slots.ts";

/** At most so many bytes are captured before the SYN that precedes them. */
const MAX_LATE_BYTES = 1 << 20;
/** ... and for so long, as captures reorder. */
const MAX_LATE_US = 50_000;

/** Whether a sequence number is near the expected one: a reset with another is not from this connection's peers, data are another's. */
export function isPlausible(connection: Connection, segment: Segment): boolean {
  const flow = isFromA(connection, segment) ? connection.fromA : connection.fromB;
  if (!flow.isStarted) return true;
  const offset = distance(segment.sequence, flow.next);
  return offset > -(1 << 20) && offset < (isExactEnd(connection, flow) ? 0 : 1 << 26);
}

/** Nothing of its own can come any more: behind a FIN are the numbers of the next connection, which many hosts choose a little further on. */
function isExactEnd(connection: Connection, flow: Flow): boolean {
  return connection.isEnded && flow.isFinished && !connection.isIgnored;
}

/** The client's SYN is all that was seen of it: nobody answered, unless with a reset. */
export function isUnanswered({ fromA, fromB }: Connection): boolean {
  const [caller, callee] = fromA.hasSyn ? [fromA, fromB] : [fromB, fromA];
  const hasOnlySyn = caller.hasSyn && !caller.hasAcknowledged && caller.next === advance(caller.initial, 1);
  return hasOnlySyn && !callee.isSeen;
}

/** A reset may tell, too, what its sender had received: Linux' does, of a program that closes in a hurry. */
export function noteReset(connection: Connection, segment: Segment): void {
  const flow = isFromA(connection, segment) ? connection.fromA : connection.fromB;
  if ((segment.flags & TcpFlag.ack) === 0 || !flow.hasAcknowledged) return;
  const more = distance(segment.acknowledgement, flow.acknowledged);
  if (more > 0 && more < MAX_LATE_BYTES) flow.acknowledged = segment.acknowledgement;
}

/** Whether a SYN, at `clockUs`, belongs to the connection that is known by these addresses, rather than to a new one. */
export function isSameHandshake(connection: Connection, segment: Segment, isAnswer: boolean, clockUs: number): boolean {
  const fromA = isFromA(connection, segment);
  const flow = fromA ? connection.fromA : connection.fromB;
  if (flow.hasSyn) return flow.initial === segment.sequence && connection.clientIsA === (fromA !== isAnswer);
  const peer = fromA ? connection.fromB : connection.fromA;
  if (flow.isStarted || !isAnswer) return flow.isStarted && isLateSyn(flow, segment) && mayBeLate(connection, clockUs);
  return peer.hasSyn && distance(segment.acknowledgement, advance(peer.initial, 1)) >= 0;
}

/** A SYN captured after data that follows it. A new connection's numbers lie ahead of the old one's (RFC 9293 §3.4.1). */
function isLateSyn(flow: Flow, segment: Segment): boolean {
  const behind = distance(flow.next, advance(segment.sequence, 1));
  return behind >= 0 && behind < MAX_LATE_BYTES;
}

/**
 * Whether a connection of which data was seen may still bring its first SYN: soon after its last segment, as captures reorder. What is stamped after its
 * end is another's. (Where the other side's SYN was seen, this one may have been sent again, however late.)
 */
function mayBeLate(connection: Connection, clockUs: number): boolean {
  const sinceUs = clockUs - connection.lastUs;
  return connection.isEnded ? sinceUs <= 0 : connection.hasHandshake || sinceUs <= MAX_LATE_US;
}

/** The first SYN of one side: it tells who is who, and where that side's stream begins (RFC 9293 §3.5: it takes one number). */
export function takeSyn(connection: Connection, segment: Segment, fromA: boolean, isAnswer: boolean): void {
  const flow = fromA ? connection.fromA : connection.fromB;
  const peer = fromA ? connection.fromB : connection.fromA;
  if (connection.clientIsA === null) connection.clientIsA = fromA !== isAnswer;
  connection.hasHandshake = true;
  if (!flow.isStarted || flow.isUntouched) flow.next = advance(segment.sequence, 1);
  flow.isStarted = true;
  flow.hasSyn = true;
  flow.isSeen = true;
  flow.initial = segment.sequence;
  if (isAnswer && !peer.isStarted) peer.presume(segment.acknowledgement, segment.timeLow);
}

/**
 * Whether a connection's opening was captured out of order: the acknowledgement that has told where this direction begins stands behind bytes
 * that come only now. Were they taken for bytes sent again, each request would be told with the response of the next. Only where the client's SYN
 * was seen: then nothing is older but the probe of RFC 9293 §3.8.4, one number behind. Of an older connection they may be the last that was asked for before.
 */
export function beginsBefore(connection: Connection, flow: Flow, segment: Segment): boolean {
  if (!connection.hasHandshake || !flow.isStarted || !flow.isUntouched) return false;
  const offset = distance(segment.sequence, flow.next);
  return offset < -1 && offset > -MAX_LATE_BYTES;
}
