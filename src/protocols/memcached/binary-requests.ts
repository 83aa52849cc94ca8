import { type Exchange, NO_REPLY, OTHER, type Parser, TransactionClass } from "../protocol.ts";
import { BinaryHeader, HEADER_BYTES, REQUEST_MAGIC } from "./binary-header.ts";
import { OPCODE_COMMANDS, OPCODE_TEXTS } from "./commands.ts";
import { Echo, keyMarkOf, replyKindOf, Shape } from "./reply-kind.ts";
import type { MemcachedState, RequestTeller } from "./state.ts";
import { HASH_START, hashStep } from "./words.ts";

// Runs for every segment.

/** Opcodes (memcached `protocol_binary.txt`, "Command Opcodes") that are not like the others. */
export const Opcode = { stat: 0x10, quitq: 0x17, saslAuth: 0x21, saslStep: 0x22 } as const;
const SASL_FIRST = 0x20;
const SASL_LAST = 0x22;

const QUIET_GETS = [0x09, 0x0d, 0x1e, 0x24];
const QUIET_OTHERS = [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x18, 0x19, 0x1a];
const SHAPES = Uint8Array.from({ length: 256 }, (_, opcode) => {
  if (QUIET_GETS.includes(opcode)) {
    return Shape.binaryQuietGet;
  }
  return QUIET_OTHERS.includes(opcode) ? Shape.binaryQuiet : Shape.binary;
});

function classOf(opcode: number): TransactionClass {
  return opcode >= SASL_FIRST && opcode <= SASL_LAST ? TransactionClass.connect : TransactionClass.normal;
}

/** The client's side of the binary protocol. */
export class BinaryRequests implements Parser {
  private readonly exchange: RequestTeller;
  private readonly state: MemcachedState;
  private readonly header = new BinaryHeader();
  private isBegun = false;
  /** Bytes of the body still to come. */
  private remaining = 0;
  private isKeyOpen = false;
  private keyHash = HASH_START;
  private isKeyCut = false;
  /** It is told already: the server refused it while its value was still to come. */
  private isTold = false;

