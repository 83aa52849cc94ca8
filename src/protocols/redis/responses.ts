import { type Exchange, NO_ERROR, type Parser } from "../protocol.ts";
import { DumpSkipper } from "./dump.ts";
import { type Modes, Reply } from "./modes.ts";
import { ordinaryReplyEnd } from "./ordinary-reply.ts";
import { ReplicaAck } from "./replica-ack.ts";
import { ReplyMeaning } from "./reply-meaning.ts";
import { isCountedType, isLineType, Type } from "./types.ts";
import { ShortWord } from "./words.ts";

const CR = 0x0d;
const LF = 0x0a;
/** Where the next byte stands. */
const At = { type: 0, line: 1, number: 2, body: 3, bodyEnd: 4, dump: 5 } as const;
const MAX_DIGITS = 13;
const MAX_DEPTH = 32; // Streamed aggregates within each other.
const MAX_VALUES = 2 ** 50; // More in one reply are none that a server sends.

/**
 * Replies and pushes of RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 *
 * A reply is one value; an aggregate is followed by its elements. Only the number of values still missing is kept, so
 * that depth and announced sizes cost nothing.
 */
export class ResponseParser implements Parser {
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  /** Only replication has one. */
  private dump: DumpSkipper | null = null;
  private at: number = At.type;
  private type = 0;
  /** Values still to come until the message is complete. */
  private missing = 0;
  /** `missing` of the aggregates around a streamed one. */
  private readonly outer: number[] = [];
  private depth = 0;
  private isStreamedString = false;
  private number = 0;
  private digits = 0;
  private isNegative = false;
  private isUnknownLength = false;
  private sawCr = false;
  private bodyLeft = 0;

  // The message being read.
  private outerType = 0;
  /** Values begun in this message. */
  private values = 0;
  /** First word of a line, of an error, or of the first element: what tells a message's kind. */
  private readonly word = new ShortWord();
  private readonly meaning: ReplyMeaning;
  private isWordOpen = false;
  private readonly ack: ReplicaAck;
  /** No message has been read since `resync`. */
  private isGuess = false;

  constructor(exchange: Exchange, modes: Modes) {
    this.exchange = exchange;
    this.modes = modes;
    this.meaning = new ReplyMeaning(exchange, modes, this.word);
    this.ack = new ReplicaAck(exchange, modes, this.word);
  }

