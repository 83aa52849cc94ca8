import { u32 } from "../bytes/read.ts";
import type { Segment } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import { duplicateSackAt } from "./duplicate-sack.ts";
import type { Flow, Oddity } from "./flow.ts";
import { shortestUs } from "./round-trip.ts";
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

/**
 * From where on the bytes that were sent again had been there before the copy, as this acknowledgement tells; null where it does not.
 * Its sender says so (RFC 2883), or it comes sooner than the copy can have been there: the first one was, and came late.
 */
export function arrivedBefore(
  connection: Connection,
  fromClient: boolean,
  odd: Oddity,
  segment: Segment,
): number | null {
  const at = duplicateSackAt(segment);
  if (at >= 0) {
    const from = u32(segment.bytes, at) | 0;
    // What was known before it was said is not said of what was sent again since.
    if (from === odd.forNothingFrom) return null;
    odd.isSentTwice = false;
    return from;
  }
  // One that comes with a response is judged by that (transactions/teller.ts).
  if (segment.payloadLength > 0 || distance(segment.acknowledgement, odd.sentTwiceTo) < 0) return null;
  const { path, side } = connection;
  // What was seen on its receiver's host has arrived: there is no way to go.
  if (side === "local" || side === (fromClient ? "server" : "client")) return null;
  const { us } = fromClient ? path.toServer : path.toClient;
  if (segment.timeUs - odd.sentTwiceUs >= shortestUs(us)) return null;
  odd.sentTwiceUs = Number.NEGATIVE_INFINITY;
  odd.forNothingFrom = odd.sentTwiceFrom;
  return odd.sentTwiceFrom;
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
