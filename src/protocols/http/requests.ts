import { type Exchange, type Parser, Recognition, TransactionClass } from "../protocol.ts";
import { Body } from "./body.ts";
import { tellField } from "./details.ts";
import { Fields } from "./fields.ts";
import { LineReader } from "./line-reader.ts";
import { isToken, METHODS } from "./methods.ts";
import { DECISIVE, recogniseInsteadOfBody } from "./recognise.ts";
import { RequestLine } from "./request-line.ts";
import { type HttpState, NOT_OPEN, Reply } from "./state.ts";

const NO_BYTES = new Uint8Array(0);
const LF = 0x0a;
const CR = 0x0d;
const HEAD = METHODS.indexOf("HEAD");
const CONNECT = METHODS.indexOf("CONNECT");

/** Bytes of a request line with its fields: no server takes more. */
const MAX_HEAD = 64 * 1024;

const At = {
  start: 0,
  line: 1,
  fields: 2,
  body: 3,
  /** A body that waits for a 100: nothing of it has come. */
  expected: 4,
  /** The response has come instead of the 100: a body may follow all the same, or the next request. */
  refused: 5,
} as const;

/** Requests (RFC 9112 §3, §5, §6): `method SP target SP HTTP/1.x CRLF`, fields, an empty line, perhaps a body. */
export class RequestParser implements Parser {
  private readonly exchange: Exchange;
  private readonly state: HttpState;
  private readonly lines = new LineReader();
  private readonly line = new RequestLine();
  private readonly fields = new Fields();
  private readonly body = new Body();
  private at: number = At.start;
  private headBytes = 0;
  /** Of the request being read, in what was pushed before; and where it, or what is being pushed, begins. */
  private bytesBefore = 0;
  private from = 0;
  /** It is told already: its response came before its end. */
  private isTold = false;
  /** Bytes behind a refusal that may begin a request (it is told so) or a body; null where none came. */
  private doubtful: Uint8Array | null = null;
  /** What the client sends is no HTTP any more, whatever the server says. */
  private isForeign = false;

  constructor(exchange: Exchange, state: HttpState) {
    this.exchange = exchange;
    this.state = state;
  }

