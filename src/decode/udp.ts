import { Skip } from "./counters.ts";
import type { Segment } from "./segment.ts";

const HEADER_BYTES = 8;
/** There is no window, and so none is ever closed. */
const NO_WINDOW = 0xffff;
/** Bytes of a datagram that `sequence` sums up: the ids of messages, and nearly all of a question. */
const SUMMED_BYTES = 64;

/**
 * RFC 768: source port 2, destination port 2, length (header included) 2, checksum 2.
 *
 * `end` bounds the captured bytes, `packetEnd` is where the IP packet ended on the wire. Of several fragments the first is taken for a datagram that was
 * cut off; the others are skipped.
 */
// Runs for every datagram.
export function decodeUdp(
  segment: Segment,
  frame: DataView,
  at: number,
  end: number,
  packetEnd: number,
  isFirstFragment: boolean,
): Skip {
  if (at + HEADER_BYTES > packetEnd) return Skip.malformed;
  if (at + HEADER_BYTES > end) return Skip.cutHeader;
  const length = frame.getUint16(at + 4);
  // 0: a jumbogram (RFC 2675 §4), or one handed to the network card: then the packet's own length counts.
  const datagramEnd = length === 0 ? packetEnd : at + length;
  if (datagramEnd < at + HEADER_BYTES || (datagramEnd > packetEnd && !isFirstFragment)) return Skip.malformed;
  segment.isDatagram = true;
  segment.sourcePort = frame.getUint16(at);
  segment.destinationPort = frame.getUint16(at + 2);
  segment.acknowledgement = 0;
  segment.flags = 0;
  segment.window = NO_WINDOW;
  segment.checksum = frame.getUint16(at + 6);
  segment.headerStart = at;
  segment.payloadStart = at + HEADER_BYTES;
  segment.payloadLength = datagramEnd - segment.payloadStart;
  segment.payloadCaptured = Math.max(0, Math.min(end, packetEnd, datagramEnd) - segment.payloadStart);
  segment.sequence = sumOf(segment, frame);
  return Skip.none;
}

function sumOf({ payloadStart, payloadCaptured, payloadLength }: Segment, frame: DataView): number {
  const stop = payloadStart + Math.min(payloadCaptured, SUMMED_BYTES);
  let sum = payloadLength;
  let at = payloadStart;
  for (; at + 4 <= stop; at += 4) sum = Math.imul(sum ^ frame.getUint32(at), 0x9e3779b1) ^ (sum >>> 15);
  for (; at < stop; at++) sum = Math.imul(sum ^ frame.getUint8(at), 0x85ebca6b);
  return sum | 0;
}
