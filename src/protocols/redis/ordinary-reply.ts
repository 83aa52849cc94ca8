import { viewOf } from "../../bytes/view.ts";
import { Type } from "./types.ts";

const CR = 0x0d;
const LF = 0x0a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** Of a length; zeros may stand before it. */
const MAX_DIGITS = 13;
/** Four bytes at once: `+OK\r`, and `$?\r\n` with 0 where the digit stands. */
const OK = 0x2b4f4b0d;
const LENGTH_OF_DIGIT = 0x24000d0a;
const ALL_BUT_DIGIT = 0xff00ffff | 0;

/**
 * The index behind the reply that begins at `from`, if it is of the kind that nearly all are: `+…\r\n`, `:…\r\n` or
 * `$<length>\r\n…\r\n`, whole in bytes[from, end). 0 for every other, which is then read step by step at twice the cost
 * (test/bench).
 */
// Runs for every response.
export function ordinaryReplyEnd(bytes: Uint8Array, from: number, end: number): number {
  if (end - from >= 5) {
    const head = viewOf(bytes).getInt32(from);
    if (head === OK && bytes[from + 4] === LF) return from + 5;
    const digit = ((head >>> 16) & 0xff) - DIGIT_0;
    if ((head & ALL_BUT_DIGIT) === LENGTH_OF_DIGIT && digit >= 0 && digit <= 9) {
      const behind = from + 4 + digit + 2;
      return behind <= end && bytes[behind - 2] === CR && bytes[behind - 1] === LF ? behind : 0;
    }
  }
  const type = bytes[from]!;
  let i = from + 1;
  if (type === Type.simple || type === Type.integer) {
    // A line of MONITOR begins with a digit, and answers nothing.
    if (type === Type.simple && i < end && bytes[i]! >= DIGIT_0 && bytes[i]! <= DIGIT_9) return 0;
    while (i < end && bytes[i] !== LF) i++;
    return i === end || bytes[i - 1] !== CR ? 0 : i + 1;
  }
  if (type !== Type.bulk) return 0;
  let length = 0;
  let digit = i < end ? bytes[i]! - 0x30 : -1;
  if (digit < 0 || digit > 9) return 0;
  while (digit >= 0 && digit <= 9) {
    length = length * 10 + digit;
    if (++i >= end || length > end) return 0;
    digit = bytes[i]! - 0x30;
  }
  if (i - from > MAX_DIGITS + 1) return 0;
  const bodyEnd = i + 2 + length;
  if (bodyEnd + 2 > end || bytes[i] !== CR || bytes[i + 1] !== LF) return 0;
  return bytes[bodyEnd] === CR && bytes[bodyEnd + 1] === LF ? bodyEnd + 2 : 0;
}
