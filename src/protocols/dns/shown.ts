import { type Message, shownHash } from "./message.ts";
import { name } from "./name.ts";

/**
 * What is kept of a pending question (its `replyKind`), so that an answer can be compared with it where either is cut off, perhaps at
 * different places: how many of its bytes were captured (8 bits), whether these are all (1), a hash of its first label (8), and one of what
 * was captured, where that is not all (14).
 */
const SHOWN = 0xff;
const WHOLE = 0x100;
const [FIRST_SHIFT, FIRST] = [9, 0xff];
const [HASH_SHIFT, HASH] = [17, 0x3fff];

/** Of the question just read; `hash` is that of its bytes where it is cut off. */
export function noteOf(message: Message, hash: number): number {
  const whole = message.isCut ? 0 : WHOLE;
  return message.shown | whole | (firstOf(name.firstHash) << FIRST_SHIFT) | (hashBits(hash) << HASH_SHIFT);
}

/** Whether an answer repeats a pending question, as far as both were captured. */
export const Repeats = { no: 0, unknown: 1, yes: 2 } as const;
export type Repeats = (typeof Repeats)[keyof typeof Repeats];

/** Compares the message just read, which begins at bytes[start], with the pending question of this note; one of them is cut off. */
export function repeats(note: number, message: Message, bytes: Uint8Array, start: number): Repeats {
  const shown = note & SHOWN;
  const isWhole = (note & WHOLE) !== 0;
  // What is whole is longer than what is cut off.
  if (isWhole ? !message.isCut || message.shown >= shown : !message.isCut && message.shown <= shown) return Repeats.no;
  if (shown <= message.shown) {
    if (shown === 0) return Repeats.unknown;
    return hashBits(shownHash(bytes, start, shown)) === ((note >>> HASH_SHIFT) & HASH) ? Repeats.yes : Repeats.no;
  }
  // Of the question more was captured than of the answer: of how both begin, the first label is kept.
  if (name.firstHash === 0) return Repeats.unknown;
  return firstOf(name.firstHash) === ((note >>> FIRST_SHIFT) & FIRST) ? Repeats.yes : Repeats.no;
}

/** 0 is none. */
function firstOf(hash: number): number {
  return hash === 0 ? 0 : (hash ^ (hash >>> 13)) & FIRST || 1;
}

function hashBits(hash: number): number {
  return (hash ^ (hash >>> 15)) & HASH;
}
