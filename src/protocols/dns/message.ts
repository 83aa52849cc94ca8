import { u16 } from "../../bytes/read.ts";
import { CUT_NAME, hashOf, NO_NAME, name, passName, readName } from "./name.ts";
import { Type } from "./tables.ts";

/**
 * RFC 1035 §4.1.1:
 *
 *     0  id
 *     2  response 1 bit, opcode 4, authoritative 1, truncated 1, recursion desired 1
 *     3  recursion available 1, zero 1, authentic data 1, checking disabled 1, response code 4
 *     4  questions   6  answers   8  authorities   10  additional records
 */
export const HEADER_BYTES = 12;
/** A record: name (1 at least), type 2, class 2, time to live 4, length 2. */
const MIN_RECORD_BYTES = 11;
/** Records walked over for the one that has the rest of the response code. */
const MAX_RECORDS = 128;
/** Bytes of a question that are compared. */
const MAX_SHOWN = 255;

/** What the header and the first question of a message say. */
export class Message {
  id = 0;
  isResponse = false;
  opcode = 0;
  rcode = 0;
  isTruncated = false;
  questions = 0;
  answers = 0;
  authorities = 0;
  additional = 0;
  /** Of the first question; its name is in `name`. 0 where there is none. */
  type = 0;
  class = 0;
  /** Tells the question from others with the same id: 16 bits, never 0; 0 where there is none, or it is cut off. */
  question = 0;
  /** The first question goes on in bytes that were not captured. */
  isCut = false;
  /** Bytes of the first question that were captured, as far as they are compared. */
  shown = 0;
  /** Index behind the first question. */
  at = 0;

  /** Reads bytes[start, end). False where they are no message: a header, and one question that can be read as far as there are bytes. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.readHeader(bytes, start, end)) return false;
    name.length = 0;
    name.firstHash = 0;
    return this.questions === 0 || this.readQuestion(bytes, readName(bytes, start, this.at, end), end, true);
  }

  /** The same, but for what the name is: `question` stays 0. For what may be anything, and will be read if it is a message. */
  look(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.readHeader(bytes, start, end)) return false;
    return this.questions === 0 || this.readQuestion(bytes, passName(bytes, start, this.at, end), end, false);
  }

  private readHeader(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < HEADER_BYTES) return false;
    this.id = u16(bytes, start);
    const upper = bytes[start + 2]!;
    this.isResponse = upper >= 0x80;
    this.opcode = (upper >>> 3) & 15;
    this.isTruncated = (upper & 2) !== 0;
    this.rcode = bytes[start + 3]! & 15;
    this.questions = u16(bytes, start + 4);
    this.answers = u16(bytes, start + 6);
    this.authorities = u16(bytes, start + 8);
    this.additional = u16(bytes, start + 10);
    this.at = start + HEADER_BYTES;
    this.type = 0;
    this.class = 0;
    this.question = 0;
    this.isCut = false;
    this.shown = 0;
    return true;
  }

  /** `at`: what `readName` has returned. */
  private readQuestion(bytes: Uint8Array, at: number, end: number, isNamed: boolean): boolean {
    if (at === NO_NAME) return false;
    this.isCut = at === CUT_NAME || at + 4 > end;
    this.shown = Math.min((this.isCut ? end : at + 4) - this.at, MAX_SHOWN);
    if (this.isCut) return true;
    this.type = u16(bytes, at);
    this.class = u16(bytes, at + 2);
    if (isNamed) this.question = in16Bits(Math.imul(name.hash ^ this.type, 0x9e3779b1) ^ this.class);
    this.at = at + 4;
    return true;
  }

  /** With the upper bits that an OPT record has of it (RFC 6891 §6.1.3), as far as there are bytes. */
  wholeRcode(bytes: Uint8Array, end: number): number {
    if (this.additional === 0 || this.question === 0 || this.questions > 1) return this.rcode;
    let at = this.at;
    const records = Math.min(this.answers + this.authorities + this.additional, MAX_RECORDS);
    for (let left = records; left > 0; left--) {
      at = skipName(bytes, at, end);
      if (at < 0 || at + MIN_RECORD_BYTES - 1 > end) break;
      if (u16(bytes, at) === Type.opt) return (bytes[at + 4]! << 4) | this.rcode;
      at += MIN_RECORD_BYTES - 1 + u16(bytes, at + 8);
    }
    return this.rcode;
  }

  /** Whether the numbers of records can be true of a message that ends at `end`. */
  fits(end: number): boolean {
    return this.answers + this.authorities + this.additional <= (end - this.at) / MIN_RECORD_BYTES;
  }
}

/** Never 0. */
export function in16Bits(hash: number): number {
  return (hash ^ (hash >>> 16)) & 0xffff || 1;
}

/** A hash of the first so many bytes of the question of the message that begins at `start`. */
export function shownHash(bytes: Uint8Array, start: number, shown: number): number {
  return hashOf(bytes, start + HEADER_BYTES, start + HEADER_BYTES + shown);
}

/** The index behind the name at `at`, or -1. */
function skipName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  for (;;) {
    if (at >= end) return -1;
    const length = bytes[at]!;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
    if (length === 0) return at;
  }
}
