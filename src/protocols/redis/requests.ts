import type { Exchange, Parser } from "../protocol.ts";
import { Inline, InlineSplitter } from "./inline.ts";
import type { Modes } from "./modes.ts";
import { OrdinaryRequest } from "./ordinary-request.ts";
import { RequestCommand } from "./request-command.ts";

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const FORM_FEED = 0x0c;
const BLANK = 0x20;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const MINUS = 0x2d;

/** Where the next byte stands. */
const At = { start: 0, count: 1, length: 2, body: 3, bodyEnd: 4, inline: 5 } as const;

/** Longest inline command (Redis: PROTO_INLINE_MAX_SIZE), and most digits of a length (1 TiB). */
const MAX_INLINE = 64 * 1024;
const MAX_DIGITS = 13;
/** Most arguments (Redis: INT_MAX). */
const MAX_COUNT = 0x7fffffff;
/** Values of `digits` outside a number: its line is complete, or the `$` before it is still to come. */
const NUMBER_READ = -1;
const SIGN_DUE = -2;

/**
 * Requests (https://redis.io/docs/latest/develop/reference/protocol-spec/): an array of bulk strings,
 *
 *     *<count>\r\n  then per argument  $<length>\r\n<bytes>\r\n
 *
 * or an inline command, words up to the end of the line.
 */
export class RequestParser implements Parser {
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  private readonly ordinary: OrdinaryRequest;
  private readonly command: RequestCommand;
  private at: number = At.start;
  /** A line with a number: its digits so far. */
  private number = 0;
  private digits = 0;
  private isNegative = false;
  private sawCr = false;
  /** Arguments still to come, this one included; of an inline command unknown. */
  private argumentsLeft = 0;
  private argumentCount = 0;
  private bodyLeft = 0;
  private inlineBytes = 0;
  private isInWord = false;
  /** Only people and old clients send inline commands. */
  private inline: InlineSplitter | null = null;

  constructor(exchange: Exchange, modes: Modes) {
    this.exchange = exchange;
    this.modes = modes;
    this.ordinary = new OrdinaryRequest(exchange);
    this.command = new RequestCommand(exchange, modes);
  }

