import { u16 } from "../../bytes/read.ts";
import type { Exchange, Parser } from "../protocol.ts";
import { NONE_PENDING, Recognition } from "../protocol.ts";
import { pendingId, tellAnswer } from "./answers.ts";
import { HEADER_BYTES, Message } from "./message.ts";
import { tellQuestion } from "./questions.ts";
import { recogniseAnswer, recogniseQuestion } from "./recognise.ts";
import { Type } from "./tables.ts";

/** Of a message in several segments so much is kept: the header, the question, and more than most answers have. */
const KEPT_BYTES = 4096;
const FIRST_KEPT_BYTES = 512;
/** Zone transfers of one connection that are remembered: NSD asks for so many at once (nsd.conf, `xfrd-tcp-pipeline`). */
const MAX_TRANSFERS = 128;

const message = new Message();

/**
 * One direction of a TCP connection (RFC 1035 §4.2.2): each message has its length in front, in two bytes. A message that stands
 * whole in a segment is read where it stands.
 */
abstract class MessageParser implements Parser {
  protected readonly exchange: Exchange;
  /** Bytes of the length and the message that are still to come; 0 between messages, -1 while half of the length is known. */
  private left = 0;
  protected length = 0;
  private kept: Uint8Array = NOTHING;
  private keptLength = 0;
  /** What follows in the message was not seen: no more is kept. */
  private isCut = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get isAtRest(): boolean {
    return this.left === 0;
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.left === 0) {
        this.messageBegins(at);
        if (end - at === 1) {
          this.length = bytes[at]! << 8;
          this.left = -1;
          return true;
        }
        this.length = u16(bytes, at);
        at += 2;
      } else if (this.left < 0) {
        this.length |= bytes[at]!;
        at++;
      } else {
        at = this.collect(bytes, at, end);
        if (this.left === 0 && !this.messageEnds(at)) return false;
        continue;
      }
      if (this.length < HEADER_BYTES) return false;
      if (end - at >= this.length) {
        const from = at;
        at += this.length;
        this.left = 0;
        if (!this.tellAt(bytes, from, at, at)) return false;
        continue;
      }
      this.left = this.length;
      this.keptLength = 0;
      this.isCut = false;
    }
    return true;
  }

  gap(missing: number): boolean {
    // Who it is from must be known.
    if (this.left <= 0 || missing > this.left || this.keptLength < HEADER_BYTES) return false;
    this.isCut = true;
    this.left -= missing;
    return this.left > 0 || this.messageEnds(missing);
  }

  resync(): void {
    this.left = 0;
    this.kept = NOTHING;
  }

  begins(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 2 + HEADER_BYTES || u16(bytes, start) < HEADER_BYTES) return false;
    return this.isMessage(bytes, start + 2, end, start + 2 + u16(bytes, start));
  }

  /** Whether a message begins at `start`, beyond doubt. */
  protected abstract isMessage(bytes: Uint8Array, start: number, captured: number, end: number): boolean;
  protected abstract messageBegins(at: number): void;
  protected abstract tell(bytes: Uint8Array, start: number, captured: number, at: number): void;

  private collect(bytes: Uint8Array, at: number, end: number): number {
    const stop = Math.min(end, at + this.left);
    if (!this.isCut) this.keep(bytes, at, stop);
    this.left -= stop - at;
    return stop;
  }

  private keep(bytes: Uint8Array, at: number, stop: number): void {
    const length = Math.min(stop - at, KEPT_BYTES - this.keptLength);
    if (this.keptLength + length > this.kept.length) {
      const room = new Uint8Array(Math.min(KEPT_BYTES, Math.max(FIRST_KEPT_BYTES, 2 * (this.keptLength + length))));
      room.set(this.kept.subarray(0, this.keptLength));
      this.kept = room;
    }
    this.kept.set(bytes.subarray(at, at + length), this.keptLength);
    this.keptLength += length;
  }

  private messageEnds(at: number): boolean {
    const kept = this.kept;
    this.kept = NOTHING;
    return this.tellAt(kept, 0, this.keptLength, at);
  }

  private tellAt(bytes: Uint8Array, start: number, captured: number, at: number): boolean {
    if (!message.read(bytes, start, captured)) return false;
    this.tell(bytes, start, captured, at);
    return true;
  }
}

const NOTHING = new Uint8Array(0);

export class QuestionParser extends MessageParser {
  protected messageBegins(at: number): void {
    this.exchange.requestBegins(at);
  }

  protected tell(bytes: Uint8Array, start: number, _captured: number, at: number): void {
    if (message.isResponse) this.exchange.requestVoid();
    else tellQuestion(this.exchange, message, bytes, start, this.length, at, false);
  }

  protected isMessage(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    return recogniseQuestion(bytes, start, Math.min(captured, end), end) === Recognition.certain;
  }
}

export class AnswerParser extends MessageParser {
  /** Ids of zone transfers of which more may come, the oldest first: BIND sends several at once, message by message. */
  private transferIds: number[] = [];

  /** What must be remembered between messages: 0 for nothing, the id of the only transfer plus 1, or -1 where there were several. */
  get standing(): number {
    const { transferIds } = this;
    return transferIds.length > 1 ? -1 : (transferIds[0] ?? -1) + 1;
  }

  resume(standing: number): void {
    this.transferIds = standing === 0 ? [] : [standing - 1];
  }

  protected messageBegins(at: number): void {
    this.exchange.responseBegins(at);
  }

  protected tell(bytes: Uint8Array, start: number, captured: number, at: number): void {
    const { exchange } = this;
    const isPending = exchange.replyKindOf(pendingId(exchange, message, bytes, start)) !== NONE_PENDING;
    // A zone comes in many messages, of which only the first need repeat the question (RFC 5936 §2.2.1).
    if (!message.isResponse || (!isPending && this.transferIds.includes(message.id))) {
      exchange.push(at);
      return;
    }
    if (isPending && (message.type === Type.axfr || message.type === Type.ixfr)) this.transferBegins(message.id);
    tellAnswer(exchange, message, bytes, start, captured, at);
  }

  private transferBegins(id: number): void {
    const { transferIds } = this;
    if (transferIds.includes(id)) return;
    if (transferIds.length === MAX_TRANSFERS) transferIds.shift();
    transferIds.push(id);
  }

  protected isMessage(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    const stop = Math.min(captured, end);
    if (recogniseAnswer(bytes, start, stop, end) === Recognition.no) return false;
    message.read(bytes, start, stop);
    return this.exchange.replyKindOf(pendingId(this.exchange, message, bytes, start)) !== NONE_PENDING;
  }
}
