import { u16 } from "../../bytes/read.ts";
import { NO_ERROR } from "../protocol.ts";
import { HEADER_BYTES, RESPONSE_MAGIC } from "./binary-header.ts";
import { errorOfStatus, STATUS_NOT_FOUND } from "./binary-responses.ts";
import { Found, LineReader } from "./line-reader.ts";
import { Code } from "./reply-kind.ts";
import { codeOf, errorOf, responseWordOf } from "./response-words.ts";

/** Lines looked at of one datagram. */
const MAX_LINES = 512;

/** What the first datagram of a response says. */
class FirstAnswer {
  errorId: number = NO_ERROR;
  /** Values that begin in it, and the index behind the last of them, wherever it ends. */
  values = 0;
  valuesEnd = 0;
  /** Whether the key that a meta or binary request asks for was found; null where it does not say. */
  isFound: boolean | null = null;
  private readonly reader = new LineReader();

  /** Reads bytes[start, end), which may be cut off anywhere. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.errorId = NO_ERROR;
    this.values = 0;
    this.valuesEnd = start;
    this.isFound = null;
    if (bytes[start] === RESPONSE_MAGIC) {
      if (end - start < HEADER_BYTES) return;
      const status = u16(bytes, start + 6);
      this.errorId = errorOfStatus(status);
      this.values = status === 0 ? 1 : 0;
      if (status <= STATUS_NOT_FOUND) this.isFound = status === 0;
      return;
    }
    let at = start;
    for (let left = MAX_LINES; left > 0 && at < end && at >= 0; left--) at = this.line(bytes, at, end, at === start);
  }

  /** Reads a line, and passes the value behind it. Returns where the next line begins, or -1. */
  private line(bytes: Uint8Array, start: number, end: number, isFirst: boolean): number {
    const reader = this.reader;
    reader.begin();
    let dataBytes = -1;
    for (let at = start; ; at = reader.at) {
      const found = reader.next(bytes, at, end);
      if (found === Found.more) return -1;
      if (found === Found.line) break;
      if (reader.wordIndex === 4) dataBytes = reader.length();
    }
    const index = responseWordOf(reader);
    const code = codeOf(index, reader);
    if (isFirst && code === Code.error) this.errorId = errorOf(index);
    if (isFirst && (code === Code.hd || code === Code.va || code === Code.en)) this.isFound = code !== Code.en;
    if (code !== Code.value || dataBytes < 0) return -1;
    this.values++;
    this.valuesEnd = reader.at + dataBytes + 2;
    return this.valuesEnd;
  }
}

/** Overwritten by each datagram. */
export const firstAnswer = new FirstAnswer();
