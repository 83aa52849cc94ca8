/** A name is at most 255 bytes, and a label 63 (RFC 1035 §2.3.4). */
const MAX_NAME_BYTES = 255;
/** Pointers followed of one name: real servers' have one or two. */
const MAX_POINTERS = 16;
const POINTER = 0xc0;
const DOT = 0x2e;
const BACKSLASH = 0x5c;
const FIRST_HASH = 0x811c9dc5;

/** `readName` where the name is no name, or goes on in bytes that were not captured. */
export const NO_NAME = -1;
export const CUT_NAME = -2;

/** The name last read: text[0, length), as people write it, e.g. `www.example.com`; the root is `.`. */
export const name = {
  // Every byte may be a dot that is no separator: `\.`.
  text: new Uint8Array(2 * MAX_NAME_BYTES),
  length: 0,
  /** Of the name in small letters: servers need not give back the letters that they were asked with. */
  hash: 0,
  /** The hash of its first label, 0 where that was not seen to its end: even of a name that is cut off it is known most often. */
  firstHash: 0,
};

/**
 * Reads the name at `at` of the message bytes[start, end) into `name`. Returns the index behind it, NO_NAME or CUT_NAME.
 *
 * RFC 1035 §4.1.4: labels, each with its length in front, up to one of length 0, or up to a pointer: two bytes of which
 * the upper two bits are 1, the others where in the message the rest of the name stands. Whoever follows pointers forwards, or
 * without end, is had: here each has to lead further back than the one before it.
 */
export function readName(bytes: Uint8Array, start: number, at: number, end: number): number {
  let from = at;
  let behind = -1;
  let limit = at;
  let pointers = 0;
  let bytesLeft = MAX_NAME_BYTES;
  name.length = 0;
  name.hash = FIRST_HASH;
  name.firstHash = 0;
  for (;;) {
    if (from >= end) return CUT_NAME;
    const length = bytes[from]!;
    if (length === 0) break;
    if (length >= POINTER) {
      if (from + 1 >= end) return CUT_NAME;
      const to = start + (((length & ~POINTER) << 8) | bytes[from + 1]!);
      if (behind < 0) behind = from + 2;
      if (to >= limit || ++pointers > MAX_POINTERS) return NO_NAME;
      limit = to;
      from = to;
      continue;
    }
    bytesLeft -= length + 1;
    if (length > 63 || bytesLeft < 1) return NO_NAME;
    if (from + 1 + length > end) return CUT_NAME;
    addLabel(bytes, from + 1, from + 1 + length);
    if (name.firstHash === 0) name.firstHash = name.hash;
    from += 1 + length;
  }
  if (name.length === 0) name.text[name.length++] = DOT;
  return behind < 0 ? from + 1 : behind;
}

/** What `readName` would return, without a look at the letters: `name` is not set. */
export function passName(bytes: Uint8Array, start: number, at: number, end: number): number {
  for (let from = at; ; ) {
    if (from >= end) return CUT_NAME;
    const length = bytes[from]!;
    if (length === 0) return from + 1;
    // A pointer, or none.
    if (length > 63) return readName(bytes, start, at, end);
    from += 1 + length;
    if (from - at >= MAX_NAME_BYTES) return NO_NAME;
    if (from > end) return CUT_NAME;
  }
}

function addLabel(bytes: Uint8Array, start: number, end: number): void {
  const { text } = name;
  let { length, hash } = name;
  if (length > 0) text[length++] = DOT;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === DOT || byte === BACKSLASH) text[length++] = BACKSLASH;
    text[length++] = byte;
    hash = Math.imul(hash ^ small(byte), 0x01000193);
  }
  name.length = length;
  name.hash = Math.imul(hash ^ DOT, 0x01000193);
}

function small(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** A hash of bytes[start, end) as they stand there, their letters small: neither a label's length nor a pointer looks like one. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FIRST_HASH;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ small(bytes[at]!), 0x01000193);
  return hash;
}

/** The name last read, a byte a character. */
export function nameText(): string {
  return Buffer.from(name.text.subarray(0, name.length)).toString("latin1");
}
