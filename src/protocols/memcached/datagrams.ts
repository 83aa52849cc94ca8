import { u16 } from "../../bytes/read.ts";
import {
  type DatagramProtocol,
  type DatagramSession,
  type Exchange,
  NO_ERROR,
  NONE_PENDING,
  type Parser,
  Recognition,
} from "../protocol.ts";
import { REQUEST_MAGIC } from "./binary-header.ts";
import { BinaryRequests } from "./binary-requests.ts";
import { firstAnswer } from "./first-answer.ts";
import { OneRequest } from "./one-request.ts";
import { recogniseRequest, recogniseResponse } from "./recognise.ts";
import { detailOf, Shape, shapeOf } from "./reply-kind.ts";
import { Dialect, MemcachedState } from "./state.ts";
import { TextRequests } from "./text-requests.ts";

/**
 * In front of each datagram (memcached `protocol.txt`, "UDP protocol"):
 *
 *     0  request id             4  total number of datagrams in this message
 *     2  sequence number        6  reserved, 0
 *
 * A request is one datagram; a response has as many as it takes, of 1,400 bytes, and all its request's id.
 */
const HEADER_BYTES = 8;
/** Responses of several datagrams that are followed at once; the oldest is given up. */
const MAX_PARTIAL = 256;

/** A response of which not all datagrams have come. */
interface Partial {
  readonly total: number;
  readonly seen: Set<number>;
  errorId: number;
}

class Datagrams implements DatagramSession {
  readonly #exchange: Exchange;
  readonly #request: OneRequest;
  readonly #text: Parser;
  readonly #binary: Parser;
  readonly #partial = new Map<number, Partial>();

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#request = new OneRequest(exchange);
    const state = new MemcachedState();
    state.dialect = Dialect.text;
    this.#text = new TextRequests(this.#request, state);
    this.#binary = new BinaryRequests(this.#request, new MemcachedState());
  }

  get isAtRest(): boolean {
    return this.#partial.size === 0;
  }

  request(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    const message = start + HEADER_BYTES;
    // The server takes no request of several datagrams.
    if (captured <= message || u16(bytes, start + 2) !== 0 || u16(bytes, start + 4) !== 1) return false;
    const id = u16(bytes, start);
    const parser = bytes[message] === REQUEST_MAGIC ? this.#binary : this.#text;
    this.#partial.delete(id);
    this.#request.begin(id, start, end);
    const isTaken = parser.push(bytes, message, captured);
    if (!this.#request.isTold && (!isTaken || end === captured || !parser.gap(end - captured))) parser.cutOff?.();
    parser.resync();
    return isTaken || this.#request.isTold;
  }

  response(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    const message = start + HEADER_BYTES;
    if (captured < message) return false;
    const id = u16(bytes, start);
    const sequence = u16(bytes, start + 2);
    const total = u16(bytes, start + 4);
    if (sequence >= total) return false;
    const exchange = this.#exchange;
    exchange.responseBegins(start);
    const kind = exchange.replyKindOf(id);
    if (sequence === 0 && kind !== NONE_PENDING) firstAnswer.read(bytes, message, captured);
    if (total === 1) {
      if (kind !== NONE_PENDING) this.#tellLookups(kind, true);
      exchange.answerById(end, id, kind === NONE_PENDING ? NO_ERROR : firstAnswer.errorId);
    } else if (kind === NONE_PENDING) exchange.answerById(end, id, NO_ERROR);
    else this.#part(id, sequence, total, kind, end);
    return true;
  }

  #part(id: number, sequence: number, total: number, kind: number, end: number): void {
    const exchange = this.#exchange;
    let partial = this.#partial.get(id);
    if (partial === undefined || partial.total !== total) {
      partial = { total, seen: new Set(), errorId: NO_ERROR };
      this.#follow(id, partial);
    }
    if (partial.seen.has(sequence)) {
      exchange.push(end);
      return;
    }
    partial.seen.add(sequence);
    if (sequence === 0) {
      partial.errorId = firstAnswer.errorId;
      this.#tellLookups(kind, false);
    }
    if (partial.seen.size < total) {
      exchange.partialAnswerById(end, id);
      return;
    }
    this.#partial.delete(id);
    exchange.answerById(end, id, partial.errorId);
  }

  #follow(id: number, partial: Partial): void {
    if (this.#partial.size >= MAX_PARTIAL) {
      for (const oldest of this.#partial.keys()) {
        this.#partial.delete(oldest);
        break;
      }
    }
    this.#partial.set(id, partial);
  }

  /** What stands in the first datagram tells all where it is the only one, or one key was asked for. */
  #tellLookups(kind: number, isWhole: boolean): void {
    const keys = detailOf(kind);
    if (shapeOf(kind) !== Shape.get || firstAnswer.errorId !== NO_ERROR || keys === 0) return;
    if (!isWhole && keys > 1) return;
    const hits = Math.min(firstAnswer.values, keys);
    this.#exchange.lookups(hits, keys - hits);
  }
}

/** memcached over UDP. */
export const datagrams: DatagramProtocol = {
  ports: [11211],
  recogniseRequest: (bytes, start, end) =>
    hasHeader(bytes, start, end, 1) ? recogniseRequest(bytes, start + HEADER_BYTES, end) : Recognition.no,
  recogniseResponse(bytes, start, end) {
    if (!hasHeader(bytes, start, end, 0xffff)) return Recognition.no;
    // What follows in the second datagram may be anything.
    if (u16(bytes, start + 2) > 0) return Recognition.possible;
    return recogniseResponse(bytes, start + HEADER_BYTES, end);
  },
  createSession: (exchange) => new Datagrams(exchange),
};

function hasHeader(bytes: Uint8Array, start: number, end: number, maxTotal: number): boolean {
  if (end - start <= HEADER_BYTES || u16(bytes, start + 6) !== 0) return false;
  const total = u16(bytes, start + 4);
  return total >= 1 && total <= maxTotal && u16(bytes, start + 2) < total;
}
