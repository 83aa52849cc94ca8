import { advance, distance } from "../connection/sequence.ts";

/** How far one direction of a connection has been read: a place in its stream, and that place on the wire. */
export class StreamPlace {
  /** Bytes since the first that was seen (or missed). */
  offset = 0;
  /** The TCP sequence number of the byte at `offset`. */
  next = 0;
  /** When it last moved, µs since the epoch. */
  lastUs = 0.5;

  /** `length` bytes were read, at this time. */
  // Runs for every segment with payload.
  move(length: number, timeUs: number): void {
    this.offset += length;
    this.next = advance(this.next, length);
    this.lastUs = timeUs;
  }

  /** `missing` bytes will never come; the next byte has this sequence number. */
  skip(missing: number, next: number): void {
    this.offset += missing;
    this.next = next;
  }

  /** The place of the byte with this sequence number. */
  offsetOf(sequence: number): number {
    return this.offset - distance(this.next, sequence);
  }

  /** The sequence number (u32) of the byte at this place. */
  sequenceAt(offset: number): number {
    return advance(this.next, offset - this.offset) >>> 0;
  }
}
