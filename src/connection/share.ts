import type { Segment } from "../decode/segment.ts";

/**
 * Which of `shares` equal parts a segment's connection belongs to, from 0: the same for both directions, in every run, and for
 * every worker. Neighbouring ports, all there is on a loopback, are spread evenly.
 */
// Runs for every segment.
export function shareOf(s: Segment, shares: number): number {
  let mixed = Math.imul(s.source3 ^ s.destination3, 0x9e3779b1) ^ (s.sourcePort ^ s.destinationPort);
  if (s.ipVersion === 6) {
    mixed ^= Math.imul(s.source2 ^ s.destination2, 0x85ebca6b);
    mixed ^= Math.imul(s.source1 ^ s.destination1 ^ s.source0 ^ s.destination0, 0xc2b2ae35);
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % shares;
}
