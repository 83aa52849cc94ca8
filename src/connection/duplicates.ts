import type { Segment } from "../decode/segment.ts";
import { SHARES, shareOf } from "../decode/share.ts";

/**
 * Recognises frames that were captured twice: on a bridge `-i any` sees each frame at every port it passes,
 * microseconds apart, and a mirror port sees it coming and going.
 *
 * A sender numbers its packets: a segment that is really sent again has another IPv4 identification. So the same
 * addresses, ports, sequence and acknowledgement numbers, flags, length and identification within a short time are one
 * packet seen twice. Where there is no identification (IPv6, or 0) the window and the TCP checksum, which covers time stamps,
 * must be the same too, and the time is shorter than any retransmission. (Where the network card makes the checksum it is not there
 * yet: it said of a window that opens again that it was the one that had closed.)
 *
 * A table of the last frames, two to a place, of which the older makes room: with one, of a hundred thousand frames in a
 * second every five-hundredth copy would not be known again. An entry is 8 words (32 bytes). A hit compares all of them.
 * Each share of the connections has entries of its own, so that what is known again does not depend on which other shares
 * pass here (`--workers`): 256 KiB in all.
 *
 * Packets whose sender numbers them one by one never come here: their numbers alone tell (`numbering.ts`).
 */
const ENTRIES = 512;
const WORDS = 8;
/** A frame comes back within microseconds; 20 ms leave room for a mirror's queue, and none for a time-out (200 ms). */
export const COPY_WINDOW_US = 20_000;
const WINDOW_WITHOUT_ID_US = 1_000;

export class DuplicateFilter {
  private readonly table = new Int32Array(SHARES * ENTRIES * WORDS);
  duplicates = 0;

  /** True when the same packet was seen a moment ago; remembers it otherwise. */
  // Runs for every segment.
  isDuplicate(segment: Segment): boolean {
    const table = this.table;
    const sequence = segment.sequence;
    const acknowledgement = segment.acknowledgement;
    const ports = (segment.sourcePort << 16) | segment.destinationPort;
    const { ipId } = segment;
    const identity = ((ipId !== 0 ? ipId : segment.window) << 16) | segment.checksum;
    const shape = (segment.flags << 24) ^ segment.payloadLength;
    const from = segment.source3 ^ segment.source2 ^ segment.source1 ^ segment.source0;
    const to = segment.destination3 ^ segment.destination2 ^ segment.destination1 ^ segment.destination0;
    let hash =
      Math.imul(sequence ^ (acknowledgement << 7) ^ ports, 0x9e3779b1) ^
      Math.imul(shape ^ (identity >>> 16), 0x85ebca6b);
    hash ^= hash >>> 15;
    const share = shareOf(from ^ to, segment.sourcePort ^ segment.destinationPort);
    const first = (share * ENTRIES + (hash & (ENTRIES - 1))) * WORDS;
    const second = first ^ WORDS;
    let at = first;
    for (;;) {
      if (
        table[at] === sequence &&
        table[at + 1] === acknowledgement &&
        table[at + 2] === ports &&
        table[at + 4] === shape &&
        table[at + 5] === from &&
        table[at + 6] === to
      ) {
        if (this.isSamePacket(segment, table[at + 3]!, identity, table[at + 7]!)) return true;
        break;
      }
      if (at === second) {
        // Neither: the older entry makes room. (By their age: one never used, whose time is 0, must not look like the newest.)
        const now = segment.timeLow;
        if ((now - table[first + 7]!) >>> 0 > (now - table[second + 7]!) >>> 0) at = first;
        break;
      }
      at = second;
    }
    table[at] = sequence;
    table[at + 1] = acknowledgement;
    table[at + 2] = ports;
    table[at + 3] = identity;
    table[at + 4] = shape;
    table[at + 5] = from;
    table[at + 6] = to;
    table[at + 7] = segment.timeLow;
    return false;
  }

  /** A frame with the same numbers was seen at `knownTime`, with the identification and checksum `known`. */
  private isSamePacket(segment: Segment, known: number, identity: number, knownTime: number): boolean {
    const age = Math.abs((segment.timeLow - knownTime) | 0);
    const isSame =
      segment.ipId !== 0
        ? known >>> 16 === segment.ipId && age <= COPY_WINDOW_US
        : known === identity && age <= WINDOW_WITHOUT_ID_US;
    if (isSame) this.duplicates++;
    return isSame;
  }
}
