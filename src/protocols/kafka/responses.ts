import { u32 } from "../../bytes/read.ts";
import { type Exchange, NO_ERROR, NONE_PENDING, type Parser } from "../protocol.ts";
import { ApiKey } from "./apis.ts";
import { errorIdOf } from "./errors.ts";
import {
  apiKeyOf,
  LEAST_RESPONSE_BYTES,
  LENGTH_BYTES,
  MAX_FRAME_BYTES,
  maxWaitMsOf,
  RESPONSE_HEADER_BYTES,
  TOKEN_ID,
  TOKEN_KIND,
  versionOf,
} from "./frame.ts";
import { programOf } from "./programs.ts";
import { isWholeResponses } from "./recognise.ts";
import { Walker } from "./walker.ts";

// Runs for every segment.

/** The server's side: reads each response's length and id; its request tells what its body is. */
export class ResponseParser implements Parser {
  private readonly exchange: Exchange;
  private readonly walker: Walker;
  private readonly header = new Uint8Array(RESPONSE_HEADER_BYTES);
  private headerBytes = 0;
  private isBegun = false;
  /** Bytes of the frame still to come; -1 while its header is not known. */
  private left = -1;
  private isToken = false;
  private id = 0;
  private replyKind = NONE_PENDING;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.walker = new Walker(exchange);
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (!this.isBegun) {
        this.isBegun = true;
        this.headerBytes = 0;
        this.left = -1;
        this.isToken = this.exchange.replyKindAt(0) === TOKEN_KIND && this.isTokenDue;
        this.exchange.responseBegins(at);
      }
      if (this.left < 0) {
        at = this.takeHeader(bytes, at, end);
        if (at < 0) return false;
        if (this.left < 0) return true;
      } else {
        const size = Math.min(this.left, end - at);
        if (!this.walker.isOver) this.walker.walk(bytes, at, at + size, this.left);
        this.left -= size;
        at += size;
      }
      if (this.left === 0) this.messageEnds(at);
    }
    return true;
  }

  gap(missing: number): boolean {
    if (!this.isBegun || this.left < missing) return false;
    this.walker.gap(missing);
    this.left -= missing;
    if (this.left === 0) this.messageEnds(missing);
    return true;
  }

  begins(bytes: Uint8Array, start: number, end: number): boolean {
    return isWholeResponses(this.exchange, bytes, start, end);
  }

  get isAtRest(): boolean {
    return !this.isBegun;
  }

  resync(): void {
    this.isBegun = false;
  }

  /** A client waits for the answer to its token: where a request came behind it, that was lost. */
  private get isTokenDue(): boolean {
    return this.exchange.replyKindAt(this.exchange.pendingCount - 1) === TOKEN_KIND;
  }

  /** Returns where it stopped, or -1 where this cannot be a response. `left` tells whether the header is complete. */
  private takeHeader(bytes: Uint8Array, start: number, end: number): number {
    const size = this.isToken ? LENGTH_BYTES : RESPONSE_HEADER_BYTES;
    if (this.headerBytes === 0 && end - start >= size) return this.read(bytes, start) ? start + size : -1;
    let at = start;
    while (at < end && this.headerBytes < size) this.header[this.headerBytes++] = bytes[at++]!;
    if (this.headerBytes >= LENGTH_BYTES && !this.isLength(u32(this.header, 0))) return -1;
    if (this.headerBytes < size) return at;
    return this.read(this.header, 0) ? at : -1;
  }

  private isLength(length: number): boolean {
    return length <= MAX_FRAME_BYTES && (this.isToken || length >= LEAST_RESPONSE_BYTES);
  }

  private read(header: Uint8Array, at: number): boolean {
    const length = u32(header, at);
    if (!this.isLength(length)) return false;
    this.left = this.isToken ? length : length - LEAST_RESPONSE_BYTES;
    this.id = this.isToken ? TOKEN_ID : u32(header, at + LENGTH_BYTES) | 0;
    const kind = this.exchange.replyKindOf(this.id);
    this.replyKind = kind;
    const wantsNames = this.exchange.wantsDetails;
    const apiKey = apiKeyOf(kind);
    const program = kind < 0 ? null : programOf(apiKey, versionOf(kind), false, wantsNames);
    this.walker.begin(program, false);
    if (apiKey === ApiKey.apiVersions) this.walker.unsupported = programOf(apiKey, 0, false, wantsNames);
    return true;
  }

  private messageEnds(at: number): void {
    this.isBegun = false;
    const { errorCode, recordBytes, isBroken, isOver } = this.walker;
    const kind = this.replyKind;
    const apiKey = apiKeyOf(kind);
    if (kind >= 0 && (apiKey === ApiKey.fetch || apiKey === ApiKey.shareFetch)) {
      const isEmpty = isOver && !isBroken && recordBytes === 0 && errorCode === 0;
      if (isEmpty) this.exchange.bringsNothing(this.id, maxWaitMsOf(kind));
    }
    this.exchange.answerById(at, this.id, errorCode === 0 ? NO_ERROR : errorIdOf(errorCode));
  }
}
