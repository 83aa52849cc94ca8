/**
 * Arithmetic on TCP sequence numbers, which wrap at 2^32 (RFC 9293 §3.4). They are kept as signed 32-bit integers;
 * a difference is meaningful while both lie within 2 GiB of each other.
 */

/** How far `a` lies behind `b` in the stream: negative when it lies before. */
// Runs for every segment.
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}

export function advance(sequence: number, bytes: number): number {
  return (sequence + bytes) | 0;
}
