import { u16, u32 } from "../../bytes/read.ts";
import { type Exchange, type Parser, TransactionClass } from "../protocol.ts";
import {
  ApiKey,
  classOf,
  commandOf,
  isKnownApi,
  MAX_VERSION,
  nameText,
  TOKEN_COMMAND,
  TOKEN_TEXT,
  versionText,
} from "./apis.ts";
import {
  LEAST_REQUEST_BYTES,
  LENGTH_BYTES,
  MAX_FRAME_BYTES,
  REQUEST_HEADER_BYTES,
  replyKindOf,
  TOKEN_ID,
  TOKEN_KIND,
  UNKNOWN_API,
  unansweredKindOf,
} from "./frame.ts";
import { programOf } from "./programs.ts";
import { isWholeRequests } from "./recognise.ts";
import type { KafkaState } from "./state.ts";
import { Walker } from "./walker.ts";

// Runs for every segment.

/** The client's side: reads each request's header, walks through its body as far as it tells something, and passes the rest. */
export class RequestParser implements Parser {
  private readonly exchange: Exchange;
  private readonly state: KafkaState;
  private readonly walker: Walker;
  private readonly header = new Uint8Array(REQUEST_HEADER_BYTES);
  /** Bytes of the header that have come; all of them: the body is being read. */
  private headerBytes = 0;
  private isBegun = false;
  /** Bytes of the frame still to come, once its header is known. */
  private left = 0;
  private isToken = false;
  private apiKey = 0;
  private version = 0;
  private id = 0;

  constructor(exchange: Exchange, state: KafkaState) {
    this.exchange = exchange;
    this.state = state;
    this.walker = new Walker(exchange);
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (!this.isBegun) {
        this.isBegun = true;
        this.headerBytes = 0;
        this.left = -1;
        this.exchange.requestBegins(at);
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

  /** Its id is what pairs it: without one it is none that could be told. */
  cutOff(): void {
    if (!this.isBegun || this.left < 0) return;
    this.exchange.textCut();
    this.messageEnds(0);
  }

  begins(bytes: Uint8Array, start: number, end: number): boolean {
    return isWholeRequests(bytes, start, end);
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return !this.isBegun;
  }

  resync(): void {
    this.isBegun = false;
  }

  /** Returns where it stopped, or -1 where this cannot be a request. `left` tells whether the header is complete. */
  private takeHeader(bytes: Uint8Array, start: number, end: number): number {
    const whole = this.headerBytes === 0 && end - start >= REQUEST_HEADER_BYTES;
    if (whole && !this.state.sendsTokens) return this.read(bytes, start) ? start + REQUEST_HEADER_BYTES : -1;
    let at = start;
    while (at < end) {
      this.header[this.headerBytes++] = bytes[at++]!;
      if (this.headerBytes === LENGTH_BYTES && !this.isLengthRight()) return -1;
      if (this.state.sendsTokens && this.isTokenSoFar()) {
        this.tokenBegins();
        return at;
      }
      if (this.headerBytes === REQUEST_HEADER_BYTES) return this.read(this.header, 0) ? at : -1;
    }
    return at;
  }

  private isLengthRight(): boolean {
    const length = u32(this.header, 0);
    return length <= MAX_FRAME_BYTES && (length >= LEAST_REQUEST_BYTES || this.state.sendsTokens);
  }

  /** A token has no header; the first bytes of one are no api and version (SASL PLAIN: 0, a letter, …). */
  private isTokenSoFar(): boolean {
    const bytes = this.headerBytes;
    if (bytes < LENGTH_BYTES) return false;
    if (u32(this.header, 0) < LEAST_REQUEST_BYTES) return true;
    return bytes >= LENGTH_BYTES + 4 && !(isKnownApi(u16(this.header, 4)) && u16(this.header, 6) <= MAX_VERSION);
  }

  private tokenBegins(): void {
    this.isToken = true;
    this.left = u32(this.header, 0) + LENGTH_BYTES - this.headerBytes;
    this.walker.begin(null, true);
    this.id = TOKEN_ID;
    if (!this.exchange.wantsText) return;
    this.word(TOKEN_TEXT);
    this.exchange.redacted();
  }

  private read(header: Uint8Array, at: number): boolean {
    const length = u32(header, at);
    if (length < LEAST_REQUEST_BYTES || length > MAX_FRAME_BYTES) return false;
    this.isToken = false;
    this.state.sendsTokens = false;
    this.left = length - LEAST_REQUEST_BYTES;
    this.apiKey = u16(header, at + 4);
    this.version = u16(header, at + 6);
    this.id = u32(header, at + 8) | 0;
    if (this.exchange.wantsText) {
      this.word(nameText(this.apiKey));
      this.word(versionText(this.version));
    }
    const wantsNames = this.exchange.wantsDetails;
    this.walker.begin(programOf(this.apiKey, this.version, true, wantsNames), true);
    return true;
  }

  private word(text: Uint8Array): void {
    this.exchange.word(false);
    this.exchange.text(text, 0, text.length);
  }

  private messageEnds(at: number): void {
    this.isBegun = false;
    if (this.isToken) {
      this.exchange.requestEnds(at, TOKEN_COMMAND, TransactionClass.connect, TOKEN_KIND, this.id);
      return;
    }
    const apiKey = this.apiKey;
    if (apiKey === ApiKey.saslHandshake && this.version === 0) this.state.sendsTokens = true;
    if (apiKey === ApiKey.saslAuthenticate && this.exchange.wantsText) this.exchange.redacted();
    const commandId = commandOf(apiKey);
    const { version } = this;
    let replyKind = isKnownApi(apiKey) ? replyKindOf(apiKey, version, this.walker.maxWaitMs) : UNKNOWN_API;
    if (apiKey === ApiKey.produce && this.walker.acks === 0) {
      replyKind = unansweredKindOf(apiKey, version);
      this.exchange.replyOptional();
    }
    this.exchange.requestEnds(at, commandId, classOf(commandId), replyKind, this.id);
  }
}
