import { NO_ERROR } from "../protocol.ts";
import { errorIdOf } from "./commands.ts";
import type { LineReader } from "./line-reader.ts";
import { Code } from "./reply-kind.ts";
import { WordTable } from "./words.ts";

interface ResponseWord {
  readonly word: string;
  readonly code: Code;
  readonly errorId: number;
}

function plain(word: string, code: Code): ResponseWord {
  return { word, code, errorId: NO_ERROR };
}

function failure(word: string, label: Parameters<typeof errorIdOf>[0]): ResponseWord {
  return { word, code: Code.error, errorId: errorIdOf(label) };
}

const RESPONSE_WORDS: readonly ResponseWord[] = [
  plain("STORED", Code.stored),
  plain("NOT_STORED", Code.notStored),
  plain("EXISTS", Code.exists),
  plain("NOT_FOUND", Code.notFound),
  plain("VALUE", Code.value),
  plain("END", Code.end),
  plain("DELETED", Code.deleted),
  plain("TOUCHED", Code.touched),
  plain("OK", Code.ok),
  plain("RESET", Code.reset),
  plain("VERSION", Code.version),
  plain("STAT", Code.stat),
  plain("ITEM", Code.stat),
  plain("PREFIX", Code.stat),
  plain("HD", Code.hd),
  plain("VA", Code.va),
  plain("EN", Code.en),
  plain("NF", Code.nf),
  plain("NS", Code.ns),
  plain("EX", Code.ex),
  plain("MN", Code.mn),
  plain("ME", Code.me),
  failure("ERROR", "ERROR"),
  // `ERROR: shutdown not enabled`, `Error TLS not enabled`
  failure("ERROR:", "ERROR"),
  failure("Error", "ERROR"),
  failure("CLIENT_ERROR", "CLIENT_ERROR"),
  failure("SERVER_ERROR", "SERVER_ERROR"),
  failure("BUSY", "BUSY"),
  failure("BADCLASS", "BADCLASS"),
  failure("NOSPARE", "NOSPARE"),
  failure("NOTFULL", "NOTFULL"),
  failure("UNSAFE", "UNSAFE"),
  failure("SAME", "SAME"),
];

/** The first words of the server's lines. */
export const RESPONSE_WORD_TABLE = new WordTable(RESPONSE_WORDS.map(({ word }) => word));
const CODES = Int32Array.from(RESPONSE_WORDS, ({ code }) => code);
const ERROR_IDS = Int8Array.from(RESPONSE_WORDS, ({ errorId }) => errorId);

const encoder = new TextEncoder();
const STORAGE_FAILURES = [
  "SERVER_ERROR object too large",
  "SERVER_ERROR out of memory storing",
  "CLIENT_ERROR bad data chunk",
].map((text) => encoder.encode(text));

/** The number of a complete line's first word, or -1. */
export function responseWordOf(reader: LineReader): number {
  return RESPONSE_WORD_TABLE.find(reader.head, reader.firstWordBytes, reader.firstWordHash);
}

/** The code of a complete line, whose first word's number is `index`. */
export function codeOf(index: number, reader: LineReader): number {
  if (index >= 0) {
    return CODES[index]!;
  }
  const first = reader.headBytes === 0 ? 0 : reader.head[0]!;
  if (first >= 0x30 && first <= 0x39) {
    return Code.number;
  }
  return first >= 0x41 && first <= 0x5a ? Code.word : Code.line;
}

export function errorOf(index: number): number {
  return index < 0 ? NO_ERROR : ERROR_IDS[index]!;
}

/** Whether this line is the plain `ERROR` with which the server answers what is no command. */
export function isPlainError(reader: LineReader): boolean {
  return reader.wordIndex === 1 && reader.firstWordBytes === 5 && reader.head[0] === 0x45;
}

/** Whether an error line is one that only storage commands get. */
export function isStorageFailure(reader: LineReader): boolean {
  for (let index = 0; index < STORAGE_FAILURES.length; index++) {
    if (reader.headStartsWith(STORAGE_FAILURES[index]!)) {
      return true;
    }
  }
  return false;
}
