import { u16, u32 } from "../../bytes/read.ts";
import { Recognition } from "../protocol.ts";
import { HEADER_BYTES, REQUEST_MAGIC, RESPONSE_MAGIC } from "./binary-header.ts";
import { TEXT_COMMAND_WORDS, textCommandAt } from "./commands.ts";
import { Found, LineReader } from "./line-reader.ts";
import { Shape } from "./reply-kind.ts";
import { RESPONSE_WORD_TABLE } from "./response-words.ts";

/** Bytes looked at. */
const LOOKED_AT = 320;
const MAX_OPCODE = 0x48;
const MAX_EXTRAS_BYTES = 24;
const MAX_KEY_BYTES = 250;
const MAX_BODY_BYTES = 1 << 30;

const reader = new LineReader();

function recogniseHeader(bytes: Uint8Array, start: number, end: number): Recognition {
  const length = end - start;
  if (length >= 2 && bytes[start + 1]! > MAX_OPCODE) {
    return Recognition.no;
  }
  if (length < HEADER_BYTES) {
    return Recognition.undecided;
  }
  const keyBytes = u16(bytes, start + 2);
  const extrasBytes = bytes[start + 4]!;
  const bodyBytes = u32(bytes, start + 8);
  const isPlausible =
    bytes[start + 5] === 0 &&
    keyBytes <= MAX_KEY_BYTES &&
    extrasBytes <= MAX_EXTRAS_BYTES &&
    keyBytes + extrasBytes <= bodyBytes &&
    bodyBytes <= MAX_BODY_BYTES;
  return isPlausible ? Recognition.certain : Recognition.no;
}

/** What the first line says: how many words, whether it is complete, the value of the word at `numberIndex`. */
interface FirstLine {
  isFirstWordComplete: boolean;
  isComplete: boolean;
  words: number;
  number: number;
}

const line: FirstLine = { isFirstWordComplete: false, isComplete: false, words: 0, number: -1 };

/** Reads the first line into `line`. False when it holds control characters. */
function readLine(bytes: Uint8Array, start: number, end: number, numberIndex: number): boolean {
  const limit = Math.min(end, start + LOOKED_AT);
  line.isComplete = false;
  line.number = -1;
  reader.begin();
  let at = start;
  while (at < limit && !line.isComplete) {
    const found = reader.next(bytes, at, limit);
    at = reader.at;
    if (found === Found.word && reader.wordIndex - 1 === numberIndex) {
      line.number = reader.length();
    }
    line.isComplete = found === Found.line;
    if (found === Found.more) {
      break;
    }
  }
  line.words = reader.wordIndex;
  line.isFirstWordComplete = reader.wordIndex > 0;
  for (let index = start; index < at; index++) {
    const byte = bytes[index]!;
    if (byte < 0x20 && byte !== 0x0d && byte !== 0x0a) {
      return false;
    }
  }
  return true;
}

/** Commands whose complete line no other known protocol has. Redis shares many words, beanstalkd some. */
function isUnmistakable(index: number): boolean {
  const { word, shape, lengthIndex, maxNoreplyWords } = textCommandAt(index);
  if (lengthIndex > 0) {
    const isCounted = shape === Shape.metaSet || line.words === maxNoreplyWords - 1 || line.words === maxNoreplyWords;
    return isCounted && line.number >= 0;
  }
  if (shape === Shape.counter) {
    return line.words >= 3 && line.words <= 4;
  }
  if (shape === Shape.metaNoop || word === "flush_all" || word === "lru_crawler") {
    return true;
  }
  const isMeta = shape === Shape.metaGet || shape === Shape.metaDelete || shape === Shape.metaArithmetic;
  return line.words >= 2 && (isMeta || word === "gets" || word === "gat" || word === "gats");
}

/** See Protocol.recogniseRequest. Capital letters (`GET / HTTP/1.1`, most Redis clients) are never memcached's. */
export function recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition {
  if (start >= end) {
    return Recognition.undecided;
  }
  if (bytes[start] === REQUEST_MAGIC) {
    return recogniseHeader(bytes, start, end);
  }
  if (!readLine(bytes, start, end, -1)) {
    return Recognition.no;
  }
  if (!line.isFirstWordComplete) {
    const isPrefix = TEXT_COMMAND_WORDS.hasPrefix(bytes, start, Math.min(end, start + LOOKED_AT));
    return isPrefix ? Recognition.undecided : Recognition.no;
  }
  const index = TEXT_COMMAND_WORDS.find(reader.head, reader.firstWordBytes, reader.firstWordHash);
  if (index < 0) {
    return Recognition.no;
  }
  const command = textCommandAt(index);
  if (command.lengthIndex > 0) {
    readLine(bytes, start, end, command.lengthIndex);
  }
  return line.isComplete && isUnmistakable(index) ? Recognition.certain : Recognition.possible;
}

const CERTAIN_RESPONSES = new Set(["STORED", "NOT_STORED", "CLIENT_ERROR", "SERVER_ERROR", "MN", "STAT"]);

/** See Protocol.recogniseResponse. */
export function recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition {
  if (start >= end) {
    return Recognition.undecided;
  }
  if (bytes[start] === RESPONSE_MAGIC) {
    return recogniseHeader(bytes, start, end);
  }
  if (!readLine(bytes, start, end, -1)) {
    return Recognition.no;
  }
  if (!line.isFirstWordComplete) {
    const isPrefix = RESPONSE_WORD_TABLE.hasPrefix(bytes, start, Math.min(end, start + LOOKED_AT));
    return isPrefix ? Recognition.undecided : Recognition.no;
  }
  const word = String.fromCharCode(...reader.head.subarray(0, Math.min(reader.firstWordBytes, reader.headBytes)));
  if (RESPONSE_WORD_TABLE.find(reader.head, reader.firstWordBytes, reader.firstWordHash) < 0) {
    return line.isComplete && line.words === 1 && /^\d+$/.test(word) ? Recognition.possible : Recognition.no;
  }
  if (word === "VALUE" || word === "VA") {
    readLine(bytes, start, end, word === "VALUE" ? 3 : 1);
    return line.isComplete && line.number >= 0 ? Recognition.certain : Recognition.possible;
  }
  return line.isComplete && CERTAIN_RESPONSES.has(word) ? Recognition.certain : Recognition.possible;
}
