import { type Exchange, NO_REPLY, OTHER, type Parser, TransactionClass } from "../protocol.ts";
import { TEXT_COMMAND_WORDS, type TextCommand, textCommandAt, UNKNOWN_COMMAND } from "./commands.ts";
import { Found, LineReader } from "./line-reader.ts";
import { MetaFlags } from "./meta-flags.ts";
import { replyKindOf, Shape } from "./reply-kind.ts";
import type { MemcachedState, RequestTeller } from "./state.ts";
import { hashOf } from "./words.ts";

// Runs for every segment.

/**
 * The server closes a connection that sends more than 2048 bytes of a line without its end, unless the line begins
 * with "get " or "gets "; yet a longer line that arrives whole is taken, up to its read buffer of 16 KiB
 * (memcached 1.6.18: `try_read_command_ascii`, READ_BUFFER_SIZE; tried). So this is the bound that refuses no valid line.
 */
const MAX_LINE_BYTES = 16384;
/** KEY_MAX_LENGTH. The server reads no data block behind a longer key. */
const MAX_KEY_BYTES = 250;
/** The server adds 2 for the data block's `\r\n` and refuses what its int cannot hold. */
const MAX_DATA_BYTES = 0x7fffffff - 3;
const CR = 0x0d;
const LF = 0x0a;
const NOREPLY_HASH = hashOf("noreply");
const SUBCOMMANDS: Readonly<Record<string, number>> = {
  metadump: hashOf("metadump"),
  mgdump: hashOf("mgdump"),
  sizesEnable: hashOf("sizes_enable"),
  sizesDisable: hashOf("sizes_disable"),
};
const METADUMP_HASH = SUBCOMMANDS.metadump;
const MGDUMP_HASH = SUBCOMMANDS.mgdump;
const SIZES_ENABLE_HASH = SUBCOMMANDS.sizesEnable;
const SIZES_DISABLE_HASH = SUBCOMMANDS.sizesDisable;

/** The client's side of the text protocol (memcached `protocol.txt`), classic and meta commands. */
export class TextRequests implements Parser {
  private readonly exchange: RequestTeller;
  private readonly state: MemcachedState;
  private readonly reader = new LineReader();
  private readonly flags = new MetaFlags();
  private isBegun = false;
  private isWordOpen = false;
  private command: TextCommand = UNKNOWN_COMMAND;
  private commandId = OTHER;
  private shape: Shape = Shape.any;
  private class: TransactionClass = TransactionClass.normal;
  /** Of the line so far: the announced data length (-1: none that counts), and whether a key is too long. */
  private dataBytes = -1;
  private isKeyTooLong = false;
  private isNoreplyWord = false;
  private isNoreply = false;
  /** Bytes of the data block and its `\r\n` still to come; 0 between data blocks. */
  private remaining = 0;
  private isTerminated = true;
  /** It is told already: the server refused it while its data block was still to come. */
  private isTold = false;
  /**
   * The last storage command's line or data was malformed: the server takes what follows for commands, and answers
   * each line that is none with ERROR.
   */
  private isAfterMalformed = false;

  constructor(exchange: RequestTeller, state: MemcachedState) {
    this.exchange = exchange;
    this.state = state;
  }

  push(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (at < end) {
      if (this.remaining > 0) {
        at = this.data(bytes, at, end);
        continue;
      }
      if (!this.isBegun) {
        this.begin(at);
      }
      const found = this.reader.next(bytes, at, end);
      at = this.reader.at;
      if (this.reader.lineBytes > MAX_LINE_BYTES && this.shape !== Shape.get) {
        return false;
      }
      if (found === Found.line) {
        this.lineEnds(at);
        continue;
      }
      if (this.reader.isInWord || found === Found.word) {
        this.wordPart(bytes, found === Found.word);
      }
    }
    return true;
  }

  gap(missing: number): boolean {
    const skipped = Math.min(missing, this.remaining);
    this.remaining -= skipped;
    if (skipped > 0 && this.remaining === 0) {
      this.requestEnds(skipped);
    }
    return skipped === missing;
  }

  /** What is known of the line says how it may be answered; that it ended in `noreply` or `q`, nobody can know. */
  cutOff(): void {
    if (!this.isBegun) {
      return;
    }
    this.isBegun = false;
    if (this.command === UNKNOWN_COMMAND) this.shape = Shape.cut;
    this.flags.cutOff();
    this.isNoreply = this.state.isWatching;
    this.exchange.textCut();
    this.requestEnds(0);
  }

  /** A new parser would go on just the same. */
  get isAtRest(): boolean {
    return !this.isBegun && this.remaining === 0 && !this.isAfterMalformed;
  }

  resync(): void {
    this.isBegun = false;
    this.isTold = false;
    this.remaining = 0;
    this.isAfterMalformed = false;
    this.state.strays = 0;
    this.state.isAfterNoreply = false;
  }

  /**
   * An error came, and no request waits for one: servers before 1.6 refuse what is too large at once, and then swallow its data block. The
   * request being read is told as it stands.
   */
  endEarly(exchange: Exchange): void {
    if (this.remaining === 0 || this.isTold) return;
    this.isTold = true;
    if (this.isNoreply) {
      this.state.isAfterNoreply = true;
      return;
    }
    const bytes = this.reader.lineBytes + this.dataBytes + 2 - this.remaining;
    exchange.requestEndsEarly(bytes, this.commandId, this.class, this.takeReplyKind(), this.id);
  }

