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
import { IS_LOOKUP } from "./binary-responses.ts";
import { firstAnswer } from "./first-answer.ts";
import { OneRequest } from "./one-request.ts";
import { recogniseRequest, recogniseResponse } from "./recognise.ts";
import { detailOf, isMetaGet, Shape, shapeOf } from "./reply-kind.ts";
import { Dialect, MemcachedState } from "./state.ts";
import { TextRequests } from "./text-requests.ts";

/**
 * In front of each datagram (memcached `protocol.txt`, "UDP protocol"):
 *
 *     0  request id             4  total number of datagrams in this message
 *     2  sequence number        6  reserved, 0
 *
 * A request is one datagram; what is said in response has as many as it takes, of 1,400 bytes, and all its request's id. Up to 1.4 a
 * response is numbered through; since 1.5 each value of a `get` with several keys is numbered by itself, and the last has the END; for a
 * first key that it does not have it sends a header alone, with a total of 0 (tried on 1.6.18).
 */
const HEADER_BYTES = 8;
/** `END\r\n` */
const END = new TextEncoder().encode("END\r\n");
const END_BYTES = 5;
/** Responses of several datagrams that are followed at once; the oldest is given up. */
const MAX_PARTIAL = 256;

/** A response of which not all has come: what is numbered together, as far as it has come, and all before. */
interface Partial {
  total: number;
  readonly seen: Set<number>;
  /** Bytes behind the headers; and where, in these, the values end that begin in the first datagram. */
  bytes: number;
  valuesEnd: number;
  /** The last datagram ends with `END`; null where it was cut off. */
  hasEnd: boolean | null;
  errorId: number;
  hits: number;
  isFound: boolean | null;
  /** All values are known to be counted. */
  isCounted: boolean;
}

class Datagrams implements DatagramSession {
  private readonly exchange: Exchange;
  private readonly oneRequest: OneRequest;
  private readonly text: Parser;
  private readonly binary: Parser;
  private readonly partial = new Map<number, Partial>();

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.oneRequest = new OneRequest(exchange);
    const state = new MemcachedState();
    state.dialect = Dialect.text;
    this.text = new TextRequests(this.oneRequest, state);
    this.binary = new BinaryRequests(this.oneRequest, new MemcachedState());
  }

  get isAtRest(): boolean {
    return this.partial.size === 0;
  }

  request(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    const message = start + HEADER_BYTES;
    // The server takes no request of several datagrams.
    if (captured <= message || u16(bytes, start + 2) !== 0 || u16(bytes, start + 4) !== 1) return false;
    const id = u16(bytes, start);
    const parser = bytes[message] === REQUEST_MAGIC ? this.binary : this.text;
    this.partial.delete(id);
    this.oneRequest.begin(id, start, end);
    const isTaken = parser.push(bytes, message, captured);
    if (!this.oneRequest.isTold && (!isTaken || end === captured || !parser.gap(end - captured))) parser.cutOff?.();
    parser.resync();
    return isTaken || this.oneRequest.isTold;
  }

  response(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    const message = start + HEADER_BYTES;
    if (captured < message) return false;
    const id = u16(bytes, start);
    const sequence = u16(bytes, start + 2);
    const total = u16(bytes, start + 4);
    const isEmpty = total === 0 && end === message;
    if (sequence >= total && !isEmpty) return false;
    const exchange = this.exchange;
    exchange.responseBegins(start);
    if (isEmpty) {
      exchange.partialAnswerById(end, id);
      return true;
    }
    const kind = exchange.replyKindOf(id);
    if (kind === NONE_PENDING) exchange.answerById(end, id, NO_ERROR);
    else this.part(id, this.partialOf(id, total), sequence, kind, bytes, message, captured, end);
    return true;
  }

  private part(
    id: number,
    partial: Partial,
    sequence: number,
    kind: number,
    bytes: Uint8Array,
    start: number,
    captured: number,
    end: number,
  ): void {
    const exchange = this.exchange;
    const { seen } = partial;
    if (seen.has(sequence)) {
      exchange.push(end);
      return;
    }
    seen.add(sequence);
    partial.bytes += end - start;
    if (sequence === 0) this.first(partial, bytes, start, captured);
    if (sequence === partial.total - 1) partial.hasEnd = captured < end ? null : endsWithEnd(bytes, start, end);
    if (seen.size < partial.total || !this.isLast(partial, kind)) {
      exchange.partialAnswerById(end, id);
      return;
    }
    this.partial.delete(id);
    if (partial.errorId === NO_ERROR) this.tellLookups(partial, kind);
    exchange.answerById(end, id, partial.errorId);
  }

  private tellLookups(partial: Partial, kind: number): void {
    const shape = shapeOf(kind);
    const detail = detailOf(kind);
    if (shape === Shape.get) {
      if (!partial.isCounted || detail === 0) return;
      const hits = Math.min(partial.hits, detail);
      this.exchange.lookups(hits, detail - hits);
    } else if (
      partial.isFound !== null &&
      (isMetaGet(shape) || (shape === Shape.binary && IS_LOOKUP[detail & 0xff] === 1))
    ) {
      this.exchange.lookups(partial.isFound ? 1 : 0, partial.isFound ? 0 : 1);
    }
  }

  private first(partial: Partial, bytes: Uint8Array, start: number, captured: number): void {
    firstAnswer.read(bytes, start, captured);
    partial.errorId = firstAnswer.errorId;
    partial.hits += firstAnswer.values;
    partial.valuesEnd = firstAnswer.valuesEnd - start;
    partial.isFound = firstAnswer.isFound;
  }

  /**
   * All of what is numbered together has come; whether nothing more is to come. Else the next is counted anew. Where the values' lengths say it,
   * they do: a value may end with `END` itself, and what ends the response may be cut in two.
   */
  private isLast(partial: Partial, kind: number): boolean {
    const behind = partial.bytes - partial.valuesEnd;
    if (behind !== 0 && behind !== END_BYTES) partial.isCounted = false;
    if (shapeOf(kind) !== Shape.get || detailOf(kind) === 1 || partial.errorId !== NO_ERROR) return true;
    // More than that behind a value that was seen to begin are further values, numbered through: then all has come.
    if (behind !== 0 && (partial.valuesEnd > 0 || behind === END_BYTES || (partial.hasEnd ?? true))) return true;
    partial.seen.clear();
    partial.bytes = 0;
    partial.valuesEnd = 0;
    return false;
  }

  private partialOf(id: number, total: number): Partial {
    let partial = this.partial.get(id);
    if (partial === undefined) {
      partial = {
        total,
        seen: new Set(),
        bytes: 0,
        valuesEnd: 0,
        hasEnd: null,
        errorId: NO_ERROR,
        hits: 0,
        isFound: null,
        isCounted: true,
      };
      this.follow(id, partial);
    }
    if (partial.total !== total) partial.seen.clear();
    partial.total = total;
    return partial;
  }

  private follow(id: number, partial: Partial): void {
    if (this.partial.size >= MAX_PARTIAL) {
      for (const oldest of this.partial.keys()) {
        this.partial.delete(oldest);
        break;
      }
    }
    this.partial.set(id, partial);
  }
}

/** Whether bytes[start, end) end with the line `END`. */
function endsWithEnd(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < END_BYTES) return false;
  return END.every((byte, index) => bytes[end - END_BYTES + index] === byte);
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