  // Runs for every segment with payload.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start;
    while (i < end) {
      switch (this.at) {
        case At.type: {
          const behind = this.missing === 0 ? this.readOrdinary(bytes, i, end) : 0;
          i = behind > i ? behind : this.readType(bytes, i);
          break;
        }
        case At.line:
          i = this.readLine(bytes, i, end);
          break;
        case At.number:
          i = this.readNumber(bytes, i, end);
          break;
        case At.body:
          i = this.readBody(bytes, i, end);
          break;
        case At.bodyEnd:
          i = this.readBodyEnd(bytes, i);
          break;
        default:
          i = this.readDump(bytes, i, end);
      }
      if (i < 0) return this.passGuess();
    }
    return true;
  }

  /**
   * A replica acknowledges what it has received when it is time to, in the middle of a command as well: a link that is taken up there
   * is read on from a later segment, one that begins a command.
   */
  private passGuess(): boolean {
    if (!this.isGuess || !this.modes.isReplication || this.missing === 0) return false;
    this.exchange.responseVoid();
    this.resync();
    return true;
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return this.at === At.type && this.missing === 0 && !this.isStreamedString;
  }

  gap(missing: number): boolean {
    if (this.at === At.dump) {
      const dump = this.dump!;
      if (!dump.gap(missing)) return false;
      if (dump.isDone) this.endDump(missing);
      return true;
    }
    if (this.at === At.line) this.meaning.noteCutLine(this.outerType);
    let left = missing;
    if (this.at === At.body) {
      if (this.isWordOpen && this.meaning.dependsOnWord(this.outerType)) {
        this.word.cut();
        return false;
      }
      const skipped = Math.min(left, this.bodyLeft);
      this.bodyLeft -= skipped;
      left -= skipped;
      if (this.isWordOpen) this.word.cut();
      if (this.bodyLeft === 0) this.endBody();
    }
    if (this.at === At.bodyEnd && left > 0) {
      if (!this.sawCr) {
        this.sawCr = true;
        left--;
      }
      if (left > 0) {
        left--;
        this.valueEnds(missing - left);
      }
    }
    return left === 0;
  }

  cutError(): number {
    return this.missing > 0 ? this.meaning.errorId(this.outerType) : NO_ERROR;
  }

  get mayPush(): boolean {
    return this.meaning.mayPush;
  }

  resync(): void {
    this.at = At.type;
    this.missing = 0;
    this.depth = 0;
    this.isStreamedString = false;
    this.isGuess = true;
  }

  /** Whole lines or strings to requests that expect one reply each. Returns the index behind them, or 0 where there is none. */
  // Runs for every response.
  private readOrdinary(bytes: Uint8Array, from: number, end: number): number {
    const exchange = this.exchange;
    if (this.modes.isSpecial || exchange.replyKindAt(0) !== Reply.one) return 0;
    let behind = ordinaryReplyEnd(bytes, from, end);
    if (behind === 0) return 0;
    const most = behind < end ? exchange.together : 1;
    let count = 1;
    for (; count < most && behind < end; count++) {
      const next = ordinaryReplyEnd(bytes, behind, end);
      if (next === 0) break;
      behind = next;
    }
    if (count === 1) exchange.response(from, behind);
    else exchange.responses(from, behind, count);
    return behind;
  }

  // Runs for every value.
  private readType(bytes: Uint8Array, i: number): number {
    const type = bytes[i]!;
    if (this.missing === 0) {
      // A primary keeps its replica waiting with empty lines.
      const isSyncDue = this.meaning.isSyncDue;
      if ((type === LF || type === CR) && (this.modes.isReplication || isSyncDue)) return i + 1;
      this.exchange.responseBegins(i);
      if (isSyncDue && type === Type.bulk && this.exchange.replyKindAt(0) === Reply.sync)
        return this.startDump(i, true);
      this.missing = 1;
      this.depth = 0;
      this.values = 0;
      this.outerType = type;
      this.word.clear();
      this.ack.isPossible = false;
    }
    if (this.outerType === 0 && this.missing === 1) {
      // What came before was an attribute: here is what it belongs to.
      this.outerType = type;
      this.values = 0;
    }
    if (this.isStreamedString && type !== Type.chunk) return -1;
    this.type = type;
    this.sawCr = false;
    if (type === Type.simple || type === Type.error) {
      this.at = At.line;
      this.openWord();
    } else if (type === Type.end) {
      if (this.depth === 0) return -1;
      this.at = At.line;
      this.isWordOpen = false;
    } else if (isLineType(type)) {
      this.at = At.line;
      // What was the last string stays known: null, or one.
      if (type === Type.integer) this.number = this.digits = 0;
      else this.isNegative = type === Type.null;
      this.isWordOpen = false;
    } else if (isCountedType(type)) {
      if (type === Type.chunk && !this.isStreamedString) return -1;
      this.at = At.number;
      this.number = this.digits = 0;
      this.isNegative = this.isUnknownLength = false;
    } else return -1;
    this.values++;
    return i + 1;
  }

  /** The words that matter: of a message that is one line, and an aggregate's first element. */
  private openWord(): void {
    this.isWordOpen = this.values <= 1;
    if (this.isWordOpen) this.word.clear();
  }

  // Runs for every value that is a line.
  private readLine(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end && bytes[i] !== LF) i++;
    if (this.isWordOpen) this.word.append(bytes, from, i);
    else if (this.type === Type.integer) this.noteInteger(bytes, from, i);
    if (i > from) this.sawCr = bytes[i - 1] === CR;
    if (i === end) return i;
    if (!this.sawCr) return -1;
    i++;
    if (this.type === Type.end) {
      this.missing = this.outer[--this.depth]! + 1;
    }
    this.valueEnds(i);
    return i;
  }

  /** The last integer of a confirmation tells how many channels are left. */
  private noteInteger(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const digit = bytes[i]! - 0x30;
      if (digit >= 0 && digit <= 9 && ++this.digits <= MAX_DIGITS) this.number = this.number * 10 + digit;
    }
  }

  // Runs for every value with a length or a count.
  private readNumber(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end) {
      const byte = bytes[i++]!;
      if (byte >= 0x30 && byte <= 0x39 && !this.sawCr && !this.isUnknownLength) {
        this.number = this.number * 10 + (byte - 0x30);
        if (++this.digits > MAX_DIGITS) return -1;
      } else if (byte === LF && this.sawCr) {
        if (this.digits === 0 && !this.isUnknownLength) return -1;
        return this.numberRead(i) ? i : -1;
      } else if (byte === CR && !this.sawCr) this.sawCr = true;
      else if (byte === 0x2d && this.digits === 0 && !this.isNegative && !this.sawCr) this.isNegative = true;
      else if (byte === 0x3f && this.digits === 0 && !this.isNegative) this.isUnknownLength = true;
      else return -1;
    }
    return i;
  }

  /** A type's number is known; false when it makes no sense. */
  // Runs for every value with a length or a count.
  private numberRead(at: number): boolean {
    const type = this.type;
    this.sawCr = false;
    if (type === Type.bulk || type === Type.bulkError || type === Type.verbatim) {
      if (this.isUnknownLength) {
        this.isStreamedString = true;
        this.at = At.type;
        return type === Type.bulk;
      }
      if (this.isNegative) this.valueEnds(at);
      else this.startBody();
      return true;
    }
    if (type === Type.chunk) {
      if (this.isNegative || this.isUnknownLength) return false;
      if (this.number === 0) {
        this.isStreamedString = false;
        this.valueEnds(at);
      } else this.startBody();
      return true;
    }
    return this.aggregateBegins(at);
  }

  private startBody(): void {
    this.bodyLeft = this.number;
    if (this.outerType === Type.bulk) this.isWordOpen = false;
    else if (this.ack.isPossible) this.isWordOpen = this.ack.wordBegins(this.values, this.number);
    else {
      this.isWordOpen = this.values <= 2 && this.meaning.mayTell(this.outerType);
      if (this.isWordOpen) this.word.clear();
    }
    if (this.bodyLeft > 0) this.at = At.body;
    else this.endBody();
  }

  /** `*`, `~`, `>` announce as many values as they say, `%` and `|` twice as many. */
  private aggregateBegins(at: number): boolean {
    const type = this.type;
    const count = type === Type.map || type === Type.attribute ? this.number * 2 : this.number;
    this.at = At.type;
    if (type === Type.attribute && (this.isUnknownLength || this.isNegative)) return false;
    if (this.isUnknownLength) {
      if (this.depth === MAX_DEPTH) return false;
      this.outer[this.depth++] = this.missing - 1;
      this.missing = Number.POSITIVE_INFINITY;
      return true;
    }
    if (this.isNegative) {
      this.valueEnds(at);
      return true;
    }
    if (this.values === 1 && type === Type.array) this.ack.arrayBegins(count);
    this.missing += this.values === 1 && type === Type.array ? this.meaning.valuesOf(count) : count;
    if (this.missing > MAX_VALUES && this.missing !== Number.POSITIVE_INFINITY) return false;
    // An attribute comes before the value that it belongs to.
    if (type !== Type.attribute) this.valueEnds(at);
    else if (this.values === 1) this.outerType = 0;
    return true;
  }

  // Runs for every value with a body.
  private readBody(bytes: Uint8Array, i: number, end: number): number {
    const take = Math.min(end - i, this.bodyLeft);
    if (this.isWordOpen) this.word.append(bytes, i, i + take);
    this.bodyLeft -= take;
    if (this.bodyLeft === 0) this.endBody();
    return i + take;
  }

  private endBody(): void {
    this.at = At.bodyEnd;
    this.sawCr = false;
  }

  // Runs for every value with a body.
  private readBodyEnd(bytes: Uint8Array, i: number): number {
    if (!this.sawCr) {
      if (bytes[i] !== CR) return -1;
      this.sawCr = true;
      return i + 1;
    }
    if (bytes[i] !== LF) return -1;
    this.valueEnds(i + 1);
    return i + 1;
  }

  // Runs for every value.
  private valueEnds(at: number): void {
    this.at = At.type;
    if (this.isStreamedString) return;
    if (--this.missing > 0) return;
    this.isGuess &&= this.outerType !== Type.array;
    if (this.ack.isPossible && this.ack.isOne(this.values)) this.meaning.tellAck(at);
    else if (this.meaning.tell(at, this.outerType, this.number, this.isNegative)) this.startDump(at, false);
  }

  // ---- the dump after SYNC and +FULLRESYNC ----

  /** SYNC's answer is the dump; PSYNC's, +FULLRESYNC, comes before it. Then follows what nobody has asked for. */
  private startDump(at: number, isAnswer: boolean): number {
    this.modes.isReplication = true;
    this.dump ??= new DumpSkipper();
    this.dump.awaitHeader(isAnswer);
    this.at = At.dump;
    return at;
  }

  private readDump(bytes: Uint8Array, from: number, end: number): number {
    const dump = this.dump!;
    const i = dump.push(bytes, from, end);
    if (i < 0) return -1;
    if (dump.isDone) this.endDump(i);
    return i;
  }

  private endDump(at: number): void {
    this.at = At.type;
    this.missing = 0;
    if (this.dump!.isAnswer) this.exchange.answer(at, NO_ERROR);
  }
}
