import { type Exchange, NO_ERROR, NONE_PENDING, type Parser } from "../protocol.ts";
import { BinaryHeader, RESPONSE_MAGIC } from "./binary-header.ts";
import { Opcode } from "./binary-requests.ts";
import { errorIdOf } from "./commands.ts";
import { detailOf, isQuiet, keyMarkOf, Shape, shapeOf } from "./reply-kind.ts";
import { HASH_START, hashStep } from "./words.ts";

// Runs for every segment.

/** Pending requests looked at for the one a response belongs to, where the oldest is not it. */
const MAX_LOOKED_AT = 64;
const NONE = -1;

/** 1 for opcodes that look keys up: GET GETQ GETK GETKQ GAT GATQ GATK GATKQ. */
export const IS_LOOKUP: Uint8Array = Uint8Array.from({ length: 256 }, (_, opcode) =>
  [0x00, 0x09, 0x0c, 0x0d, 0x1d, 0x1e, 0x23, 0x24].includes(opcode) ? 1 : 0,
);

/** Of a binary response: there is no such key. */
export const STATUS_NOT_FOUND = 0x01;
const CLIENT_ERROR = errorIdOf("CLIENT_ERROR");
const SERVER_ERROR = errorIdOf("SERVER_ERROR");

/**
 * Status → error (memcached `protocol_binary.txt`, "Response Status"), under the text protocol's word for the same.
 * Key not found, key exists and item not stored are outcomes, not errors, as in the text protocol; so is
 * "authentication required / continue".
 */
export function errorOfStatus(status: number): number {
  switch (status) {
    case 0x00:
    case STATUS_NOT_FOUND:
    case 0x02:
    case 0x05:
    case 0x21:
      return NO_ERROR;
    case 0x03:
      return SERVER_ERROR;
    case 0x04:
    case 0x06:
      return CLIENT_ERROR;
    case 0x08:
    case 0x20:
      return errorIdOf("AUTH_ERROR");
    case 0x81:
      return errorIdOf("ERROR");
    default:
      return status >= 0x82 && status <= 0x86 ? SERVER_ERROR : 0;
  }
}

/** The server's side of the binary protocol. */
export class BinaryResponses implements Parser {
  private readonly exchange: Exchange;
  /** Tells the request being read as it stands, if it is this one. */
  private readonly refuseEarly: (opcode: number, opaque: number) => void;
  private readonly header = new BinaryHeader();
  /** A message has begun; STAT's has many packets. */
  private isOpen = false;
  /** Bytes of the packet's body still to come. */
  private remaining = 0;
  private keyHash = HASH_START;
  private isKeyCut = false;

  constructor(exchange: Exchange, endEarly: (opcode: number, opaque: number) => void) {
    this.exchange = exchange;
    this.refuseEarly = endEarly;
    this.header.begin();
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (!this.isOpen) {
        this.isOpen = true;
        this.exchange.responseBegins(at);
      }
      if (!this.header.isComplete) {
        at = this.header.take(bytes, at, end);
        if (!this.header.isComplete) {
          return true;
        }
        if (this.header.magic !== RESPONSE_MAGIC || !this.header.isConsistent) {
          return false;
        }
        this.remaining = this.header.bodyBytes;
        this.keyHash = HASH_START;
        this.isKeyCut = false;
      }
      const skipped = Math.min(this.remaining, end - at);
      if (this.header.keyBytes > 0) this.takeKey(bytes, at, at + skipped);
      this.remaining -= skipped;
      at += skipped;
      if (this.remaining === 0) {
        this.packetEnds(at);
      }
    }
    return true;
  }

  gap(missing: number): boolean {
    const skipped = Math.min(missing, this.remaining);
    this.isKeyCut ||= this.keyLeft > 0;
    this.remaining -= skipped;
    if (skipped > 0 && this.remaining === 0) {
      this.packetEnds(skipped);
    }
    return skipped === missing;
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return !this.isOpen;
  }

  resync(): void {
    this.isOpen = false;
    this.remaining = 0;
    this.header.begin();
  }

  /** Bytes of the key still to come, or of the extras before it. */
  private get keyLeft(): number {
    const { bodyBytes, extrasBytes, keyBytes } = this.header;
    return this.remaining - (bodyBytes - extrasBytes - keyBytes);
  }

  private takeKey(bytes: Uint8Array, start: number, end: number): void {
    const keyEnd = start + this.keyLeft;
    const stop = Math.min(end, keyEnd);
    for (let i = Math.max(start, keyEnd - this.header.keyBytes); i < stop; i++)
      this.keyHash = hashStep(this.keyHash, bytes[i]!);
  }

  private packetEnds(at: number): void {
    const header = this.header;
    header.begin();
    if (header.opcode === Opcode.stat && header.status === 0 && header.bodyBytes > 0) {
      return;
    }
    this.isOpen = false;
    this.settleQuiet(header.opcode, header.opaque);
    if (header.status !== 0 && this.exchange.pendingCount === 0) this.refuseEarly(header.opcode, header.opaque);
    const position = this.positionOf(header.opcode, header.opaque);
    if (position === NONE && this.exchange.pendingCount > 0) {
      // Clients that give all requests one opaque (0) are paired by order alone: a response too many shifts those behind it.
      if (this.exchange.idAt(0) === header.opaque) this.exchange.unasked(at);
      else this.exchange.orphan(at);
      return;
    }
    for (let count = position; count > 0; count--) {
      this.settle();
    }
    if (position !== NONE && IS_LOOKUP[header.opcode] === 1 && header.status <= STATUS_NOT_FOUND) {
      this.exchange.lookups(1 - header.status, header.status);
    }
    this.exchange.answer(at, errorOfStatus(header.status));
  }

  /** The server answers in order: older quiet requests had nothing to say. */
  private settleQuiet(opcode: number, opaque: number): void {
    while (isQuiet(this.exchange.replyKindAt(0)) && !this.isAt(0, opcode, opaque)) {
      this.settle();
    }
  }

  /** Of the request that is answered: not the oldest where responses were lost; NONE where it was never seen. */
  private positionOf(opcode: number, opaque: number): number {
    for (let position = 0; position < MAX_LOOKED_AT; position++) {
      if (this.exchange.replyKindAt(position) === NONE_PENDING) {
        return NONE;
      }
      if (this.isAt(position, opcode, opaque)) {
        return position;
      }
    }
    return NONE;
  }

  /** Requests that were cut off before their opaque could be seen (shape `any`) may be what is answered, if their opcode, where it is known, is its. */
  private isAt(position: number, opcode: number, opaque: number): boolean {
    const replyKind = this.exchange.replyKindAt(position);
    const detail = detailOf(replyKind);
    if (shapeOf(replyKind) === Shape.any) {
      return detail === 0 || detail - 1 === opcode;
    }
    if ((detail & 0xff) !== opcode || this.exchange.idAt(position) !== opaque) return false;
    // Clients that leave the opaque 0 tell their GETKQs apart by the key that is repeated.
    const mark = this.isKeyCut ? 0 : keyMarkOf(this.header.keyBytes, this.keyHash);
    return mark === 0 || detail >>> 8 === 0 || mark === detail >>> 8;
  }

  private settle(): void {
    const replyKind = this.exchange.replyKindAt(0);
    if (shapeOf(replyKind) === Shape.binaryQuietGet) {
      this.exchange.lookups(0, 1);
    }
    this.exchange.settleSilently();
  }
}
