import { OTHER, Recognition } from "../protocol.ts";
import { COMMANDS, WordTable } from "./commands.ts";

const commandTable = new WordTable(COMMANDS);

const LONGEST_NAME = Math.max(...COMMANDS.map((name) => name.length));

/** No other protocol has a line of this word alone; it is what people type who watch a server by hand. */
const MONITOR = COMMANDS.indexOf("MONITOR");

/** What a server of RESP2 sends a subscriber looks like a request, but for its first word, which is no command's. */
const UNASKED = [
  "*3\r\n$7\r\nmessage\r\n",
  "*4\r\n$8\r\npmessage\r\n",
  "*3\r\n$8\r\nsmessage\r\n",
  "*2\r\n$4\r\npong\r\n",
].map((text) => new TextEncoder().encode(text));

/**
 * `*<count>\r\n$<length>\r\n` is a request and nothing else, and so is less, from the count on: some clients write argument by argument, no server does.
 * A line that begins with a known command may be one.
 */
export function recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition {
  if (start >= end) return Recognition.undecided;
  if (bytes[start] === 0x2a) {
    const behindCount = skipNumberLine(bytes, start + 1, end);
    if (behindCount <= 0) return behindCount === 0 ? Recognition.undecided : Recognition.no;
    // `*0` and `*-1` are replies that bring nothing.
    if (behindCount === end) return isDigitAboveZero(bytes[start + 1]!) ? Recognition.certain : Recognition.undecided;
    if (bytes[behindCount] !== 0x24) return Recognition.no;
    const behindLength = skipNumberLine(bytes, behindCount + 1, end);
    return behindLength < 0 || isUnasked(bytes, start, end) ? Recognition.no : Recognition.certain;
  }
  let i = start;
  while (i < end && i - start < 24 && bytes[i]! > 0x20 && bytes[i]! < 0x7f) i++;
  if (i === end && i - start < 24) return i > start ? Recognition.undecided : Recognition.no;
  const delimiter = bytes[i]!;
  if (delimiter !== 0x20 && delimiter !== 0x0d && delimiter !== 0x0a) return Recognition.no;
  const commandId = commandTable.find(bytes, start, i);
  if (commandId === MONITOR && isLineEnd(bytes, i, end)) return Recognition.certain;
  return commandId === OTHER ? Recognition.no : Recognition.possible;
}

/** A reply begins with a type and a line that suits it. */
export function recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition {
  if (end - start < 3) return Recognition.undecided;
  switch (bytes[start]) {
    case 0x2b: // +OK
      return isCapitals(bytes, start + 1, end) ? Recognition.certain : Recognition.possible;
    case 0x2d: // -ERR
      return isCapitals(bytes, start + 1, end) ? Recognition.certain : Recognition.no;
    case 0x24: // $
    case 0x3a: // :
    case 0x25: // %
    case 0x7e: // ~
    case 0x3e: // >
      return verdictOfNumber(skipNumberLine(bytes, start + 1, end), Recognition.certain);
    case 0x2a: // an array may be a request, too
      if (isUnasked(bytes, start, end) || isNameless(bytes, start, end)) return Recognition.certain;
      return verdictOfNumber(skipNumberLine(bytes, start + 1, end), Recognition.possible);
    default:
      return Recognition.no;
  }
}

/**
 * An array of strings whose first is no known command: what LRANGE, HGETALL or BLPOP bring, or a command that is not known. Where no port says who the client is,
 * somebody else's bytes must: whoever was taken for the client by a list of values would be so for good.
 */
function isNameless(bytes: Uint8Array, start: number, end: number): boolean {
  const behindCount = skipNumberLine(bytes, start + 1, end);
  if (behindCount <= 0 || behindCount === end || bytes[behindCount] !== 0x24) return false;
  const name = skipNumberLine(bytes, behindCount + 1, end);
  if (name <= 0) return false;
  const length = Number.parseInt(String.fromCharCode(...bytes.subarray(behindCount + 1, name)), 10);
  // Null, or longer than any name.
  if (length < 0 || length > LONGEST_NAME) return true;
  return name + length <= end && commandTable.find(bytes, name, name + length) === OTHER;
}

function isUnasked(bytes: Uint8Array, start: number, end: number): boolean {
  for (const begin of UNASKED) if (beginsWith(bytes, start, end, begin)) return true;
  return false;
}

// Runs for every connection: of the last byte first, where a request nearly always differs.
function beginsWith(bytes: Uint8Array, start: number, end: number, begin: Uint8Array): boolean {
  if (start + begin.length > end) return false;
  for (let i = begin.length - 1; i >= 0; i--) if (bytes[start + i] !== begin[i]) return false;
  return true;
}

function isDigitAboveZero(byte: number): boolean {
  return byte >= 0x31 && byte <= 0x39;
}

function isLineEnd(bytes: Uint8Array, at: number, end: number): boolean {
  return bytes[at] === 0x0a || (at + 1 < end && bytes[at] === 0x0d && bytes[at + 1] === 0x0a);
}

function verdictOfNumber(behind: number, verdict: Recognition): Recognition {
  if (behind === 0) return Recognition.undecided;
  return behind < 0 ? Recognition.no : verdict;
}

function isCapitals(bytes: Uint8Array, start: number, end: number): boolean {
  const stop = Math.min(end, start + 2);
  for (let i = start; i < stop; i++) if (bytes[i]! < 0x41 || bytes[i]! > 0x5a) return false;
  return true;
}

/** Behind `-?digits\r\n`; 0 when it is cut short, -1 when it is something else. */
function skipNumberLine(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (i < end && bytes[i] === 0x2d) i++;
  const digitsFrom = i;
  while (i < end && i - digitsFrom < 13 && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++;
  if (i === end) return 0;
  if (i === digitsFrom || bytes[i] !== 0x0d) return -1;
  if (i + 1 === end) return 0;
  return bytes[i + 1] === 0x0a ? i + 2 : -1;
}
