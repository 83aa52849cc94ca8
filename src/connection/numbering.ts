import { type Segment, TcpFlag } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import { COPY_WINDOW_US } from "./duplicates.ts";
import type { Flow } from "./flow.ts";
import type { HeldSegment } from "./held-segments.ts";
import { advance, distance } from "./sequence.ts";

// What the sender's own numbers tell (IPv4 identification, RFC 6864). Most hosts number each connection's packets one by one as they
// send them, again or not: a number left out is a packet that was lost before here, and one that was seen is a packet seen twice.

/** Payload of a packet in an Ethernet, with time stamps. */
const PACKET_BYTES = 1448;
/**
 * Numbers are believed where so many packets in a row were numbered one by one; each hole costs as much, so that a host that numbers
 * the packets of several connections together is not believed for long.
 */
const ENOUGH_TRUST = 4;
const FULL_TRUST = 16;
/**
 * So many in a row, and its packets are not looked for any more. Hosts that number the packets of several connections together send
 * some in a row, too: behind the next jump of their numbers, copies of what was sent before it would not be known again.
 */
const LONG_TRUST = 80;
/** More were not sent again one after another. */
const MAX_MISSING = 4;

/** So many numbers behind the next one are remembered each by itself: one bit each of `Flow.seenIpIds`. */
const REMEMBERED = 32;
/** A packet this far behind the next one is late; further, and the sender does not number as we think. */
const MAX_BEHIND = 256;

/** A segment that the network card cuts, or has joined, is so many packets, or more where they are smaller (tunnels, overlays). */
function packetsOf(payloadLength: number): number {
  return payloadLength <= PACKET_BYTES ? 1 : Math.ceil(payloadLength / PACKET_BYTES);
}

/**
 * Whether this is surely no packet that was seen before: it has the next number of a sender that numbers one by one. Nearly all are, and
 * need not be looked for among the last ones nor be kept with them (24 ns of 246; `stages`).
 */
// Runs for every segment.
export function isNumberedNext(flow: Flow, segment: Segment): boolean {
  return segment.ipId === flow.nextIpId && flow.ipIdTrust === LONG_TRUST && segment.payloadLength <= PACKET_BYTES;
}

/**
 * Whether its number says that this very packet was seen a moment ago: it brings nothing new, and the number has been there. (What
 * its sender sends again has a number of its own.)
 */
export function isNumberSeen(connection: Connection, flow: Flow, segment: Segment): boolean {
  const behind = (flow.nextIpId - segment.ipId) & 0xffff;
  if (!flow.isNumbered || behind === 0 || behind > MAX_BEHIND) return false;
  if (segment.timeUs - connection.lastUs > COPY_WINDOW_US) return false;
  if (behind <= REMEMBERED && (flow.seenIpIds & (1 << (behind - 1))) === 0) return false;
  const length = segment.payloadLength + (segment.flags & TcpFlag.fin);
  if (length === 0) {
    // Numbers further back than those remembered were seen where there is no hole in sight.
    if (behind > REMEMBERED && flow.seenIpIds >= 0) return false;
    return distance(segment.acknowledgement, flow.acknowledged) <= 0;
  }
  const end = advance(segment.sequence, length);
  if (distance(end, flow.next) <= 0) return true;
  // What came before its turn is kept, or was nothing but bytes that are kept. (Some cards give the packets of one large segment a single number: that number
  // has been there for each of them.)
  if (flow.held === null || !isCovered(flow, segment.sequence, end)) return false;
  return behind <= REMEMBERED || isHeld(flow.held, segment.ipId);
}

/** Whether all bytes of [sequence, end) are delivered or kept. */
function isCovered(flow: Flow, sequence: number, end: number): boolean {
  let from = distance(sequence, flow.next) < 0 ? flow.next : sequence;
  for (const held of flow.held!) {
    if (distance(held.sequence, from) > 0) return false;
    const heldEnd = advance(held.sequence, held.length + (held.isFin ? 1 : 0));
    if (distance(heldEnd, from) > 0) from = heldEnd;
    if (distance(end, from) <= 0) return true;
  }
  return false;
}

/** Whether bytes of the packet of this number are kept. */
function isHeld(held: readonly HeldSegment[], ipId: number): boolean {
  for (let i = held.length - 1; i >= 0; i--) if (held[i]!.ipId === ipId) return true;
  return false;
}

/**
 * Added to the number of missing packets: this one acknowledges what none before it did, as far as was seen. They may have been
 * acknowledgements, which a filter for data leaves out.
 */
export const MAY_BE_ACKS = 1 << 20;

/**
 * Follows the sender's numbers, before its acknowledgement is noted. Returns how many packets are missing before this one, as far as
 * they tell.
 */
// Runs for every segment.
export function notePacket(flow: Flow, segment: Segment): number {
  if (!isNumberedNext(flow, segment)) return noteUnexpected(flow, segment);
  flow.nextIpId = (segment.ipId + 1) & 0xffff;
  flow.seenIpIds = (flow.seenIpIds << 1) | 1;
  return 0;
}

function noteUnexpected(flow: Flow, segment: Segment): number {
  const missing = (segment.ipId - flow.nextIpId) & 0xffff;
  const behind = 0x10000 - missing;
  if (flow.odd !== null && flow.odd.missingPackets > 0 && isLeftOut(flow, behind)) flow.odd.missingPackets--;
  if (flow.isNumbered && behind <= MAX_BEHIND) {
    // Late: its number was taken for a missing one.
    if (behind <= REMEMBERED) flow.seenIpIds |= 1 << (behind - 1);
    return 0;
  }
  const packets = packetsOf(segment.payloadLength);
  flow.nextIpId = (segment.ipId + packets) & 0xffff;
  flow.seenIpIds = missing + packets < REMEMBERED ? (flow.seenIpIds << (missing + packets)) | (1 << (packets - 1)) : 0;
  // Behind several packets in one, numbers left out may be those of packets smaller than we think: they tell nothing.
  const lost = flow.isJoined && missing > 0 && missing <= MAX_BEHIND ? 0 : noteMissing(flow, missing, segment);
  flow.isJoined = packets > 1;
  // What comes next must be looked at, expected or not.
  if (flow.isJoined && flow.ipIdTrust === LONG_TRUST) flow.ipIdTrust--;
  return lost;
}

/** Whether the number so far behind the next one was missed, and not seen until now. */
function isLeftOut(flow: Flow, behind: number): boolean {
  return behind <= REMEMBERED && (flow.seenIpIds & (1 << (behind - 1))) === 0;
}

function noteMissing(flow: Flow, missing: number, segment: Segment): number {
  if (missing === 0) {
    if (flow.ipIdTrust < LONG_TRUST && ++flow.ipIdTrust === FULL_TRUST) flow.isNumbered = true;
    return 0;
  }
  const trust = Math.min(flow.ipIdTrust, FULL_TRUST);
  const isBelieved = trust >= ENOUGH_TRUST && missing <= MAX_MISSING;
  flow.ipIdTrust = isBelieved ? trust - ENOUGH_TRUST : 0;
  if (!isBelieved) return 0;
  return distance(segment.acknowledgement, flow.acknowledged) > 0 ? missing + MAY_BE_ACKS : missing;
}
