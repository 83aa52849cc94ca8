import { type Exchange, NO_ERROR, NONE_PENDING, type Parser } from "../protocol.ts";
import { KeptReplies } from "./kept-replies.ts";
import { Found, LineReader } from "./line-reader.ts";
import { settleQuiet, tellLookups } from "./lookups.ts";
import { idOfHash } from "./meta-flags.ts";
import {
  Code,
  canAnswer,
  detailOf,
  hasSameId,
  isAfterNoreply,
  isQuiet,
  isStorage,
  Shape,
  shapeOf,
  straysOf,
  withoutStray,
} from "./reply-kind.ts";
import { codeOf, errorOf, isPlainError, isStorageFailure, responseWordOf } from "./response-words.ts";
import type { MemcachedState } from "./state.ts";
import { hashOf } from "./words.ts";

// Runs for every segment.

/** Longer than any line of the server's: a key is at most 250 bytes, a log line at most 2 KiB. */
const MAX_LINE_BYTES = 16384;
/** Quiet requests looked at for the one that an error belongs to. */
const MAX_LOOKED_AT = 64;
/** Whose a line is: the oldest pending request's, nobody's, or no pending request's, though there is one. */
const Owner = { oldest: 0, nobody: 1, stranger: 2 } as const;
type Owner = (typeof Owner)[keyof typeof Owner];
/** `END\r\n` */
const END_BYTES = 5;
const CR = 0x0d;
const LF = 0x0a;
const VALUE_HASH = hashOf("VALUE");
const VA_HASH = hashOf("VA");
const FLAG_k = 0x6b;
const FLAG_O = 0x4f;

/** The server's side of the text protocol. */
export class TextResponses implements Parser {
  private readonly exchange: Exchange;
  private readonly state: MemcachedState;
  /** Tells the request being read as it stands. */
  private readonly refuseEarly: () => void;
  private readonly reader = new LineReader();
  /** A message has begun; it may have many lines. */
  private isOpen = false;
  private isLineBegun = false;
  /** The data length that the line so far announces. */
  private dataBytes = -1;
  /** The message being read, and the ids that its line so far repeats. */
  private readonly reply = { code: 0, errorId: NO_ERROR as number, opaqueId: 0, keyId: 0, hits: 0 };
  private readonly kept: KeptReplies;
  /** Bytes of a data block and its `\r\n` still to come; 0 between data blocks. */
  private remaining = 0;
  /** The data block ends the message (`VA`). */
  private isLastBlock = false;
  /** Within what follows the first line of a metadump. */
  private isDumping = false;

