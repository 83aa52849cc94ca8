import { type Exchange, NO_REPLY, OTHER, type Parser, TransactionClass } from "../protocol.ts";
import { CLASSES, COMMANDS, EFFECTS, Effect, IS_CONTAINER, KEY_RULES, KeyAt, WordTable } from "./commands.ts";
import { COUNT_STEP, type Modes, Reply } from "./modes.ts";
import { Secrets } from "./secrets.ts";
import { ShortWord } from "./words.ts";

const CR = 0x0d;
const LF = 0x0a;
const BLANK = 0x20;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const MINUS = 0x2d;

/** Where the next byte stands. */
const At = { start: 0, count: 1, length: 2, body: 3, bodyEnd: 4, inline: 5 } as const;
/** What becomes of an argument's bytes. */
const Show = { hide: 0, word: 1, key: 2, redact: 3 } as const;

/** Longest inline command (Redis: PROTO_INLINE_MAX_SIZE), and most digits of a length (1 TiB). */
const MAX_INLINE = 64 * 1024;
const MAX_DIGITS = 13;
/** Values of `#digits` outside a number: its line is complete, or the `$` before it is still to come. */
/** `*1\r\n$1\r\nx\r\n` */
const SHORTEST_REQUEST = 11;
const NUMBER_READ = -1;
const SIGN_DUE = -2;

const commandTable = new WordTable(COMMANDS);

/**
 * Requests (https://redis.io/docs/latest/develop/reference/protocol-spec/): an array of bulk strings,
 *
 *     *<count>\r\n  then per argument  $<length>\r\n<bytes>\r\n
 *
 * or an inline command, words up to the end of the line.
 */
export class RequestParser implements Parser {
  readonly #exchange: Exchange;
  readonly #modes: Modes;
  readonly #secrets = new Secrets();
  /** The argument being read, as far as it must be understood. */
  readonly #word = new ShortWord();
  #at: number = At.start;
  /** A line with a number: its digits so far. */
  #number = 0;
  #digits = 0;
  #isNegative = false;
  #sawCr = false;
  /** Arguments still to come, this one included; of an inline command unknown. */
  #argumentsLeft = 0;
  #argumentCount = 0;
  #bodyLeft = 0;
  #inlineBytes = 0;
  #isInWord = false;

  // The request being read.
  #argument = 0;
  #show: number = Show.hide;
  #isWordWanted = false;
  #commandId: number = OTHER;
  #keyRule: number = KeyAt.none;
  #effect: number = Effect.none;
  #keyArgument = 0;
  #mayBlock = false;
  #isQuietClient = 0;
  #isAck = false;
  #isSetUp = false;

  /** Something that a request has changed for those that follow, or an option, wants every argument looked at. */
  #isUnusual: boolean;
  #isReplyOff = false;
  #skipNext = false;
  #isInMulti = false;

  constructor(exchange: Exchange, modes: Modes) {
    this.#exchange = exchange;
    this.#modes = modes;
    this.#isUnusual = exchange.wantsValues;
  }

