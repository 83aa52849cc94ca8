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
const NINE = 0x39;
const FLAG_O = 0x4f;
const FLAG_k = 0x6b;
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
  /** Of the word without its first byte, where that is `O` or `k` (meta flags: `O123`). */
  tokenHash = HASH_START;
  /** The line's first bytes: its first word; of error lines more, words separated by one blank. */
  readonly head = new Uint8Array(40);
  headBytes = 0;
  /** The first word's length and hash. */
  firstWordBytes = 0;
  firstWordHash = 0;
  private value = 0;
  private digits = 0;
  private isNumber = true;
  private isNegative = false;
  private hasToken = false;

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
    if (!this.isNumber || this.digits === 0 || this.digits > MAX_DIGITS || this.isNegative) {
      return -1;
    }
    return this.value < 0 ? -1 : this.value;
  }

  /** Reads on from bytes[at, end): up to the end of a word or line, or all. */
  next(bytes: Uint8Array, start: number, end: number): Found {
    let at = start;
    if (!this.isInWord) {
      while (at < end && (bytes[at] === BLANK || bytes[at] === CR)) {
        at++;
      }
      if (at === end || bytes[at] === LF) {
        return this.stop(start, at === end ? at : at + 1, at === end ? Found.more : Found.line);
      }
      this.beginWord(bytes[at]!);
    }
    this.partStart = at;
    at = this.readWord(bytes, at, end);
    this.wordBytes += at - this.partStart;
    if (this.headBytes < this.head.length && (this.wordIndex === 0 || this.isErrorLine())) {
      this.keep(bytes, this.partStart, at);
    }
    if (at === end) {
      return this.stop(start, at, Found.more);
    }
    this.endWord();
    return this.stop(start, at, Found.word);
  }

  private stop(start: number, at: number, found: Found): Found {
    this.lineBytes += at - start;
    this.at = at;
    return found;
  }

  private beginWord(byte: number): void {
    this.isInWord = true;
    this.firstByte = byte;
    this.wordBytes = 0;
    this.hash = HASH_START;
    this.tokenHash = HASH_START;
    this.value = 0;
    this.digits = 0;
    this.isNegative = byte === MINUS;
    const digit = byte - ZERO;
    this.isNumber = (digit >= 0 && digit <= 9) || byte === PLUS || byte === MINUS;
    this.hasToken = byte === FLAG_O || byte === FLAG_k;
  }

  /**
   * Local variables, and a loop for each kind of word: a transaction costs 12 to 24 % less than with fields written for
   * every byte (`test/bench/memcached.ts`).
   */
  private readWord(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.isNumber) {
      at = this.readNumber(bytes, start, end);
    } else if (this.hasToken) {
      at = this.readToken(bytes, start, end);
    }
    let hash = this.hash;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === LF || byte === BLANK || byte === CR) {
        break;
      }
      hash = hashStep(hash, byte);
    }
    this.hash = hash;
    return at;
  }

  /** Up to what is no digit. */
  private readNumber(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let value = this.value;
    let hash = this.hash;
    if (this.wordBytes === 0 && (this.firstByte === PLUS || this.firstByte === MINUS)) {
      hash = hashStep(hash, bytes[at++]!);
    }
    const digitsStart = at;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte < ZERO || byte > NINE) {
        this.isNumber = byte === LF || byte === BLANK || byte === CR;
        break;
      }
      value = (Math.imul(value, 10) + byte - ZERO) | 0;
      hash = hashStep(hash, byte);
    }
    this.digits += at - digitsStart;
    this.value = value;
    this.hash = hash;
    return at;
  }

  /** The whole word, with the hash of what follows its first byte. */
  private readToken(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    let hash = this.hash;
    let tokenHash = this.tokenHash;
    if (this.wordBytes === 0) {
      hash = hashStep(hash, bytes[at++]!);
    }
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === LF || byte === BLANK || byte === CR) {
        break;
      }
      hash = hashStep(hash, byte);
      tokenHash = hashStep(tokenHash, byte);
    }
    this.hash = hash;
    this.tokenHash = tokenHash;
    return at;
  }

  /** Of CLIENT_ERROR and SERVER_ERROR lines more than the first word is kept. */
  private isErrorLine(): boolean {
    return this.head[0] === 0x43 || this.head[0] === 0x53;
  }

  private keep(bytes: Uint8Array, start: number, end: number): void {
    if (this.wordIndex > 0 && this.wordBytes === end - start) {
      this.head[this.headBytes++] = BLANK;
    }
    const stop = Math.min(end, start + this.head.length - this.headBytes);
    for (let at = start; at < stop; at++) {
      this.head[this.headBytes++] = bytes[at]!;
    }
  }

  private endWord(): void {
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
