/** FNV-1a, 32 bits: the start value, and one step. */
export const HASH_START = 0x811c9dc5 | 0;

// Runs for every byte of a command line.
export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function hashOf(word: string): number {
  let hash = HASH_START;
  for (let index = 0; index < word.length; index++) {
    hash = hashStep(hash, word.charCodeAt(index));
  }
  return hash;
}

/** Longest word a WordTable can hold, in bytes. */
const WORD_CAPACITY = 16;

const SLOTS = 256;

/** Known words by number (their index in `words`), looked up without making a string. */
export class WordTable {
  private readonly words: readonly Uint8Array[];
  private readonly hashes: Int32Array;
  /** Index into words + 1, 0 for an empty slot; open addressing. */
  private readonly slots = new Uint8Array(SLOTS);

  constructor(words: readonly string[]) {
    this.words = words.map((word) => new TextEncoder().encode(word));
    this.hashes = Int32Array.from(words, hashOf);
    for (const [index, word] of words.entries()) {
      if (word.length > WORD_CAPACITY || index >= SLOTS / 2) {
        throw new Error(`the table of words cannot hold ${word}`);
      }
      let slot = hashOf(word) & (SLOTS - 1);
      while (this.slots[slot] !== 0) {
        slot = (slot + 1) & (SLOTS - 1);
      }
      this.slots[slot] = index + 1;
    }
  }

  /** The number of the word bytes[0, length) that has this hash, or -1. */
  find(bytes: Uint8Array, length: number, hash: number): number {
    let slot = hash & (SLOTS - 1);
    for (let entry = this.slots[slot]!; entry !== 0; entry = this.slots[slot]!) {
      if (this.hashes[entry - 1] === hash && this.isWord(entry - 1, bytes, length)) {
        return entry - 1;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
    return -1;
  }

  /** Whether some word begins with bytes[start, end). */
  hasPrefix(bytes: Uint8Array, start: number, end: number): boolean {
    return this.words.some((word) => {
      let same = 0;
      while (start + same < end && same < word.length && word[same] === bytes[start + same]) {
        same++;
      }
      return start + same === end;
    });
  }

  private isWord(index: number, bytes: Uint8Array, length: number): boolean {
    const word = this.words[index]!;
    if (word.length !== length) {
      return false;
    }
    for (let at = 0; at < length; at++) {
      if (word[at] !== bytes[at]) {
        return false;
      }
    }
    return true;
  }
}
