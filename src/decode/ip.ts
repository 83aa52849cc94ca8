import { u16, u32 } from "../bytes/read.ts";
import { Skip } from "./counters.ts";
import type { Segment } from "./segment.ts";
import { decodeTcp } from "./tcp.ts";
import { decodeUdp } from "./udp.ts";

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** The first fragment of several: of a datagram it says who sends it to whom, how long it is, and how it begins. */
const MORE_FRAGMENTS = 0x2000;

/**
 * Decodes the IP packet at `at` and the TCP segment or, where these are wanted, the UDP datagram in it. `end` bounds the captured bytes, `originalEnd` is where the
 * frame ended on the wire.
 */
// Runs for every segment.
export function decodeIp(segment: Segment, bytes: Uint8Array, at: number, end: number, originalEnd: number): Skip {
  if (at >= end) return Skip.cutHeader;
  const version = bytes[at]! >>> 4;
  if (version === 4) return decodeIpv4(segment, bytes, at, end, originalEnd);
  if (version === 6) return decodeIpv6(segment, bytes, at, end, originalEnd);
  return Skip.notIp;
}

/**
 * RFC 791 §3.1:
 *
 *     0  version, header length in 4-byte words    8  time to live, protocol
 *     2  total length                             10  header checksum
 *     4  identification                           12  source address
 *     6  flags (3 bits), fragment offset          16  destination address
 */
function decodeIpv4(segment: Segment, bytes: Uint8Array, at: number, end: number, originalEnd: number): Skip {
  if (at + 20 > end) return Skip.cutHeader;
  const headerBytes = (bytes[at]! & 15) << 2;
  if (headerBytes < 20) return Skip.malformed;
  const isTcp = bytes[at + 9] === PROTOCOL_TCP;
  if (!isTcp && (bytes[at + 9] !== PROTOCOL_UDP || !segment.wantsDatagrams)) return Skip.notTcp;
  // More fragments, or an offset: the segment is not whole. (Bit 14, "don't fragment", does not matter.)
  const fragment = u16(bytes, at + 6) & 0x3fff;
  if (fragment !== 0 && (isTcp || fragment !== MORE_FRAGMENTS)) return Skip.fragment;
  let totalLength = u16(bytes, at + 2);
  // A packet handed to the network card for segmentation may carry the length 0: then the frame's own length counts.
  if (totalLength === 0) totalLength = originalEnd - at;
  if (totalLength < headerBytes) return Skip.malformed;
  segment.ipVersion = 4;
  segment.source0 = segment.source1 = segment.source2 = 0;
  segment.destination0 = segment.destination1 = segment.destination2 = 0;
  segment.source3 = u32(bytes, at + 12) | 0;
  segment.destination3 = u32(bytes, at + 16) | 0;
  segment.ipId = u16(bytes, at + 4);
  if (isTcp) return decodeTcp(segment, bytes, at + headerBytes, end, at + totalLength);
  return decodeUdp(segment, bytes, at + headerBytes, end, at + totalLength, fragment !== 0);
}

/**
 * RFC 8200 §3: version, class, label 4; payload length 2; next header 1; hop limit 1; source 16; destination 16.
 * Extension headers (§4) begin with the next header's number and, but for the fragment header, their length in
 * 8-byte words beyond the first.
 */
function decodeIpv6(segment: Segment, bytes: Uint8Array, at: number, end: number, originalEnd: number): Skip {
  if (at + 40 > end) return Skip.cutHeader;
  const payloadLength = u16(bytes, at + 4);
  // 0: a jumbogram (RFC 2675), as Linux' BIG TCP shows them, or a packet not yet segmented.
  const packetEnd = payloadLength === 0 ? originalEnd : at + 40 + payloadLength;
  segment.ipVersion = 6;
  segment.source0 = u32(bytes, at + 8) | 0;
  segment.source1 = u32(bytes, at + 12) | 0;
  segment.source2 = u32(bytes, at + 16) | 0;
  segment.source3 = u32(bytes, at + 20) | 0;
  segment.destination0 = u32(bytes, at + 24) | 0;
  segment.destination1 = u32(bytes, at + 28) | 0;
  segment.destination2 = u32(bytes, at + 32) | 0;
  segment.destination3 = u32(bytes, at + 36) | 0;
  segment.ipId = 0;
  let next = bytes[at + 6]!;
  let header = at + 40;
  let isFirst = false;
  while (next !== PROTOCOL_TCP) {
    if (next === PROTOCOL_UDP && segment.wantsDatagrams)
      return decodeUdp(segment, bytes, header, end, packetEnd, isFirst);
    if (header + 8 > end) return isExtension(next) ? Skip.cutHeader : Skip.notTcp;
    if (next === 44) {
      // Fragment header: offset (13 bits), reserved (2), more fragments (1). An "atomic" one is a whole packet.
      const fragment = u16(bytes, header + 2) & 0xfff9;
      next = bytes[header]!;
      isFirst = fragment === 1 && next === PROTOCOL_UDP && segment.wantsDatagrams;
      if (fragment !== 0 && !isFirst) return Skip.fragment;
      header += 8;
    } else if (next === 51) {
      // Authentication header (RFC 4302): its length counts 4-byte words beyond the first two.
      next = bytes[header]!;
      header += (bytes[header + 1]! + 2) << 2;
    } else if (isExtension(next)) {
      next = bytes[header]!;
      header += (bytes[header + 1]! + 1) << 3;
    } else {
      return Skip.notTcp;
    }
  }
  return decodeTcp(segment, bytes, header, end, packetEnd);
}

/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, host identity, shim6. */
function isExtension(next: number): boolean {
  return (
    next === 0 ||
    next === 43 ||
    next === 44 ||
    next === 51 ||
    next === 60 ||
    next === 135 ||
    next === 139 ||
    next === 140
  );
}
