import { HASH_START, hashStep } from "./words.ts";

// Runs for every segment.

/** What `LineReader.next` found. */
export const Found = {
  /** All bytes are used up; the line goes on. */
  more: 0,
  /** A word is complete. */
  word: 1,
  /** The line is complete; it may have ended a word first, which was then reported before. */
  line: 2,
} as const;
export type Found = (typeof Found)[keyof typeof Found];

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
/** More digits overflow the server's strtoll. */
const MAX_DIGITS = 19;

/**
 * Cuts lines into words as memcached does (blanks separate, `\n` ends, a `\r` before it is dropped), over any number of
 * pushes, and keeps what is asked of a word: its length, its hash, its value as a number.
 */
export class LineReader {
  /** Where reading stopped. */
  at = 0;
  /** Of the line so far, its end included. */
  lineBytes = 0;
  /** Complete words, or the index of the one being read. */
  wordIndex = 0;
  isInWord = false;
  /** Where the current word's bytes begin in the bytes last given. */
  partStart = 0;
  wordBytes = 0;
  firstByte = 0;
  /** Of the whole word. */
  hash = HASH_START;
  /** Of the word without its first byte (meta flags: `O123`). */
  tokenHash = HASH_START;
  /** The line's first bytes, from its first word on. */
  readonly head = new Uint8Array(40);
  headBytes = 0;
  /** The first word's length and hash. */
  firstWordBytes = 0;
  firstWordHash = 0;
  #value = 0;
  #digits = 0;
  #isNumber = true;
  #isNegative = false;

  /** The next byte is the first of a line. */
  begin(): void {
    this.lineBytes = 0;
    this.wordIndex = 0;
    this.isInWord = false;
    this.headBytes = 0;
    this.firstWordBytes = 0;
    this.firstWordHash = 0;
  }

  /**
   * The word's value as the server's `int` has it: modulo 2^32, as a cast of strtoll's result is ("4294967298" is 2);
   * -1 for anything that is no number or is negative.
   */
  length(): number {
    if (!this.#isNumber || this.#digits === 0 || this.#digits > MAX_DIGITS || this.#isNegative) {
      return -1;
    }
    return this.#value < 0 ? -1 : this.#value;
  }

  /** Reads on from bytes[at, end): up to the end of a word or line, or all. */
  next(bytes: Uint8Array, start: number, end: number): Found {
    let at = start;
    if (this.isInWord) {
      this.partStart = at;
    }
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === LF || byte === BLANK || byte === CR) {
        if (this.isInWord) {
          this.#endWord();
          return this.#stop(start, at, Found.word);
        }
        if (byte === LF) {
          return this.#stop(start, at + 1, Found.line);
        }
        if (this.wordIndex > 0) {
          this.#keep(byte);
        }
        continue;
      }
      if (!this.isInWord) {
        this.#beginWord(at, byte);
      }
      this.#keep(byte);
      this.#add(byte);
    }
    return this.#stop(start, at, Found.more);
  }

  #stop(start: number, at: number, found: Found): Found {
    this.lineBytes += at - start;
    this.at = at;
    return found;
  }

  #keep(byte: number): void {
    if (this.headBytes < this.head.length) {
      this.head[this.headBytes++] = byte;
    }
  }

  #beginWord(at: number, byte: number): void {
    this.isInWord = true;
    this.partStart = at;
    this.firstByte = byte;
    this.wordBytes = 0;
    this.hash = HASH_START;
    this.tokenHash = HASH_START;
    this.#value = 0;
    this.#digits = 0;
    this.#isNumber = true;
    this.#isNegative = byte === MINUS;
  }

  #add(byte: number): void {
    this.hash = hashStep(this.hash, byte);
    if (this.wordBytes > 0) {
      this.tokenHash = hashStep(this.tokenHash, byte);
    }
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9) {
      this.#value = (Math.imul(this.#value, 10) + digit) | 0;
      this.#digits++;
    } else if (this.wordBytes > 0 || (byte !== PLUS && byte !== MINUS)) {
      this.#isNumber = false;
    }
    this.wordBytes++;
  }

  #endWord(): void {
    this.isInWord = false;
    if (this.wordIndex === 0) {
      this.firstWordBytes = this.wordBytes;
      this.firstWordHash = this.hash;
    }
    this.wordIndex++;
  }

  /** Whether the line begins with this ASCII text (at most as long as `head`). */
  headStartsWith(text: Uint8Array): boolean {
    if (this.headBytes < text.length) {
      return false;
    }
    for (let index = 0; index < text.length; index++) {
      if (this.head[index] !== text[index]) {
        return false;
      }
    }
    return true;
  }
}
