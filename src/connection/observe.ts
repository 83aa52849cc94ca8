import type { Segment } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import type { Flow, Oddity } from "./flow.ts";
import { advance, distance } from "./sequence.ts";

// What a segment tells about the network, beside its bytes.

/** Stamped further apart than this, two segments are not in the wrong order by the capture's doing. */
const CAPTURE_REORDER_US = 1_000;
/** Networks bring segments in the wrong order by less than this. */
const NETWORK_REORDER_US = 3_000;
/** A sequence number this far from the expected one is another stream's: the connection changed unseen. */
export const PLAUSIBLE_DISTANCE = 1 << 28;
/** An acknowledgement stands behind bytes of its sender that were not seen: they were lost, or come a moment later. */
export function noteAhead(flow: Flow, segment: Segment): void {
  if (flow.odd?.isAhead || distance(segment.sequence, flow.next) > PLAUSIBLE_DISTANCE) return;
  const odd = flow.oddity;
  odd.isAhead = true;
  odd.aheadLow = segment.timeLow;
  odd.aheadTo = segment.sequence;
}

/** The first acknowledgement that `flow` was seen to send. */
export function noteFirstAcknowledgement(flow: Flow, peer: Flow, segment: Segment): void {
  flow.hasAcknowledged = true;
  if (!peer.isUnderWay || peer.hasSyn) return;
  const offset = distance(segment.acknowledgement, peer.initial);
  if (offset < 0 && offset > -PLAUSIBLE_DISTANCE) peer.hasUnreceived = true;
}

/** Those bytes have come, or were passed over: how long after, where networks do not reorder by as much. */
export function takeAhead(odd: Oddity, segment: Segment): number {
  if (!odd.isAhead) return 0;
  odd.isAhead = false;
  if (distance(odd.aheadTo, segment.sequence) <= 0) return 0;
  const lateUs = (segment.timeLow - odd.aheadLow) | 0;
  return lateUs >= NETWORK_REORDER_US ? lateUs : 0;
}

/** `flow` says that bytes of `peer` are missing: until it has all that is on its way now, what is sent again was asked for (RFC 6582 §3.2). */
export function ask(flow: Flow, peer: Flow): void {
  const last = peer.held?.at(-1);
  flow.oddity.isAsking = true;
  flow.oddity.askedTo = last === undefined ? peer.next : advance(last.sequence, last.length);
}

/** The receive window of the sender of this segment has closed, or opened again. */
export function noteWindow(connection: Connection, flow: Flow, segment: Segment): void {
  const { oddity } = flow;
  oddity.isWindowClosed = !oddity.isWindowClosed;
  if (!oddity.isWindowClosed) {
    connection.path.windowOpens(segment.timeLow);
    return;
  }
  connection.server.zeroWindows++;
  connection.path.windowCloses(segment.timeLow);
}

/**
 * Whether the one byte of this segment that was seen before had asked a closed window whether it is open again, and was not taken
 * (RFC 9293 §3.8.6.1; Linux asks without one). Then nothing was lost.
 */
export function isBehindProbe(connection: Connection, peer: Flow, segment: Segment, offset: number): boolean {
  if (offset !== -1 || !connection.path.hadClosedWindow) return false;
  return peer.hasAcknowledged && peer.acknowledged === segment.sequence;
}

/** The time until these bytes are acknowledged is a round trip. */
// Runs for every segment with payload.
export function startTiming(flow: Flow, segment: Segment): void {
  flow.isTimed = true;
  flow.timedTo = advance(segment.sequence, segment.payloadLength);
  flow.timedLow = segment.timeLow;
}

/**
 * How long these bytes came after those behind them, where they were sent again, in µs; 0 where they only took another way.
 * A host numbers its packets (IP identification) as it sends them: what was sent again has the higher number. Without
 * numbers, what comes a round trip late, or later than networks reorder, was asked for.
 */
export function filledHole(connection: Connection, flow: Flow, segment: Segment): number {
  const head = flow.held?.[0];
  if (head === undefined || distance(head.sequence, segment.sequence) <= 0) return 0;
  const lateUs = segment.timeUs - head.timeUs;
  if (lateUs <= 0) return 0;
  if (segment.ipId !== 0 && head.ipId !== 0) return (segment.ipId - head.ipId) << 16 > 0 ? lateUs : 0;
  const { toServer, toClient } = connection.path;
  const roundTripUs = Math.max(toServer.us, toClient.us);
  return lateUs >= Math.max(roundTripUs, NETWORK_REORDER_US) ? lateUs : 0;
}

/**
 * Whether what was just delivered had been acknowledged so long before it was captured that this is another copy: the receiver
 * had it by then, and its time is the acknowledgement's.
 */
export function isSentAgain(flow: Flow, odd: Oddity, timeUs: number): boolean {
  return timeUs - odd.coveredUs > CAPTURE_REORDER_US && distance(odd.coveredTo, flow.next) >= 0;
}
