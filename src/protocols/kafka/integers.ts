// Runs for every message.

/** What `Integers` returns where the bytes end before the integer: all there were have been taken. */
export const STARVED = -1;

/** A uuid is the longest thing that is held until it is whole. */
const HELD_BYTES = 16;
const MAX_VARINT_SHIFT = 28;

/** Reads big-endian integers, varints and uuids, however they are cut: what has come of one is kept until the rest comes. */
export class Integers {
  /** The integer read last; signed, but for varints. */
  value = 0;
  /** The bytes of the uuid read last. */
  readonly held = new Uint8Array(HELD_BYTES);
  private heldBytes = 0;
  private sum = 0;
  private shift = 0;

  /** Nothing has come of the next one. */
  begin(): void {
    this.heldBytes = 0;
    this.sum = 0;
    this.shift = 0;
  }

  /** Reads an integer of 1, 2, 4 or 8 bytes from bytes[at, end). Returns where it ends, or STARVED. */
  fixed(bytes: Uint8Array, at: number, end: number, size: number): number {
    if (this.heldBytes === 0 && at + size <= end) {
      this.value = signed(bytes, at, size);
      return at + size;
    }
    const next = this.hold(bytes, at, end, size);
    if (next !== STARVED) this.value = signed(this.held, 0, size);
    return next;
  }

  /** The same for the 16 bytes of a uuid, which are left in `held`. */
  uuid(bytes: Uint8Array, at: number, end: number): number {
    return this.hold(bytes, at, end, HELD_BYTES);
  }

  private hold(bytes: Uint8Array, at: number, end: number, size: number): number {
    let from = at;
    while (from < end && this.heldBytes < size) this.held[this.heldBytes++] = bytes[from++]!;
    if (this.heldBytes < size) return STARVED;
    this.heldBytes = 0;
    return from;
  }

  /** The same for an unsigned varint: 7 bits a byte, the lowest first. One of more than 5 bytes is larger than anything. */
  varint(bytes: Uint8Array, at: number, end: number): number {
    for (let from = at; from < end; from++) {
      const byte = bytes[from]!;
      this.sum += (byte & 0x7f) * 2 ** this.shift;
      this.shift += 7;
      const isTooLong = this.shift > MAX_VARINT_SHIFT + 7;
      if (byte >= 0x80 && !isTooLong) continue;
      this.value = isTooLong ? Number.MAX_SAFE_INTEGER : this.sum;
      this.sum = 0;
      this.shift = 0;
      return from + 1;
    }
    return STARVED;
  }
}

function signed(bytes: Uint8Array, at: number, size: number): number {
  switch (size) {
    case 1:
      return (bytes[at]! << 24) >> 24;
    case 2:
      return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
    case 4:
      return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    default:
      return signed(bytes, at, 4) * 2 ** 32 + (signed(bytes, at + 4, 4) >>> 0);
  }
}
