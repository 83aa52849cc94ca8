import { u32 } from "../bytes/read.ts";
import type { Segment } from "../decode/segment.ts";
import { distance } from "./sequence.ts";

/** TCP's fixed header, RFC 9293 §3.1; the options follow. */
const FIXED_BYTES = 20;
const END = 0;
const NOTHING = 1;
/** RFC 2018 §3: kind, length, then pairs of sequence numbers. */
const SACK = 5;

/**
 * Where the bytes begin that the sender of this acknowledgement says it has received twice, as an index into the segment's
 * bytes at which that block (two sequence numbers) stands; -1 where it says no such thing. The first block of a SACK option
 * that lies below the acknowledgement is one of those (RFC 2883 §4).
 */
export function duplicateSackAt(segment: Segment): number {
  const { bytes, payloadStart } = segment;
  for (let at = segment.headerStart + FIXED_BYTES; at + 1 < payloadStart; ) {
    const kind = bytes[at]!;
    if (kind === END) return -1;
    if (kind === NOTHING) {
      at++;
      continue;
    }
    const length = bytes[at + 1]!;
    if (length < 2 || at + length > payloadStart) return -1;
    if (kind === SACK && length >= 10)
      return distance(u32(bytes, at + 6) | 0, segment.acknowledgement) <= 0 ? at + 2 : -1;
    at += length;
  }
  return -1;
}
