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
/** Of a response: errors of authentication and of the server's own state end at 0x86 (`protocol_binary.txt`, "Response Status"). */
const MAX_STATUS = 0xff;

/** What requests of these opcodes consist of besides the header (`protocol_binary.txt`, "Commands"). */
interface Form {
  readonly opcodes: readonly number[];
  readonly extras: readonly number[];
  /** Null: as they like. */
  readonly hasKey: boolean | null;
  readonly mayHaveValue: boolean;
}

const FORMS: readonly Form[] = [
  // GET GETQ GETK GETKQ, DELETE DELETEQ
  { opcodes: [0x00, 0x09, 0x0c, 0x0d, 0x04, 0x14], extras: [0], hasKey: true, mayHaveValue: false },
  // SET ADD REPLACE and their quiet ones: flags, expiration
  { opcodes: [0x01, 0x02, 0x03, 0x11, 0x12, 0x13], extras: [8], hasKey: true, mayHaveValue: true },
  // INCR DECR INCRQ DECRQ: amount, initial value, expiration
  { opcodes: [0x05, 0x06, 0x15, 0x16], extras: [20], hasKey: true, mayHaveValue: false },
  // APPEND PREPEND APPENDQ PREPENDQ, SASL's authentication and step
  { opcodes: [0x0e, 0x0f, 0x19, 0x1a, 0x21, 0x22], extras: [0], hasKey: true, mayHaveValue: true },
  // TOUCH GAT GATQ GATK GATKQ: expiration
  { opcodes: [0x1c, 0x1d, 0x1e, 0x23, 0x24], extras: [4], hasKey: true, mayHaveValue: false },
  // QUIT NOOP VERSION QUITQ, SASL's list of mechanisms
  { opcodes: [0x07, 0x0a, 0x0b, 0x17, 0x20], extras: [0], hasKey: false, mayHaveValue: false },
  // FLUSH FLUSHQ: when; VERBOSITY: the level
  { opcodes: [0x08, 0x18, 0x1b], extras: [0, 4], hasKey: false, mayHaveValue: false },
  // STAT; HELLO, with which clients of Couchbase begin
  { opcodes: [0x10], extras: [0], hasKey: null, mayHaveValue: false },
  { opcodes: [0x1f], extras: [0], hasKey: null, mayHaveValue: true },
];

/** By opcode; those that are not among them are of servers that extend the protocol. */
const FORM_BY_OPCODE = new Map(FORMS.flatMap((form) => form.opcodes.map((opcode) => [opcode, form] as const)));

/** Whether a request of this opcode may consist of so many bytes: others' binary messages begin with 0x80, too (SPDY, SCCP). */
function isFormed(opcode: number, extrasBytes: number, keyBytes: number, bodyBytes: number): boolean {
  const form = FORM_BY_OPCODE.get(opcode);
  if (form === undefined) return true;
  const hasValue = bodyBytes > extrasBytes + keyBytes;
  const isKeyed = form.hasKey === null || form.hasKey === keyBytes > 0;
  return isKeyed && form.extras.includes(extrasBytes) && (form.mayHaveValue || !hasValue);
}

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
    bodyBytes <= MAX_BODY_BYTES &&
    (bytes[start] === REQUEST_MAGIC
      ? isFormed(bytes[start + 1]!, extrasBytes, keyBytes, bodyBytes)
      : u16(bytes, start + 6) <= MAX_STATUS);
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
