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
export function decodeIp(segment: Segment, frame: DataView, at: number, end: number, originalEnd: number): Skip {
  if (at >= end) return Skip.cutHeader;
  const version = frame.getUint8(at) >>> 4;
  if (version === 4) return decodeIpv4(segment, frame, at, end, originalEnd);
  if (version === 6) return decodeIpv6(segment, frame, at, end, originalEnd);
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
function decodeIpv4(segment: Segment, frame: DataView, at: number, end: number, originalEnd: number): Skip {
  if (at + 20 > end) return Skip.cutHeader;
  const headerBytes = (frame.getUint8(at) & 15) << 2;
  if (headerBytes < 20) return Skip.malformed;
  const isTcp = frame.getUint8(at + 9) === PROTOCOL_TCP;
  if (!isTcp && (frame.getUint8(at + 9) !== PROTOCOL_UDP || !segment.wantsDatagrams)) return Skip.notTcp;
  // More fragments, or an offset: the segment is not whole. (Bit 14, "don't fragment", does not matter.)
  const fragment = frame.getUint16(at + 6) & 0x3fff;
  if (fragment !== 0 && (isTcp || fragment !== MORE_FRAGMENTS)) return Skip.fragment;
  let totalLength = frame.getUint16(at + 2);
  // A packet handed to the network card for segmentation may carry the length 0: then the frame's own length counts.
  if (totalLength === 0) totalLength = originalEnd - at;
  if (totalLength < headerBytes) return Skip.malformed;
  segment.ipVersion = 4;
  segment.source0 = segment.source1 = segment.source2 = 0;
  segment.destination0 = segment.destination1 = segment.destination2 = 0;
  segment.source3 = frame.getInt32(at + 12);
  segment.destination3 = frame.getInt32(at + 16);
  segment.ipId = frame.getUint16(at + 4);
  if (isTcp) return decodeTcp(segment, frame, at + headerBytes, end, at + totalLength);
  return decodeUdp(segment, frame, at + headerBytes, end, at + totalLength, fragment !== 0);
}

/**
 * RFC 8200 §3: version, class, label 4; payload length 2; next header 1; hop limit 1; source 16; destination 16.
 * Extension headers (§4) begin with the next header's number and, but for the fragment header, their length in
 * 8-byte words beyond the first.
 */
function decodeIpv6(segment: Segment, frame: DataView, at: number, end: number, originalEnd: number): Skip {
  if (at + 40 > end) return Skip.cutHeader;
  const payloadLength = frame.getUint16(at + 4);
  // 0: a jumbogram (RFC 2675), as Linux' BIG TCP shows them, or a packet not yet segmented.
  const packetEnd = payloadLength === 0 ? originalEnd : at + 40 + payloadLength;
  segment.ipVersion = 6;
  segment.source0 = frame.getInt32(at + 8);
  segment.source1 = frame.getInt32(at + 12);
  segment.source2 = frame.getInt32(at + 16);
  segment.source3 = frame.getInt32(at + 20);
  segment.destination0 = frame.getInt32(at + 24);
  segment.destination1 = frame.getInt32(at + 28);
  segment.destination2 = frame.getInt32(at + 32);
  segment.destination3 = frame.getInt32(at + 36);
  segment.ipId = 0;
  let next = frame.getUint8(at + 6);
  let header = at + 40;
  let isFirst = false;
  while (next !== PROTOCOL_TCP) {
    if (next === PROTOCOL_UDP && segment.wantsDatagrams)
      return decodeUdp(segment, frame, header, end, packetEnd, isFirst);
    if (header + 8 > end) return isExtension(next) ? Skip.cutHeader : Skip.notTcp;
    if (next === 44) {
      // Fragment header: offset (13 bits), reserved (2), more fragments (1). An "atomic" one is a whole packet.
      const fragment = frame.getUint16(header + 2) & 0xfff9;
      next = frame.getUint8(header);
      isFirst = fragment === 1 && next === PROTOCOL_UDP && segment.wantsDatagrams;
      if (fragment !== 0 && !isFirst) return Skip.fragment;
      header += 8;
    } else if (next === 51) {
      // Authentication header (RFC 4302): its length counts 4-byte words beyond the first two.
      next = frame.getUint8(header);
      header += (frame.getUint8(header + 1) + 2) << 2;
    } else if (isExtension(next)) {
      next = frame.getUint8(header);
      header += (frame.getUint8(header + 1) + 1) << 3;
    } else {
      return Skip.notTcp;
    }
  }
  return decodeTcp(segment, frame, header, end, packetEnd);
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