  constructor(exchange: RequestTeller, state: MemcachedState) {
    this.exchange = exchange;
    this.state = state;
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (!this.isBegun) {
        this.isBegun = true;
        this.header.begin();
        this.exchange.requestBegins(at);
      }
      if (this.header.isComplete) {
        at = this.body(bytes, at, end);
      } else {
        at = this.header.take(bytes, at, end);
        if (this.header.isComplete && !this.headerEnds(at)) {
          return false;
        }
      }
    }
    return true;
  }

  gap(missing: number): boolean {
    if (missing > this.remaining - this.keyLeft() - this.valueBytes() && this.keyLeft() > 0) {
      this.isKeyCut = true;
      if (!this.isTold) this.exchange.textCut();
    }
    const skipped = Math.min(missing, this.remaining);
    this.remaining -= skipped;
    if (skipped > 0 && this.remaining === 0) {
      this.requestEnds(skipped);
    }
    return skipped === missing;
  }

  /**
   * Nothing is known of it but its opcode, if that. Whether a quiet one is answered, its opaque would have told: it is none, and what may be
   * its answer is nobody's.
   */
  cutOff(): void {
    if (!this.isBegun) {
      return;
    }
    this.isBegun = false;
    const isTold = this.isTold;
    this.isTold = false;
    const opcode = this.header.shownOpcode;
    if (isTold || (opcode >= 0 && (SHAPES[opcode] !== Shape.binary || opcode === Opcode.quitq))) {
      return;
    }
    if (opcode >= 0 && this.exchange.wantsText) this.tellName(opcode);
    this.exchange.textCut();
    const commandId = opcode < 0 ? OTHER : OPCODE_COMMANDS[opcode]!;
    const requestClass = opcode < 0 ? TransactionClass.normal : classOf(opcode);
    const replyKind = replyKindOf(Shape.any, Echo.none, 0, false, opcode + 1);
    this.exchange.requestEnds(0, commandId, requestClass, replyKind, 0);
  }

  private tellName(opcode: number): void {
    const name = OPCODE_TEXTS[opcode]!;
    this.exchange.word(false);
    this.exchange.text(name, 0, name.length);
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return !this.isBegun;
  }

  resync(): void {
    this.isBegun = false;
    this.isTold = false;
    this.remaining = 0;
  }

  /** Servers before 1.6 refuse what is too large at once, and then swallow its value. The request being read, if it is this one, is told as it stands. */
  endEarly(exchange: Exchange, opcode: number, opaque: number): void {
    const { header } = this;
    if (!this.isBegun || this.isTold || !header.isComplete) return;
    if (header.opcode !== opcode || header.opaque !== opaque || opcode === Opcode.quitq) return;
    this.isTold = true;
    const bytes = HEADER_BYTES + header.bodyBytes - this.remaining;
    exchange.requestEndsEarly(bytes, OPCODE_COMMANDS[opcode]!, classOf(opcode), this.replyKind, opaque);
  }

  /** The server closes the connection for such a header (tried on 1.6.18). */
  private headerEnds(at: number): boolean {
    const header = this.header;
    if (header.magic !== REQUEST_MAGIC || !header.isConsistent) {
      return false;
    }
    this.isKeyOpen = false;
    this.keyHash = HASH_START;
    this.isKeyCut = false;
    if (this.exchange.wantsText) this.tellName(header.opcode);
    this.remaining = header.bodyBytes;
    if (this.remaining === 0) {
      this.requestEnds(at);
    }
    return true;
  }

  private valueBytes(): number {
    return this.header.bodyBytes - this.header.extrasBytes - this.header.keyBytes;
  }

  /** Bytes of the key still to come. */
  private keyLeft(): number {
    return Math.max(0, Math.min(this.header.keyBytes, this.remaining - this.valueBytes()));
  }

  private body(bytes: Uint8Array, start: number, end: number): number {
    const keyLeft = this.keyLeft();
    const keyStart = start + this.remaining - this.valueBytes() - keyLeft;
    const at = start + Math.min(this.remaining, end - start);
    const keyEnd = Math.min(keyStart + keyLeft, at);
    for (let i = keyStart; i < keyEnd; i++) this.keyHash = hashStep(this.keyHash, bytes[i]!);
    if (this.exchange.wantsText && !this.isTold && keyEnd > keyStart) {
      if (!this.isKeyOpen) {
        this.isKeyOpen = true;
        this.exchange.word(!this.isSasl());
      }
      this.exchange.text(bytes, keyStart, keyEnd);
    }
    this.remaining -= at - start;
    if (this.remaining === 0) {
      this.requestEnds(at);
    }
    return at;
  }

  private isSasl(): boolean {
    return classOf(this.header.opcode) === TransactionClass.connect;
  }

  private get replyKind(): number {
    const { opcode, keyBytes } = this.header;
    const detail = opcode | (this.isKeyCut ? 0 : keyMarkOf(keyBytes, this.keyHash) << 8);
    return replyKindOf(SHAPES[opcode]! as Shape, Echo.none, 0, false, detail);
  }

  private requestEnds(at: number): void {
    const { opcode, opaque } = this.header;
    this.isBegun = false;
    if (this.isTold) {
      this.isTold = false;
      return;
    }
    if (this.isSasl() && this.valueBytes() > 0 && this.exchange.wantsText) {
      this.exchange.redacted();
    }
    if (opcode === Opcode.quitq) this.state.isAfterNoreply = true;
    const replyKind = opcode === Opcode.quitq ? NO_REPLY : this.replyKind;
    this.exchange.requestEnds(at, OPCODE_COMMANDS[opcode]!, classOf(opcode), replyKind, opaque);
  }
}
