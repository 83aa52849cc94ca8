import { upper } from "./commands.ts";

const NO_BYTES = new Uint8Array(0);

/** The first bytes of a word that may come in pieces. Longer words keep their length, and equal nothing. */
export class ShortWord {
  static readonly capacity = 48;
  /** Made for the first word: most connections have none that must be looked at, and there may be 100,000 of them. */
  bytes = NO_BYTES;
  length = 0;
  /** Bytes within it were never seen. */
  isCut = false;

  clear(): void {
    this.length = 0;
    this.isCut = false;
  }

  /** Bytes within it cannot be seen: it equals nothing any more. */
  cut(): void {
    this.length += ShortWord.capacity + 1;
    this.isCut = true;
  }

  append(source: Uint8Array, start: number, end: number): void {
    if (this.bytes === NO_BYTES) this.bytes = new Uint8Array(ShortWord.capacity);
    let to = this.length;
    for (let from = start; from < end && to < ShortWord.capacity; from++) this.bytes[to++] = source[from]!;
    this.length += end - start;
  }

  /** The bytes kept: fewer than `length` where the word was longer. */
  get kept(): number {
    return Math.min(this.length, ShortWord.capacity);
  }

  /** Whether it is this word, in any case. `word` is ASCII in capitals. */
  is(word: string): boolean {
    if (this.length !== word.length) return false;
    for (let i = 0; i < word.length; i++) if (upper(this.bytes[i]!) !== word.charCodeAt(i)) return false;
    return true;
  }

  /** Whether it begins like this word, in any case, or is a part of that of at least so many bytes. */
  beginsLike(word: string, least: number): boolean {
    const length = Math.min(this.kept, word.length);
    for (let i = 0; i < length; i++) if (upper(this.bytes[i]!) !== word.charCodeAt(i)) return false;
    return length >= least;
  }

  /** Whether this byte is its last, as far as it is kept. */
  endsWith(byte: number): boolean {
    return this.length > 0 && this.length <= ShortWord.capacity && this.bytes[this.length - 1] === byte;
  }

  /** Whether it contains this word, in any case. */
  contains(word: string): boolean {
    for (let at = 0; at + word.length <= this.kept; at++) {
      let i = 0;
      while (i < word.length && upper(this.bytes[at + i]!) === word.charCodeAt(i)) i++;
      if (i === word.length) return true;
    }
    return false;
  }

  /** The non-negative integer that it is, or -1. */
  toCount(): number {
    if (this.length === 0 || this.length > 15) return -1;
    let value = 0;
    for (let i = 0; i < this.length; i++) {
      const digit = this.bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }
}
