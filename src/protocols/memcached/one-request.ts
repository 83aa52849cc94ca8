import { type Exchange, NO_REPLY, type TransactionClass } from "../protocol.ts";
import { isQuiet } from "./reply-kind.ts";
import type { RequestTeller } from "./state.ts";

/**
 * Stands between a parser of requests and the exchange: a datagram is one request, whose id is the datagram's. Of several in one datagram,
 * which nobody sends, the first is told.
 */
export class OneRequest implements RequestTeller {
  private readonly exchange: Exchange;
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  private id = 0;
  private start = 0;
  private end = 0;
  private isOpen = false;
  isTold = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.wantsText = exchange.wantsText;
    this.wantsValues = exchange.wantsValues;
  }

  /** The next datagram, its header included, is bytes[start, end). */
  begin(id: number, start: number, end: number): void {
    this.id = id;
    this.start = start;
    this.end = end;
    this.isOpen = false;
    this.isTold = false;
  }

  requestBegins(): void {
    if (this.isTold || this.isOpen) return;
    this.isOpen = true;
    this.exchange.requestBegins(this.start);
  }

  word(isKey: boolean): void {
    if (!this.isTold) this.exchange.word(isKey);
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    if (!this.isTold) this.exchange.text(bytes, start, end);
  }

  redacted(): void {
    if (!this.isTold) this.exchange.redacted();
  }

  textCut(): void {
    if (!this.isTold) this.exchange.textCut();
  }

  requestVoid(): void {
    if (this.isTold) return;
    this.isOpen = false;
    this.exchange.requestVoid();
  }

  requestEnds(_at: number, commandId: number, transactionClass: TransactionClass, replyKind: number): void {
    if (this.isTold) return;
    this.isTold = true;
    // A quiet one may be answered or not, and nothing that comes later says which: datagrams have no order.
    const kind = isQuiet(replyKind) ? NO_REPLY : replyKind;
    this.exchange.requestEnds(this.end, commandId, transactionClass, kind, this.id);
  }
}