  // Runs for every segment with payload.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start;
    while (i < end) {
      switch (this.at) {
        case At.start: {
          const isOrdinary = !this.command.isUnusual && !this.modes.isReplication;
          const behind = isOrdinary ? this.ordinary.read(bytes, i, end) : 0;
          i = behind > i ? behind : this.readStart(bytes, i);
          break;
        }
        case At.count:
          i = this.readCount(bytes, i, end);
          break;
        case At.length:
          i = this.readLength(bytes, i, end);
          break;
        case At.body:
          i = this.readBody(bytes, i, end);
          break;
        case At.bodyEnd:
          i = this.readBodyEnd(bytes, i);
          break;
        default:
          i = this.readInline(bytes, i, end);
      }
      if (i < 0) return false;
    }
    return true;
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return this.at === At.start && !this.command.hasEffect;
  }

  /** Goes on with another connection. */
  resume(): void {
    this.command.resume();
  }

  gap(missing: number): boolean {
    let left = missing;
    if (this.at === At.body && left > 0) {
      if (this.command.isDeciding) {
        this.command.takeHole();
        return false;
      }
      const skipped = Math.min(left, this.bodyLeft);
      this.bodyLeft -= skipped;
      left -= skipped;
      this.command.takeHole();
      if (this.bodyLeft === 0) this.at = At.bodyEnd;
    }
    if (this.at === At.bodyEnd && left > 0) {
      // The two bytes that end a body need not be seen.
      if (!this.sawCr) {
        this.sawCr = true;
        left--;
      }
      if (left > 0) {
        left--;
        this.endArgument(missing - left);
      }
    }
    return left === 0;
  }

  cutOff(): void {
    if (this.at === At.start) return;
    // An inline word's length is not announced: nobody knows whether it ended there.
    if (this.at === At.inline && this.isInWord) this.command.takeHole();
    // With its name cut in the middle it is a request, but nobody knows which; what holds for any (replication, CLIENT REPLY OFF) holds for it.
    const read = this.command.arguments;
    this.command.completeCut(this.at === At.inline ? read : this.argumentCount);
    this.at = At.start;
  }

  resync(): void {
    this.at = At.start;
    this.command.resync();
  }

  private readStart(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!;
    // Lines without a word, and what is left of them, are no requests.
    if (byte === LF || byte === CR) return i + 1;
    this.command.begin();
    if (byte === ASTERISK) {
      this.exchange.requestBegins(i);
      this.at = At.count;
      this.startNumber();
      return i + 1;
    }
    if ((byte < BLANK && (byte < TAB || byte > FORM_FEED)) || byte > 0x7e) return -1;
    this.exchange.requestBegins(i);
    this.at = At.inline;
    this.inlineBytes = 0;
    this.inline ??= new InlineSplitter();
    this.inline.begin();
    this.isInWord = false;
    return i;
  }

  private startNumber(): void {
    this.number = 0;
    this.digits = 0;
    this.isNegative = false;
    this.sawCr = false;
  }

  /** Reads on in `-?digits\r\n`. At its end digits is NUMBER_READ. Returns -1 when it is none. */
  // Runs for every argument.
  private readNumber(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end) {
      const byte = bytes[i++]!;
      if (byte >= 0x30 && byte <= 0x39 && !this.sawCr) {
        this.number = this.number * 10 + (byte - 0x30);
        if (++this.digits > MAX_DIGITS) return -1;
      } else if (byte === LF && this.sawCr) {
        if (this.digits === 0) return -1;
        if (this.isNegative) this.number = -this.number;
        this.digits = NUMBER_READ;
        return i;
      } else if (byte === CR && !this.sawCr) this.sawCr = true;
      else if (byte === MINUS && this.digits === 0 && !this.isNegative && !this.sawCr) this.isNegative = true;
      else return -1;
    }
    return i;
  }

  // Runs for every request.
  private readCount(bytes: Uint8Array, from: number, end: number): number {
    const i = this.readNumber(bytes, from, end);
    if (i < 0 || this.digits !== NUMBER_READ) return i;
    if (this.number > MAX_COUNT) return -1;
    this.at = At.length;
    this.digits = SIGN_DUE;
    this.argumentsLeft = this.argumentCount = this.number;
    if (this.number <= 0) {
      // `*0` and `*-1` get no answer.
      this.exchange.requestVoid();
      this.at = At.start;
    }
    return i;
  }

  // Runs for every argument.
  private readLength(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    if (this.digits === SIGN_DUE) {
      if (bytes[i] !== DOLLAR) return -1;
      i++;
      this.startNumber();
    }
    i = this.readNumber(bytes, i, end);
    if (i < 0 || this.digits !== NUMBER_READ) return i;
    if (this.number < 0) return -1;
    this.bodyLeft = this.number;
    this.command.beginArgument(this.bodyLeft === 0);
    this.at = this.bodyLeft > 0 ? At.body : At.bodyEnd;
    this.sawCr = false;
    return i;
  }

  // Runs for every argument.
  private readBody(bytes: Uint8Array, i: number, end: number): number {
    const available = end - i;
    const take = Math.min(available, this.bodyLeft);
    const stop = i + take;
    this.command.take(bytes, i, stop);
    this.bodyLeft -= take;
    if (this.bodyLeft === 0) this.at = At.bodyEnd;
    return stop;
  }

  // Runs for every argument.
  private readBodyEnd(bytes: Uint8Array, i: number): number {
    if (!this.sawCr) {
      if (bytes[i] !== CR) return -1;
      this.sawCr = true;
      return i + 1;
    }
    if (bytes[i] !== LF) return -1;
    this.endArgument(i + 1);
    return i + 1;
  }

  private readInline(bytes: Uint8Array, from: number, end: number): number {
    const command = this.command;
    const inline = this.inline!;
    for (let i = from; i < end; i++) {
      if (++this.inlineBytes > MAX_INLINE) return -1;
      const found = inline.step(bytes[i]!);
      if (found === Inline.none) continue;
      if (found === Inline.broken) return -1;
      if (found === Inline.word) {
        if (!this.isInWord) command.beginArgument(false);
        this.isInWord = true;
        command.take(inline.bytes, 0, inline.count);
        continue;
      }
      if (this.isInWord) command.endArgument();
      this.isInWord = false;
      if (found !== Inline.lineEnds) continue;
      this.at = At.start;
      if (command.arguments === 0) this.exchange.requestVoid();
      else command.complete(i + 1, command.arguments);
      return i + 1;
    }
    return end;
  }

  // Runs for every argument.
  private endArgument(at: number): void {
    this.sawCr = false;
    this.command.endArgument();
    if (--this.argumentsLeft > 0) {
      this.at = At.length;
      this.digits = SIGN_DUE;
      return;
    }
    this.at = At.start;
    this.command.complete(at, this.argumentCount);
  }
}