  // Runs for every segment with payload.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start;
    while (i < end) {
      switch (this.#at) {
        case At.start: {
          const behind = this.#readOrdinary(bytes, i, end);
          i = behind > i ? behind : this.#readStart(bytes, i);
          break;
        }
        case At.count:
          i = this.#readCount(bytes, i, end);
          break;
        case At.length:
          i = this.#readLength(bytes, i, end);
          break;
        case At.body:
          i = this.#readBody(bytes, i, end);
          break;
        case At.bodyEnd:
          i = this.#readBodyEnd(bytes, i);
          break;
        default:
          i = this.#readInline(bytes, i, end);
      }
      if (i < 0) return false;
    }
    return true;
  }

  gap(missing: number): boolean {
    let left = missing;
    if (this.#at === At.body && left > 0) {
      const skipped = Math.min(left, this.#bodyLeft);
      this.#bodyLeft -= skipped;
      left -= skipped;
      if (this.#show === Show.word || this.#show === Show.key) this.#exchange.textCut();
      if (this.#isWordWanted) this.#word.length += ShortWord.capacity + 1;
      if (this.#bodyLeft === 0) this.#at = At.bodyEnd;
    }
    if (this.#at === At.bodyEnd && left > 0) {
      // The two bytes that end a body need not be seen.
      if (!this.#sawCr) {
        this.#sawCr = true;
        left--;
      }
      if (left > 0) {
        left--;
        this.#endArgument(missing - left);
      }
    }
    return left === 0;
  }

  cutOff(): void {
    if (this.#at === At.start) return;
    // With its name cut in the middle it is a request, but nobody knows which.
    if (this.#argument > 0) this.#complete(0);
    else this.#exchange.requestEnds(0, OTHER, TransactionClass.normal, Reply.one, 0);
    this.#at = At.start;
  }

  resync(): void {
    this.#at = At.start;
    this.#isInMulti = false;
    this.#skipNext = false;
    this.#noteUnusual();
  }

  /**
   * The request that nearly all are: whole in these bytes, at most nine arguments, a command without effects. Read in
   * one go it costs a third of what the steps below cost (test/bench). Returns the index behind it, or 0 when it is
   * another, and nothing has been told.
   */
  // Runs for every request.
  #readOrdinary(bytes: Uint8Array, from: number, end: number): number {
    if (this.#isUnusual || this.#modes.isReplication || end - from < SHORTEST_REQUEST) return 0;
    const count = bytes[from + 1]! - 0x30;
    if (bytes[from] !== ASTERISK || bytes[from + 2] !== CR || bytes[from + 3] !== LF || count < 1 || count > 9)
      return 0;
    let i = from + 4;
    let nameStart = 0;
    let nameEnd = 0;
    let firstStart = 0;
    let firstEnd = 0;
    for (let argument = 0; argument < count; argument++) {
      // `$<length>\r\n`
      if (i + 4 > end || bytes[i] !== DOLLAR) return 0;
      let length = bytes[i + 1]! - 0x30;
      if (length < 0 || length > 9) return 0;
      i += 2;
      let digit = bytes[i]! - 0x30;
      while (digit >= 0 && digit <= 9) {
        length = length * 10 + digit;
        if (++i >= end || length > end) return 0;
        digit = bytes[i]! - 0x30;
      }
      const body = i + 2;
      const bodyEnd = body + length;
      if (bodyEnd + 2 > end || bytes[i] !== CR || bytes[i + 1] !== LF) return 0;
      if (bytes[bodyEnd] !== CR || bytes[bodyEnd + 1] !== LF) return 0;
      if (argument === 0) {
        nameStart = body;
        nameEnd = bodyEnd;
      } else if (argument === 1) {
        firstStart = body;
        firstEnd = bodyEnd;
      }
      i = bodyEnd + 2;
    }
    const commandId = commandTable.find(bytes, nameStart, nameEnd);
    const keyRule = KEY_RULES[commandId]!;
    if (EFFECTS[commandId] !== Effect.none || keyRule > KeyAt.first || IS_CONTAINER[commandId] === 1) return 0;
    const exchange = this.#exchange;
    exchange.requestBegins(from);
    if (exchange.wantsText) {
      exchange.word(false);
      exchange.text(bytes, nameStart, nameEnd);
      if (keyRule === KeyAt.first && count > 1) {
        exchange.word(true);
        exchange.text(bytes, firstStart, firstEnd);
      }
    }
    exchange.requestEnds(i, commandId, CLASSES[commandId] as TransactionClass, Reply.one, 0);
    return i;
  }

  #readStart(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!;
    // Lines without a word, and what is left of them, are no requests.
    if (byte === LF || byte === CR) return i + 1;
    this.#argument = 0;
    this.#commandId = OTHER;
    this.#keyRule = KeyAt.none;
    this.#effect = Effect.none;
    this.#keyArgument = 0;
    this.#mayBlock = false;
    this.#isQuietClient = 0;
    this.#isAck = false;
    this.#isSetUp = false;
    if (byte === ASTERISK) {
      this.#exchange.requestBegins(i);
      this.#at = At.count;
      this.#startNumber();
      return i + 1;
    }
    if (byte < BLANK || byte > 0x7e) return -1;
    this.#exchange.requestBegins(i);
    this.#at = At.inline;
    this.#inlineBytes = 0;
    this.#isInWord = false;
    return i;
  }

  #startNumber(): void {
    this.#number = 0;
    this.#digits = 0;
    this.#isNegative = false;
    this.#sawCr = false;
  }

  /** Reads on in `-?digits\r\n`. At its end #digits is NUMBER_READ. Returns -1 when it is none. */
  // Runs for every argument.
  #readNumber(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    while (i < end) {
      const byte = bytes[i++]!;
      if (byte >= 0x30 && byte <= 0x39 && !this.#sawCr) {
        this.#number = this.#number * 10 + (byte - 0x30);
        if (++this.#digits > MAX_DIGITS) return -1;
      } else if (byte === LF && this.#sawCr) {
        if (this.#digits === 0) return -1;
        if (this.#isNegative) this.#number = -this.#number;
        this.#digits = NUMBER_READ;
        return i;
      } else if (byte === CR && !this.#sawCr) this.#sawCr = true;
      else if (byte === MINUS && this.#digits === 0 && !this.#isNegative && !this.#sawCr) this.#isNegative = true;
      else return -1;
    }
    return i;
  }

  // Runs for every request.
  #readCount(bytes: Uint8Array, from: number, end: number): number {
    const i = this.#readNumber(bytes, from, end);
    if (i < 0 || this.#digits !== NUMBER_READ) return i;
    this.#at = At.length;
    this.#digits = SIGN_DUE;
    this.#argumentsLeft = this.#argumentCount = this.#number;
    if (this.#number <= 0) {
      // `*0` and `*-1` get no answer.
      this.#exchange.requestVoid();
      this.#at = At.start;
    }
    return i;
  }

  // Runs for every argument.
  #readLength(bytes: Uint8Array, from: number, end: number): number {
    let i = from;
    if (this.#digits === SIGN_DUE) {
      if (bytes[i] !== DOLLAR) return -1;
      i++;
      this.#startNumber();
    }
    i = this.#readNumber(bytes, i, end);
    if (i < 0 || this.#digits !== NUMBER_READ) return i;
    if (this.#number < 0) return -1;
    this.#bodyLeft = this.#number;
    this.#beginArgument();
    this.#at = this.#bodyLeft > 0 ? At.body : At.bodyEnd;
    this.#sawCr = false;
    return i;
  }

  // Runs for every argument.
  #readBody(bytes: Uint8Array, i: number, end: number): number {
    const available = end - i;
    const take = Math.min(available, this.#bodyLeft);
    const stop = i + take;
    if (this.#show === Show.word || this.#show === Show.key) this.#exchange.text(bytes, i, stop);
    if (this.#isWordWanted) this.#word.append(bytes, i, stop);
    this.#bodyLeft -= take;
    if (this.#bodyLeft === 0) this.#at = At.bodyEnd;
    return stop;
  }

  // Runs for every argument.
  #readBodyEnd(bytes: Uint8Array, i: number): number {
    if (!this.#sawCr) {
      if (bytes[i] !== CR) return -1;
      this.#sawCr = true;
      return i + 1;
    }
    if (bytes[i] !== LF) return -1;
    this.#endArgument(i + 1);
    return i + 1;
  }

  #readInline(bytes: Uint8Array, from: number, end: number): number {
    for (let i = from; i < end; i++) {
      const byte = bytes[i]!;
      if (++this.#inlineBytes > MAX_INLINE) return -1;
      if (byte === BLANK || byte === 0x09 || byte === CR || byte === LF) {
        if (this.#isInWord) {
          this.#isInWord = false;
          this.#understandArgument();
          this.#argument++;
        }
        if (byte === LF) {
          this.#at = At.start;
          this.#argumentCount = this.#argument;
          if (this.#argument === 0) this.#exchange.requestVoid();
          else this.#complete(i + 1);
          return i + 1;
        }
        continue;
      }
      if (!this.#isInWord) {
        this.#isInWord = true;
        this.#beginArgument();
      }
      if (this.#show === Show.word || this.#show === Show.key) this.#exchange.text(bytes, i, i + 1);
      if (this.#isWordWanted) this.#word.append(bytes, i, i + 1);
    }
    return end;
  }

  /** Decides what becomes of the argument whose bytes follow. */
  // Runs for every argument.
  #beginArgument(): void {
    const argument = this.#argument;
    let show: number = this.#exchange.wantsValues ? Show.word : Show.hide;
    if (argument === 0) {
      show = Show.word;
      this.#isWordWanted = true;
    } else {
      const isKey = argument === this.#keyArgument;
      if (isKey) show = Show.key;
      else if (argument === 1 && (IS_CONTAINER[this.#commandId] === 1 || this.#effect === Effect.hello))
        show = Show.word;
      this.#isWordWanted = this.#effect !== Effect.none || (this.#keyRule >= KeyAt.counted && this.#keyArgument === 0);
      if (this.#effect >= Effect.hello) {
        show = this.#secrets.isSecret(this.#effect, argument) ? Show.redact : show;
      }
    }
    this.#show = show;
    if (this.#isWordWanted) this.#word.clear();
    if (!this.#exchange.wantsText) this.#show = Show.hide;
    else if (show === Show.redact) {
      if (this.#secrets.isFirstHidden()) this.#exchange.redacted();
    } else if (show !== Show.hide) this.#exchange.word(show === Show.key);
  }

  // Runs for every argument.
  #endArgument(at: number): void {
    this.#sawCr = false;
    if (this.#isWordWanted) this.#understandArgument();
    this.#argument++;
    if (--this.#argumentsLeft > 0) {
      this.#at = At.length;
      this.#digits = SIGN_DUE;
      return;
    }
    this.#at = At.start;
    this.#complete(at);
  }

  /** The argument's word is complete: what it tells about the request. */
  #understandArgument(): void {
    const word = this.#word;
    const argument = this.#argument;
    if (argument === 0) {
      this.#commandId = word.length <= ShortWord.capacity ? commandTable.find(word.bytes, 0, word.length) : OTHER;
      this.#keyRule = KEY_RULES[this.#commandId]!;
      this.#effect = EFFECTS[this.#commandId]!;
      this.#keyArgument = this.#keyRule < KeyAt.counted ? this.#keyRule : 0;
      this.#secrets.begin(this.#exchange.wantsValues);
      return;
    }
    if (!this.#isWordWanted) return;
    if (this.#keyRule === KeyAt.counted && argument === 1) this.#keyArgument = word.toCount() > 0 ? 2 : -1;
    else if (this.#keyRule === KeyAt.countedLater && argument === 2) this.#keyArgument = word.toCount() > 0 ? 3 : -1;
    else if (this.#keyRule === KeyAt.streams && this.#keyArgument === 0) {
      if (word.is("STREAMS")) this.#keyArgument = argument + 1;
      else if (word.is("BLOCK")) this.#mayBlock = true;
    }
    if (this.#effect === Effect.client) this.#understandClient(argument);
    else if (this.#effect === Effect.replconf && argument === 1) this.#isAck = word.is("ACK");
    else if (this.#effect >= Effect.hello) this.#secrets.note(this.#effect, argument, word);
  }

  #understandClient(argument: number): void {
    const word = this.#word;
    if (argument === 1) {
      this.#isQuietClient = word.is("REPLY") ? 1 : 0;
      this.#isSetUp = word.is("SETINFO") || word.is("SETNAME");
    } else if (argument === 2 && this.#isQuietClient === 1) {
      if (word.is("OFF")) this.#isQuietClient = 2;
      else if (word.is("SKIP")) this.#isQuietClient = 3;
      else this.#isQuietClient = word.is("ON") ? 4 : 0;
    }
  }

  // Runs for every request.
  #complete(at: number): void {
    const effect = this.#effect;
    let transactionClass = CLASSES[this.#commandId] as TransactionClass;
    if (
      effect === Effect.none &&
      !this.#isInMulti &&
      !this.#isReplyOff &&
      !this.#skipNext &&
      !this.#modes.isReplication
    ) {
      this.#exchange.requestEnds(at, this.#commandId, transactionClass, Reply.one, 0);
      return;
    }
    if (this.#mayBlock) transactionClass = TransactionClass.blocking;
    if (this.#isSetUp) transactionClass = TransactionClass.connect;
    let kind: number = Reply.one;
    if (this.#isInMulti && effect !== Effect.multiEnd && effect !== Effect.reset)
      transactionClass = TransactionClass.queued;
    else kind = this.#replyKind(effect);
    if (effect === Effect.multi) this.#isInMulti = true;
    else if (effect === Effect.multiEnd) this.#isInMulti = false;
    if (effect === Effect.reset) this.#isInMulti = this.#isReplyOff = this.#skipNext = false;
    if (this.#isSilent()) kind = NO_REPLY;
    this.#noteUnusual();
    this.#exchange.requestEnds(at, this.#commandId, transactionClass, kind, 0);
  }

  #noteUnusual(): void {
    this.#isUnusual =
      this.#exchange.wantsValues || this.#isInMulti || this.#isReplyOff || this.#skipNext || this.#modes.isReplication;
  }

  #replyKind(effect: number): number {
    const operands = this.#argumentCount - 1;
    switch (effect) {
      case Effect.subscribe:
        return Reply.subscribe + Math.min(Math.max(operands, 1), 1 << 26) * COUNT_STEP;
      case Effect.unsubscribe:
        if (operands > 0) return Reply.subscribe + Math.min(operands, 1 << 26) * COUNT_STEP;
        if (COMMANDS[this.#commandId] === "PUNSUBSCRIBE") return Reply.unsubscribeAllPatterns;
        return COMMANDS[this.#commandId] === "SUNSUBSCRIBE" ? Reply.unsubscribeAllShards : Reply.unsubscribeAll;
      case Effect.monitor:
        return Reply.monitor;
      case Effect.reset:
        return Reply.reset;
      case Effect.psync:
        return Reply.psync;
      case Effect.sync:
        return Reply.sync;
      default:
        return Reply.one;
    }
  }

  /** Whether the request just read gets no reply: CLIENT REPLY's doing, or a replica's acknowledgement. */
  #isSilent(): boolean {
    if (this.#isAck) {
      // A link captured from its middle shows itself by this: what the server sends is a stream of commands.
      this.#modes.isReplication = true;
      return true;
    }
    if (this.#modes.isReplication) return true;
    if (this.#isQuietClient === 4) {
      this.#isReplyOff = this.#skipNext = false;
      return false;
    }
    if (this.#isQuietClient === 2) this.#isReplyOff = true;
    if (this.#isReplyOff) return true;
    if (this.#isQuietClient === 3) {
      this.#skipNext = true;
      return true;
    }
    const isSkipped = this.#skipNext;
    this.#skipNext = false;
    return isSkipped;
  }
}
