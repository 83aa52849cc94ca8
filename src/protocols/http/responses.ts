import { type Exchange, NO_ERROR, NONE_PENDING, type Parser, Recognition, TransactionClass } from "../protocol.ts";
import { Body } from "./body.ts";
import { tellField } from "./details.ts";
import { Fields } from "./fields.ts";
import { LineReader } from "./line-reader.ts";
import { errorOf } from "./methods.ts";
import { recogniseResponse } from "./recognise.ts";
import { type HttpState, NOT_OPEN, Reply } from "./state.ts";

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const VERSION = new TextEncoder().encode("HTTP/1.");
/** `HTTP/1.1 200`: the blank and the reason behind it may be missing. */
const STATUS_AT = 9;
const STATUS_LINE = 12;
/** Bytes of a status line with its fields. */
const MAX_HEAD = 64 * 1024;

const CONTINUE = 100;
const SWITCHING = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

const At = { start: 0, line: 1, fields: 2, body: 3, stream: 4 } as const;

/** Responses (RFC 9112 §4, §5, §6): `HTTP/1.x SP status SP reason CRLF`, fields, an empty line, perhaps a body. */
export class ResponseParser implements Parser {
  private readonly exchange: Exchange;
  private readonly state: HttpState;
  /** Tells the request being read as it stands. */
  private readonly endEarly: () => void;
  private readonly lines = new LineReader();
  private readonly fields = new Fields();
  private readonly body = new Body();
  private at: number = At.start;
  private headBytes = 0;
  private status = 0;
  /** Of an event stream: a piece of it is being read. */
  private isInEvent = false;
  /** The body that the response tells of may never come: its request was not seen, and may have been HEAD. */
  private mayBeBodiless = false;
  /** A response is kept: whether its body, or the next response follows, tells whether it was complete. */
  private isKept = false;

  constructor(exchange: Exchange, state: HttpState, endEarly: () => void) {
    this.exchange = exchange;
    this.state = state;
    this.endEarly = endEarly;
  }