  // Runs for every segment with payload.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.state.isTunnel || this.isForeign) return this.leave();
    this.from = start;
    let i = start;
    while (i < end) {
      switch (this.at) {
        case At.start:
          i = this.begin(bytes, i, end);
          break;
        case At.body:
          i = this.readBody(bytes, i, end);
          break;
        case At.expected:
          this.at = At.body;
          break;
        case At.refused:
          i = this.readRefused(bytes, i, end);
          break;
        default:
          i = this.readLine(bytes, i, end);
      }
      if (i < 0) return false;
    }
    if (this.at !== At.start) this.bytesBefore += end - this.from;
    return true;
  }

  gap(missing: number): boolean {
    if (this.state.isTunnel || this.isForeign) return this.leave();
    // (Behind a refusal it may as well be the next request that is missing.)
    if (this.at === At.expected) this.at = At.body;
    if (this.at !== At.body) return false;
    this.bytesBefore += missing;
    const left = this.body.gap(missing);
    if (this.body.isDone) this.messageEnds(missing - left);
    return left === 0;
  }

  cutOff(): void {
    if (this.at === At.start) return;
    if (this.at === At.refused) {
      this.dropDoubtful();
      this.at = At.start;
      return;
    }
    if (this.at === At.line) {
      this.lines.takePart();
      this.readRequestLine();
      if (this.line.mayBe(HEAD) || this.line.mayBe(CONNECT)) this.state.open = Reply.unsure;
      if (!this.isTold) this.exchange.textCut();
    }
    this.messageEnds(0);
  }

  resync(): void {
    this.at = At.start;
    this.isTold = false;
    this.doubtful = null;
    this.isForeign = false;
    this.state.open = NOT_OPEN;
    this.state.switchesDue = 0;
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return this.at === At.start && !this.isForeign;
  }

  /** The response to the request being read is complete before it: it is told as it stands. */
  endEarly(): void {
    if (this.state.open === NOT_OPEN) return;
    if (this.at === At.line) this.line.clear();
    else if (this.at === At.expected && !this.state.isContinued) this.at = At.refused;
    this.exchange.requestEndsEarly(this.bytesBefore, this.line.methodId, TransactionClass.normal, this.state.open, 0);
    this.isTold = true;
    this.state.open = NOT_OPEN;
  }

  /** What follows is no HTTP: it costs nothing. */
  private leave(): boolean {
    if (this.at === At.start) return true;
    if (!this.isTold) this.exchange.requestVoid();
    this.doubtful = null;
    this.state.open = NOT_OPEN;
    this.at = At.start;
    return true;
  }

  private begin(bytes: Uint8Array, i: number, end: number): number {
    const byte = bytes[i]!;
    // Empty lines before a request are none (RFC 9112 §2.2).
    if (byte === CR || byte === LF) return i + 1;
    if (!isToken(byte)) {
      if (this.state.switchesDue === 0) return -1;
      this.isForeign = true;
      return end;
    }
    this.exchange.requestBegins(i);
    this.from = i;
    this.bytesBefore = 0;
    this.headBytes = 0;
    this.isTold = false;
    this.state.open = Reply.plain;
    this.lines.begin();
    this.fields.begin();
    this.line.clear();
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
      if (!this.readRequestLine()) return this.refuse();
      this.at = At.fields;
      return behind;
    }
    if (lines.end === lines.start) return this.headEnds(behind) ? behind : -1;
    this.fields.take(lines.bytes, lines.start, lines.end, lines.isCut);
    if (this.exchange.wantsDetails && !this.isTold) tellField(this.exchange, lines.bytes, lines.start, lines.end);
    return behind;
  }

  /** A line that is no request line begins no request; whatever the server says of it belongs to nobody. */
  private refuse(): number {
    if (!this.isTold) this.exchange.requestVoid();
    this.state.open = NOT_OPEN;
    this.at = At.start;
    return -1;
  }

  /** False when it is none. */
  private readRequestLine(): boolean {
    const { bytes, start, end, isCut } = this.lines;
    const isRequest = this.line.read(bytes, start, end, isCut);
    const { methodId } = this.line;
    if (this.isTold || !isRequest) return isRequest;
    if (this.exchange.wantsText) this.line.tell(this.exchange);
    if (methodId === HEAD) this.state.open = Reply.head;
    else if (methodId === CONNECT) this.state.open = Reply.connect;
    return isRequest;
  }

  /** Where the body ends (RFC 9112 §6.3); false where nobody can say. */
  private headEnds(at: number): boolean {
    const fields = this.fields;
    if (fields.isLengthFaulty || fields.isCodingFaulty || (fields.hasCoding && !fields.isChunked)) return false;
    if (fields.hasUpgrade && this.state.open === Reply.plain) this.state.open = Reply.upgrade;
    this.at = At.body;
    if (fields.hasCoding) this.body.beginChunks();
    else if (fields.length > 0) this.body.beginLength(fields.length);
    else this.messageEnds(at);
    if (fields.asksFor100 && this.at === At.body) {
      this.at = At.expected;
      this.state.isContinued = false;
    }
    return true;
  }

  /**
   * Behind a request that was refused before any of its body had come: who did not wait for the 100 sends that body all the same; who
   * waited, the next request.
   */
  private readRefused(bytes: Uint8Array, from: number, end: number): number {
    if (this.doubtful === null) {
      if (recogniseInsteadOfBody(bytes, from, from + 1) === Recognition.no) return this.beginBody(from);
      // Should it be a request, it begins here; what the server sends before that is known is no answer to it.
      this.begin(bytes, from, end);
      this.state.open = NOT_OPEN;
      this.at = At.refused;
      this.doubtful = NO_BYTES;
    }
    const before = this.doubtful;
    const all = joined(before, bytes, from, end);
    const verdict = recogniseInsteadOfBody(all, 0, all.length);
    if (verdict === Recognition.undecided) {
      this.doubtful = all;
      return end;
    }
    if (verdict !== Recognition.certain) return this.beginBody(from);
    this.doubtful = null;
    this.state.open = Reply.plain;
    this.at = At.line;
    this.headBytes = before.length;
    // No line ends in it: it would have been known by then what it is.
    this.lines.next(before, 0, before.length);
    return from;
  }

  /** What comes is the body all the same, and so was what may have been a request. */
  private beginBody(from: number): number {
    const before = this.doubtful ?? NO_BYTES;
    this.dropDoubtful();
    this.at = At.body;
    let i = 0;
    while (i >= 0 && i < before.length && !this.body.isDone) i = this.body.push(before, i, before.length);
    // It ended among bytes that are gone: where in time the next message began, nobody knows any more.
    if (i !== before.length) return -1;
    if (this.body.isDone) this.messageEnds(from);
    return from;
  }

  /** What may have been a request is none. */
  private dropDoubtful(): void {
    if (this.doubtful === null) return;
    this.doubtful = null;
    this.exchange.requestVoid();
    this.isTold = true;
  }

  private readBody(bytes: Uint8Array, from: number, end: number): number {
    const i = this.body.push(bytes, from, end);
    if (i >= 0 && this.body.isDone) this.messageEnds(i);
    return i;
  }

  // Runs for every request.
  private messageEnds(at: number): void {
    const state = this.state;
    this.at = At.start;
    if (this.isTold) return;
    const kind = state.open === NOT_OPEN ? Reply.plain : state.open;
    state.open = NOT_OPEN;
    if (kind >= Reply.connect) state.switchesDue++;
    this.exchange.requestEnds(at, this.line.methodId, TransactionClass.normal, kind, 0);
  }
}

/** Both, as far as it takes to know whether they begin a request. */
function joined(before: Uint8Array, bytes: Uint8Array, from: number, end: number): Uint8Array {
  const more = bytes.subarray(from, Math.min(end, from + DECISIVE - before.length));
  const all = new Uint8Array(before.length + more.length);
  all.set(before);
  all.set(more, before.length);
  return all;
}
