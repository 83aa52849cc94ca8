import { Skip } from "./counters.ts";
import type { Segment } from "./segment.ts";

/**
 * RFC 9293 §3.1:
 *
 *     0  source port          8  acknowledgement number
 *     2  destination port    12  data offset in 4-byte words (4 bits), reserved
 *     4  sequence number     13  flags        14  window        16  checksum
 *
 * `end` bounds the captured bytes, `packetEnd` is where the IP packet ended on the wire.
 */
// Runs for every segment.
export function decodeTcp(segment: Segment, frame: DataView, at: number, end: number, packetEnd: number): Skip {
  if (at + 20 > packetEnd) return Skip.malformed;
  if (at + 20 > end) return Skip.cutHeader;
  const headerBytes = (frame.getUint8(at + 12) >>> 4) << 2;
  const payloadStart = at + headerBytes;
  if (headerBytes < 20 || payloadStart > packetEnd) return Skip.malformed;
  segment.isDatagram = false;
  segment.sourcePort = frame.getUint16(at);
  segment.destinationPort = frame.getUint16(at + 2);
  segment.sequence = frame.getInt32(at + 4);
  segment.acknowledgement = frame.getInt32(at + 8);
  segment.flags = frame.getUint8(at + 13);
  segment.window = frame.getUint16(at + 14);
  segment.checksum = frame.getUint16(at + 16);
  segment.headerStart = at;
  segment.payloadStart = payloadStart;
  segment.payloadLength = packetEnd - payloadStart;
  // A frame may be longer than its packet (Ethernet pads to 60 bytes) or, cut by the snaplen, shorter.
  const capturedEnd = Math.min(end, packetEnd);
  segment.payloadCaptured = capturedEnd > payloadStart ? capturedEnd - payloadStart : 0;
  return Skip.none;
}
