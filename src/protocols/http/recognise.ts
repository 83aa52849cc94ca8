import { OTHER, Recognition } from "../protocol.ts";
import { beginsWith, isToken, LONGEST_METHOD, METHODS, methodAt } from "./methods.ts";

const BLANK = 0x20;
const SLASH = 0x2f;
const CR = 0x0d;
const LF = 0x0a;
const VERSION = new TextEncoder().encode("HTTP/1.");
/** Looked at of a request line; a longer target is no other protocol's key, either. */
const MOST = 512;
/** Of so many bytes it is never undecided whether they begin a request. */
export const DECISIVE = MOST + 1;

/** `method SP target SP HTTP/1.`, and nothing else is: a Redis command `GET /a` lacks the version. Several blanks are taken for one (RFC 9112 §3). */
export function recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition {
  let i = start;
  // Empty lines may come first (RFC 9112 §2.2).
  while (i < end && i - start < 4 && (bytes[i] === CR || bytes[i] === LF)) i++;
  return i === end ? Recognition.undecided : recogniseLine(bytes, i, end);
}

function recogniseLine(bytes: Uint8Array, start: number, end: number): Recognition {
  let i = start;
  while (i < end && i - start <= LONGEST_METHOD && isToken(bytes[i]!)) i++;
  if (i === end && i - start <= LONGEST_METHOD) return i > start ? Recognition.undecided : Recognition.no;
  if (i === start || bytes[i] !== BLANK) return Recognition.no;
  const isKnown = methodAt(bytes, start, i) !== OTHER;
  const stop = Math.min(end, start + MOST);
  const target = behindBlanks(bytes, i, stop);
  i = target;
  while (i < stop && bytes[i]! > BLANK && bytes[i] !== 0x7f) i++;
  if (i === end) return Recognition.undecided;
  // The version is in a segment that is still to come, or too far away to be looked for.
  if (i === stop) return isKnown && bytes[target] === SLASH ? Recognition.certain : Recognition.possible;
  if (i === target || bytes[i] !== BLANK) return Recognition.no;
  const version = behindBlanks(bytes, i, stop);
  const seen = Math.min(end - version, VERSION.length);
  for (let at = 0; at < seen; at++) if (bytes[version + at] !== VERSION[at]) return Recognition.no;
  return seen === VERSION.length ? Recognition.certain : Recognition.undecided;
}

function behindBlanks(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && bytes[i] === BLANK) i++;
  return i;
}

/**
 * The same where a body may stand as well: only a method that is known begins a request there. `certain`, `undecided`, or, for a body, anything
 * else.
 */
export function recogniseInsteadOfBody(bytes: Uint8Array, start: number, end: number): Recognition {
  let i = start;
  while (i < end && i - start <= LONGEST_METHOD && isToken(bytes[i]!)) i++;
  const isKnown =
    i < end
      ? methodAt(bytes, start, i) !== OTHER
      : METHODS.some((_, id) => id !== OTHER && beginsWith(id, bytes, start, i));
  return isKnown ? recogniseLine(bytes, start, end) : Recognition.no;
}

/** `HTTP/1.x NNN`. */
export function recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition {
  const seen = Math.min(end - start, VERSION.length);
  for (let at = 0; at < seen; at++) if (bytes[start + at] !== VERSION[at]) return Recognition.no;
  return seen === VERSION.length ? Recognition.certain : Recognition.undecided;
}