  constructor(exchange: Exchange, state: MemcachedState, endEarly: () => void) {
    this.exchange = exchange;
    this.state = state;
    this.refuseEarly = endEarly;
    this.kept = new KeptReplies(exchange);
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.remaining > 0) {
        at = this.data(bytes, at, end);
        if (at < 0) return false;
        continue;
      }
      this.beginLine(at);
      const found = this.reader.next(bytes, at, end);
      at = this.reader.at;
      if (this.reader.lineBytes > MAX_LINE_BYTES) return false;
      if (found === Found.word) {
        this.wordEnds();
      } else if (found === Found.line && !this.lineEnds(at)) {
        return false;
      }
    }
    return true;
  }

  gap(missing: number): boolean {
    let left = missing - Math.min(missing, this.remaining);
    const isInData = this.remaining > 0;
    this.remaining -= missing - left;
    if (isInData && this.remaining === 0) {
      left -= this.dataEndsInGap(missing - left, left);
    }
    return left === 0;
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return !this.isOpen && !this.isLineBegun && this.remaining === 0 && !this.isDumping && this.kept.isEmpty;
  }

  resync(): void {
    this.isOpen = false;
    this.isLineBegun = false;
    this.remaining = 0;
    this.reply.hits = 0;
    this.isDumping = false;
    this.kept.forget();
  }

  /** See Session. */
  decide(isLast: boolean): void {
    this.kept.decide(isLast);
  }

  /** See Session. */
  passed(requests: number): void {
    for (let count = requests; count > 0; count--) this.kept.passed();
  }

  private beginLine(at: number): void {
    if (this.isLineBegun) return;
    this.isLineBegun = true;
    this.reader.begin();
    this.dataBytes = -1;
    this.reply.opaqueId = 0;
    this.reply.keyId = 0;
    if (!this.isOpen) {
      this.isOpen = true;
      this.exchange.responseBegins(at);
    }
  }

  /** `VALUE <key> <flags> <bytes> [<cas unique>]`, `VA <size> <flags>*`, `<CD> <flags>*` */
  private wordEnds(): void {
    const reader = this.reader;
    const index = reader.wordIndex - 1;
    if (index === 0) return;
    if (index === 3 && reader.firstWordHash === VALUE_HASH) {
      this.dataBytes = reader.length();
    } else if (index === 1 && reader.firstWordHash === VA_HASH) {
      this.dataBytes = reader.length();
    } else if (reader.firstByte === FLAG_O) {
      this.reply.opaqueId = idOfHash(reader.tokenHash);
    } else if (reader.firstByte === FLAG_k) {
      this.reply.keyId = idOfHash(reader.tokenHash);
    }
  }

  /** Returns false when the line cannot be the server's. */
  private lineEnds(at: number): boolean {
    this.isLineBegun = false;
    const index = responseWordOf(this.reader);
    const code = codeOf(index, this.reader);
    if (this.state.isWatching || this.isDumping) {
      this.isDumping &&= code !== Code.end && code !== Code.en;
      this.isOpen = false;
      this.exchange.push(at);
      return true;
    }
    if (code === Code.error) {
      this.error(at, errorOf(index));
      return true;
    }
    if (!this.kept.isEmpty && this.isKeptBehind(code)) {
      return code === Code.va || code === Code.value ? this.beginData(code) : this.answer(at, code, NO_ERROR);
    }
    const owner = this.ownerOf(code);
    if (owner === Owner.stranger) return this.isAnswerToNoreply(code) && this.orphan(at);
    if (owner === Owner.nobody && code === Code.line) return false;
    if (code === Code.value || code === Code.va) return this.beginData(code);
    if (!this.goesOn(code)) this.answer(at, code, NO_ERROR);
    return true;
  }

  /** Whether this line's message, too, is to be kept. Not one of many lines: its lines are told apart by whose they are. */
  private isKeptBehind(code: number): boolean {
    const reply = this.reply;
    reply.code = code === Code.value ? Code.end : code; // Behind values comes END.
    const place = this.kept.placeBehind(reply);
    if ((code & (Code.stat | Code.word | Code.line)) === 0 && place >= 0) return true;
    this.kept.decide(true, place);
    return false;
  }

  /** Whether more lines of this response follow. */
  private goesOn(code: number): boolean {
    const replyKind = this.exchange.replyKindAt(0);
    if (replyKind === NONE_PENDING) return code === Code.stat;
    return shapeOf(replyKind) === Shape.stats && (code & (Code.stat | Code.word | Code.line)) !== 0;
  }

  /**
   * Whose this line is. The server answers in order: quiet requests that cannot have said it had nothing to say, and
   * are settled on the way; one that is not quiet must be answered first.
   */
  private ownerOf(code: number): Owner {
    const exchange = this.exchange;
    for (;;) {
      const replyKind = exchange.replyKindAt(0);
      if (replyKind === NONE_PENDING) return Owner.nobody;
      this.reply.code = code;
      if (canAnswer(replyKind, code) && hasSameId(replyKind, exchange.idAt(0), this.reply)) return Owner.oldest;
      if (!isQuiet(replyKind)) return Owner.stranger;
      this.settle(1);
    }
  }

  /** The oldest requests had nothing to say. */
  private settle(requests: number): void {
    settleQuiet(this.exchange, requests);
    for (let count = requests; count > 0; count--) {
      this.kept.passed();
    }
  }

  /**
   * An error line answers the oldest pending request, save where it can be told to belong to nobody: the plain ERRORs
   * for what followed a malformed data block, and the failure of a noreply storage command before a request of
   * another kind. Where none is pending, it may refuse the one whose data block is still to come.
   */
  private error(at: number, errorId: number): void {
    if (this.exchange.pendingCount === 0) this.refuseEarly();
    const isStorage = isStorageFailure(this.reader);
    const isPlain = isPlainError(this.reader);
    if (!this.kept.isEmpty) {
      // A line of garbage is answered before the request behind it.
      const mayBeStray = isPlain && (this.state.strays > 0 || this.kept.isStrayDue);
      const code = isStorage ? Code.storageFailure : isPlain ? Code.plainError : Code.error;
      if (!mayBeStray && this.isKeptBehind(code)) {
        this.answer(at, this.reply.code, errorId);
        return;
      }
      this.kept.decide(true, this.kept.strayPlace);
    }
    if (isPlain && this.isStray()) {
      this.orphan(at);
      return;
    }
    if (isStorage && this.skipToStorage()) {
      this.answer(at, Code.storageFailure, errorId);
      return;
    }
    this.otherError(at, errorId, isPlain, isStorage);
  }

  /** Whether a plain ERROR is one that was due before the oldest request. Quiet commands never get a plain one. */
  private isStray(): boolean {
    const exchange = this.exchange;
    while (isQuiet(exchange.replyKindAt(0)) && straysOf(exchange.replyKindAt(0)) === 0) {
      this.settle(1);
    }
    const oldest = exchange.replyKindAt(0);
    if (oldest === NONE_PENDING || straysOf(oldest) === 0) return false;
    exchange.setReplyKind(withoutStray(oldest));
    return true;
  }

  /** Settles the quiet requests before a storage request, if there is one that may be answered next. */
  private skipToStorage(): boolean {
    for (let position = 0; position < MAX_LOOKED_AT; position++) {
      const replyKind = this.exchange.replyKindAt(position);
      if (replyKind !== NONE_PENDING && isStorage(shapeOf(replyKind))) {
        this.settle(position);
        return true;
      }
      if (!isQuiet(replyKind)) return false;
    }
    return false;
  }

  private otherError(at: number, errorId: number, isPlain: boolean, isStorage: boolean): void {
    const state = this.state;
    const oldest = this.exchange.replyKindAt(0);
    if (oldest === NONE_PENDING) {
      if (isPlain && state.strays > 0) {
        state.strays--;
        this.orphan(at);
      } else if (state.isAfterNoreply) {
        this.orphan(at);
      } else {
        this.answer(at, Code.error, errorId);
      }
    } else if (isStorage && isAfterNoreply(oldest)) {
      this.orphan(at);
    } else {
      this.answer(at, Code.error, errorId);
    }
  }

  /** A server that asks for a password answers the `set` that brings it even with noreply (tried on 1.6.18). */
  private isAnswerToNoreply(code: number): boolean {
    return code === Code.stored && isAfterNoreply(this.exchange.replyKindAt(0));
  }

  private orphan(at: number): true {
    this.isOpen = false;
    this.reply.hits = 0;
    this.exchange.orphan(at);
    return true;
  }

  /** A message is complete; always true. */
  private answer(at: number, code: number, errorId: number): true {
    const exchange = this.exchange;
    const replyKind = exchange.replyKindAt(0);
    const reply = this.reply;
    reply.code = code;
    reply.errorId = errorId;
    if (replyKind === NONE_PENDING) {
      exchange.answer(at, errorId);
    } else if (!this.kept.isEmpty || (isQuiet(replyKind) && this.kept.isOpen(reply))) {
      this.kept.keep(at, reply);
    } else {
      tellLookups(exchange, reply);
      const shape = shapeOf(replyKind);
      this.state.isWatching = shape === Shape.watch && code === Code.ok;
      this.isDumping = shape === Shape.dump && (code & (Code.line | Code.word)) !== 0;
      exchange.answer(at, errorId);
      this.kept.passed();
    }
    this.isOpen = false;
    reply.hits = 0;
    return true;
  }

  /**
   * A data block ended `at` bytes into a gap, with `left` more missing. Returns how many of these are known, too: once
   * all keys asked for were found, nothing but END can follow.
   */
  private dataEndsInGap(at: number, left: number): number {
    if (this.isLastBlock) {
      this.answer(at, Code.va, NO_ERROR);
      return 0;
    }
    const replyKind = this.exchange.replyKindAt(0);
    const isAllFound = shapeOf(replyKind) === Shape.get && this.reply.hits === detailOf(replyKind);
    if (replyKind === NONE_PENDING || !isAllFound || left < END_BYTES) return 0;
    this.answer(at + END_BYTES, Code.end, NO_ERROR);
    return END_BYTES;
  }

  private beginData(code: number): boolean {
    if (this.dataBytes < 0) return false;
    this.reply.hits++;
    this.remaining = this.dataBytes + 2;
    this.isLastBlock = code === Code.va;
    return true;
  }

  /** Skips data by count. Returns where it ends, or -1 when no `\r\n` follows it. */
  private data(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.remaining > 2) {
      const skipped = Math.min(this.remaining - 2, end - at);
      this.remaining -= skipped;
      at += skipped;
    }
    while (at < end && this.remaining > 0 && this.remaining <= 2) {
      if (bytes[at] !== (this.remaining === 2 ? CR : LF)) return -1;
      this.remaining--;
      at++;
    }
    if (this.remaining === 0 && this.isLastBlock) this.answer(at, Code.va, NO_ERROR);
    return at;
  }
}