  private begin(at: number): void {
    this.exchange.requestBegins(at);
    this.reader.begin();
    this.flags.begin();
    this.isBegun = true;
    this.isWordOpen = false;
    this.command = UNKNOWN_COMMAND;
    this.commandId = OTHER;
    this.shape = Shape.any;
    this.class = TransactionClass.normal;
    this.dataBytes = -1;
    this.isKeyTooLong = false;
    this.isNoreplyWord = false;
  }

  private wordPart(bytes: Uint8Array, isComplete: boolean): void {
    const reader = this.reader;
    const index = isComplete ? reader.wordIndex - 1 : reader.wordIndex;
    if (this.exchange.wantsText && this.isShown(index)) {
      if (!this.isWordOpen) {
        this.exchange.word(index > 0 && index === this.command.keyIndex);
        this.isWordOpen = true;
      }
      this.exchange.text(bytes, reader.partStart, reader.at);
    }
    if (isComplete) {
      this.isWordOpen = false;
      this.wordEnds(index);
    }
  }

  private isShown(index: number): boolean {
    const command = this.command;
    const isNamed = index === 0 || index === command.keyIndex || (index === 1 && command.hasSubcommand);
    return isNamed || this.exchange.wantsValues;
  }

  private wordEnds(index: number): void {
    const reader = this.reader;
    if (index === 0) {
      this.identify();
      return;
    }
    const command = this.command;
    this.isNoreplyWord = reader.hash === NOREPLY_HASH && reader.wordBytes === 7;
    if (
      command.keyIndex > 0 &&
      (index === command.keyIndex || (command.shape === Shape.get && index > command.keyIndex))
    ) {
      this.isKeyTooLong ||= reader.wordBytes > MAX_KEY_BYTES;
      this.flags.key(reader.hash);
    } else if (index === command.lengthIndex) {
      this.dataBytes = reader.length();
    } else if (command.isMeta) {
      this.flags.flag(reader.firstByte, reader.tokenHash);
    } else if (index === 1 && command.hasSubcommand) {
      this.subcommand();
    }
  }

  private identify(): void {
    const reader = this.reader;
    const index = TEXT_COMMAND_WORDS.find(reader.head, reader.firstWordBytes, reader.firstWordHash);
    this.command = textCommandAt(index);
    this.commandId = index + 1;
    this.shape = this.command.shape;
    this.class = this.command.class;
  }

  private subcommand(): void {
    const { hash } = this.reader;
    if (this.shape === Shape.stats && (hash === SIZES_ENABLE_HASH || hash === SIZES_DISABLE_HASH)) {
      this.shape = Shape.statsOneLine;
    } else if (hash === METADUMP_HASH || hash === MGDUMP_HASH) {
      this.shape = Shape.dump;
      this.class = TransactionClass.stream;
    }
  }

  private lineEnds(at: number): void {
    this.isBegun = false;
    const command = this.command;
    if (command === UNKNOWN_COMMAND && this.isAfterMalformed) {
      this.exchange.requestVoid();
      this.state.strays++;
      return;
    }
    const words = this.reader.wordIndex;
    const isNoreply = this.isNoreplyWord && words >= command.minNoreplyWords && words <= command.maxNoreplyWords;
    this.isNoreply = isNoreply || command.shape === Shape.none || this.state.isWatching;
    this.isAfterMalformed = command.lengthIndex > 0 && !this.hasDataBlock(words);
    if (command.lengthIndex > 0 && !this.isAfterMalformed) {
      this.remaining = this.dataBytes + 2;
      this.isTerminated = true;
      return;
    }
    this.requestEnds(at);
  }

  /** Whether the server reads a data block after this storage line; otherwise it answers the line at once. */
  private hasDataBlock(words: number): boolean {
    if (this.isKeyTooLong || this.dataBytes < 0 || this.dataBytes > MAX_DATA_BYTES) {
      return false;
    }
    const { isMeta, maxNoreplyWords } = this.command;
    return isMeta || words === maxNoreplyWords - 1 || words === maxNoreplyWords;
  }

  /** Skips data by count. The last two bytes should be `\r\n`: if not, the server calls it a bad data chunk. */
  private data(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.remaining > 2) {
      const skipped = Math.min(this.remaining - 2, end - at);
      this.remaining -= skipped;
      at += skipped;
    }
    while (at < end && this.remaining > 0 && this.remaining <= 2) {
      this.isTerminated &&= bytes[at] === (this.remaining === 2 ? CR : LF);
      this.remaining--;
      at++;
    }
    if (this.remaining === 0) {
      this.isAfterMalformed = !this.isTerminated && !this.isTold;
      this.requestEnds(at);
    }
    return at;
  }

  private requestEnds(at: number): void {
    const state = this.state;
    const requestClass = state.isWatching ? TransactionClass.stream : this.class;
    if (this.isNoreply) {
      state.isAfterNoreply = true;
      this.isTold = false;
      this.exchange.requestEnds(at, this.commandId, requestClass, NO_REPLY, 0);
    } else if (this.isTold) {
      this.isTold = false;
    } else {
      this.exchange.requestEnds(at, this.commandId, requestClass, this.takeReplyKind(), this.id);
    }
  }

  private get id(): number {
    return this.command.isMeta ? this.flags.id() : 0;
  }

  private takeReplyKind(): number {
    const state = this.state;
    const flags = this.flags;
    const shape = this.command.isMeta ? flags.shape(this.shape) : this.shape;
    const echo = this.command.isMeta ? flags.echo() : 0;
    const replyKind = replyKindOf(shape, echo, state.strays, state.isAfterNoreply, flags.keys);
    state.strays = 0;
    state.isAfterNoreply = false;
    return replyKind;
  }
}