  // Runs for every segment with payload.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start;
    while (i < end) {
      if (this.state.isTunnel) return true;
      switch (this.at) {
        case At.start:
          i = this.begin(bytes, i);
          break;
        case At.body:
          i = this.readBody(bytes, i, end);
          break;
        case At.stream:
          i = this.readStream(bytes, i, end);
          break;
        default:
          i = this.readLine(bytes, i, end);
      }
      if (i < 0) return false;
    }
    return true;
  }

  gap(missing: number): boolean {
    if (this.state.isTunnel) return true;
    if (this.at === At.line || this.at === At.fields) return this.gapInHead(missing);
    if (this.at !== At.body && this.at !== At.stream) return false;
    this.mayBeBodiless = false;
    const left = this.body.gap(missing);
    if (this.isInEvent && !this.body.isAtData) this.eventEnds(missing - left);
    if (this.body.isDone) this.bodyEnds(missing - left);
    return left === 0;
  }

  /** Where the status alone says that HTTP ends here, none of the fields is needed; else they hide where the message ends. */
  private gapInHead(missing: number): boolean {
    if (this.at === At.line) {
      this.lines.takePart();
      this.at = At.fields;
      if (this.readStatus()) this.statusIsKnown();
    }
    if (this.status !== SWITCHING && !this.opensTunnel) return false;
    this.switches(missing);
    return true;
  }

  /** The server closes: a body of which no length was told ends here (RFC 9112 §6.3). */
  ends(): void {
    if ((this.at !== At.body && this.at !== At.stream) || !this.body.endsAtClose) return;
    this.body.end();
    if (this.isInEvent) this.eventEnds(0);
    this.bodyEnds(0);
  }

  cutError(): number {
    if (this.at === At.line) {
      this.lines.takePart();
      this.readStatus();
    }
    return this.at === At.line || this.at === At.fields || this.at === At.body ? this.errorId : NO_ERROR;
  }

  resync(): void {
    this.at = At.start;
    this.isInEvent = false;
    this.isKept = false;
    this.mayBeBodiless = false;
    this.body.end();
  }

  /** Nothing, or nothing before the client's next request, came behind a response that is kept: it was complete. */
  decide(): void {
    if (!this.isKept) return;
    this.isKept = false;
    this.exchange.answerKept();
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return this.at === At.start && !this.isKept;
  }

  private get errorId(): number {
    return this.status === 0 ? NO_ERROR : errorOf(this.status);
  }

  private begin(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!;
    if (byte === CR || byte === LF) return i + 1;
    if (byte !== VERSION[0]) return -1;
    this.exchange.responseBegins(i);
    this.headBytes = 0;
    this.status = 0;
    this.lines.begin();
    this.fields.begin();
    this.at = At.line;
    return i;
  }

  // Runs for every line.
  private readLine(bytes: Uint8Array, from: number, end: number): number {
    const lines = this.lines;
    const behind = lines.next(bytes, from, end);
    this.headBytes += (behind || end) - from;
    if (this.headBytes > MAX_HEAD) return -1;
    if (behind === 0) return end;
    if (this.at === At.line) {
      this.at = At.fields;
      if (!this.readStatus()) return -1;
      this.statusIsKnown();
      return behind;
    }
    if (lines.end === lines.start) return this.headEnds(behind) ? behind : -1;
    this.fields.take(lines.bytes, lines.start, lines.end, lines.isCut);
    if (this.tellsDetails) tellField(this.exchange, lines.bytes, lines.start, lines.end);
    return behind;
  }

  /** False when it is no status line of HTTP/1. */
  private readStatus(): boolean {
    const { bytes, start, end } = this.lines;
    if (end - start < STATUS_LINE) return false;
    for (let i = 0; i < VERSION.length; i++) if (bytes[start + i] !== VERSION[i]) return false;
    if (bytes[start + STATUS_AT - 1] !== BLANK) return false;
    if (end - start > STATUS_LINE && bytes[start + STATUS_LINE] !== BLANK) return false;
    let status = 0;
    for (let i = start + STATUS_AT; i < start + STATUS_LINE; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit < 0 || digit > 9) return false;
      status = status * 10 + digit;
    }
    this.status = status;
    return status >= 100;
  }

  private statusIsKnown(): void {
    this.decide();
    if (this.tellsDetails) this.exchange.detail("status", this.status);
  }

  /** Of interim responses nothing is told: what comes after them is the response. */
  private get tellsDetails(): boolean {
    return this.exchange.wantsDetails && (this.status >= 200 || this.status === SWITCHING);
  }

  /** What the oldest request without a response, perhaps not complete itself, expects. */
  private get expected(): number {
    const kind = this.exchange.replyKindAt(0);
    if (kind !== NONE_PENDING) return kind;
    return this.state.open === NOT_OPEN ? Reply.plain : this.state.open;
  }

  /** 2xx to CONNECT (RFC 9110 §9.3.6). */
  private get opensTunnel(): boolean {
    return this.status >= 200 && this.status < 300 && this.expected === Reply.connect;
  }

  /** Where the body ends (RFC 9112 §6.3); false where nobody can say. */
  private headEnds(at: number): boolean {
    const status = this.status;
    const expected = this.expected;
    if (status < 200) {
      this.interim(at);
      return true;
    }
    if (this.opensTunnel) {
      this.switches(at);
      return true;
    }
    this.at = At.body;
    if (expected === Reply.head || status === NO_CONTENT || status === NOT_MODIFIED) this.body.end();
    else if (!this.bodyBegins()) return false;
    else if (expected === Reply.unsure && !this.body.isDone) {
      this.keeps(at);
      return true;
    }
    this.mayBeBodiless = this.exchange.pendingCount === 0 && this.state.open === NOT_OPEN;
    if (this.body.isDone) this.bodyEnds(at);
    else if (this.fields.isEventStream) {
      this.answers(at, TransactionClass.stream);
      this.at = At.stream;
    }
    return true;
  }

  private bodyBegins(): boolean {
    const fields = this.fields;
    if (fields.isCodingFaulty) return false;
    // Where there are both, the coding counts.
    if (fields.hasCoding && fields.isChunked) this.body.beginChunks();
    else if (fields.isLengthFaulty) return false;
    else if (fields.hasCoding || fields.length < 0) this.body.beginUntilClose();
    else this.body.beginLength(fields.length);
    return true;
  }

  /** To HEAD this was all, and to CONNECT. Of anything else the body follows, and where that ends nobody is told. */
  private keeps(at: number): void {
    this.exchange.keep(at, this.errorId);
    this.isKept = true;
    this.body.end();
    this.at = At.start;
  }

  /** 1xx announces a response, and is none itself; but for 101, which is the last of this protocol. */
  private interim(at: number): void {
    if (this.status === SWITCHING) {
      this.switches(at);
      return;
    }
    // Before it has an answer, no later request has one: it is for the request being read.
    if (this.status === CONTINUE && this.exchange.pendingCount === 0) this.state.isContinued = true;
    this.exchange.push(at);
    this.at = At.start;
  }

  /** What follows, in both directions, is no HTTP. */
  private switches(at: number): void {
    this.answers(at, TransactionClass.stream);
    this.state.isTunnel = true;
    this.exchange.leaves();
    this.at = At.start;
  }

  // Runs for every response.
  private answers(at: number, transactionClass: TransactionClass): void {
    const exchange = this.exchange;
    const state = this.state;
    // A server may answer before the request has ended: it refuses what is still to come.
    if (exchange.pendingCount === 0 && state.open !== NOT_OPEN) this.endEarly();
    if (transactionClass !== TransactionClass.normal) exchange.becomes(transactionClass);
    if (state.switchesDue > 0 && exchange.replyKindAt(0) >= Reply.connect) state.switchesDue--;
    exchange.answer(at, this.errorId);
  }

  private readBody(bytes: Uint8Array, from: number, end: number): number {
    if (this.mayBeBodiless) {
      this.mayBeBodiless = false;
      if (recogniseResponse(bytes, from, end) === Recognition.certain) {
        this.exchange.unasked(from);
        this.body.end();
        this.at = At.start;
        return from;
      }
    }
    const i = this.body.push(bytes, from, end);
    if (i >= 0 && this.body.isDone) this.bodyEnds(i);
    return i;
  }

  /** Server-sent events: the response is answered, each chunk is something that comes unasked. */
  private readStream(bytes: Uint8Array, from: number, end: number): number {
    const body = this.body;
    if (!this.isInEvent && body.isAtData) {
      this.isInEvent = true;
      this.exchange.responseBegins(from);
    }
    const i = body.push(bytes, from, end);
    if (i < 0) return i;
    if (this.isInEvent && !body.isAtData) this.eventEnds(i);
    if (body.isDone) this.bodyEnds(i);
    return i;
  }

  private eventEnds(at: number): void {
    this.isInEvent = false;
    this.exchange.push(at);
  }

  private bodyEnds(at: number): void {
    if (this.at === At.body) this.answers(at, TransactionClass.normal);
    this.at = At.start;
  }
}
