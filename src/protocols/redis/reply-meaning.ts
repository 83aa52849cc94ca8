import { type Exchange, NO_ERROR, NONE_PENDING, OTHER } from "../protocol.ts";
import { COMMANDS, ERRORS, WordTable } from "./commands.ts";
import { COUNT_STEP, EXEC_SURPLUS, isConfirmationDue, type Modes, Reply } from "./modes.ts";
import { Type } from "./types.ts";
import type { ShortWord } from "./words.ts";

const LETTER_D = 0x44;
const LETTER_F = 0x46;
/** How a line of MONITOR begins: seconds since 1970, microseconds, and the database. */
const MONITOR_TIME = /^[0-9]{10,}\.[0-9]{6} \[[0-9]+ /;
/** So much of `+FULLRESYNC` or `+CONTINUE` is no other status. */
const TELLING_BYTES = 6;
const PING = COMMANDS.indexOf("PING");
const errorTable = new WordTable(ERRORS);
/** Whoever gets one of these was not obeyed. */
const REFUSALS = [ERRORS.indexOf("NOPERM"), ERRORS.indexOf("NOAUTH")];

/** What a complete message is: the reply to the oldest request, a part of it, or something that nobody asked for. */
export class ReplyMeaning {
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  /** The message's first word, as far as it matters. */
  private readonly word: ShortWord;
  /** Of the message being told. A confirmation without a channel: there was none to take away. */
  private isNull = false;
  /** The reply to EXEC that is being read is that of an executed transaction. */
  private isExecuted = false;

  constructor(exchange: Exchange, modes: Modes, word: ShortWord) {
    this.exchange = exchange;
    this.modes = modes;
    this.word = word;
  }

  /**
   * Tells the message that ends before `at`: `type` is that of its outermost value, `number` the last integer in it, `isNull` whether its last
   * string is null. True when a dump follows.
   */
  // Runs for every message.
  tell(at: number, type: number, number: number, isNull: boolean): boolean {
    const exchange = this.exchange;
    const modes = this.modes;
    this.isNull = isNull;
    if (modes.isReplication) {
      exchange.push(at);
      return false;
    }
    const kind = this.dueKind(type);
    if (kind === NONE_PENDING && type !== Type.push) modes.hasUnasked = true;
    if (modes.isRestricted && type !== Type.array) this.noteUnrestricted(type);
    if (kind % COUNT_STEP === Reply.exec || kind % COUNT_STEP === Reply.several) this.tellOfTransaction(at, type, kind);
    else if (type === Type.push) {
      if (!this.confirm(at, kind, number)) exchange.push(at);
      modes.isResp3 = true;
    } else if (type === Type.error || type === Type.bulkError) {
      this.noteRefusal(kind, this.errorId(type));
      exchange.answer(at, this.errorId(type));
    } else if (type === Type.array && !modes.isResp3 && this.mayBeUnasked(kind)) {
      const isReplyLikely = kind >= 0 && !isConfirmationDue(kind) && !this.isPingDue(kind);
      if ((modes.isSubscriber || !isReplyLikely) && this.isMessage()) exchange.push(at);
      else if (!this.confirm(at, kind, number)) {
        if (isReplyLikely && modes.isRestricted) modes.leave();
        exchange.answer(at, NO_ERROR);
      }
    } else if (type === Type.simple && this.isMonitorLine()) exchange.push(at);
    else if (kind === Reply.one || kind === NONE_PENDING) exchange.answer(at, NO_ERROR);
    else return this.answerSpecial(at, type, kind);
    return false;
  }

  /** A subscriber of RESP2 gets no such reply (but to QUIT): what ended its subscriptions, or changed the protocol, was lost. */
  private noteUnrestricted(type: number): void {
    if (type === Type.push || type === Type.error || type === Type.bulkError) return;
    if (type !== Type.simple || !this.isMonitorLine()) this.modes.leave();
  }

  /** What is due to the oldest request that a message of this type may answer. */
  private dueKind(type: number): number {
    const { exchange } = this;
    let kind = exchange.replyKindAt(0);
    const isAggregate = type === Type.array || type === Type.push;
    if (kind % COUNT_STEP === Reply.queued && isAggregate) {
      kind = Math.floor(kind / COUNT_STEP);
      exchange.setReplyKind(kind);
    }
    // With CLIENT REPLY OFF a confirmation is sent, but not the error that SUBSCRIBE may get instead.
    while (isConfirmationDue(kind) && type === Type.simple && !this.isMonitorLine()) {
      exchange.settleSilently();
      kind = exchange.replyKindAt(0);
    }
    // In RESP3 a confirmation is a push: RESET, or HELLO 2, was lost.
    if (type === Type.array && isConfirmationDue(kind)) this.modes.isResp3 = false;
    return kind;
  }

  /**
   * The rest of a line cannot be seen. Where it agrees to PSYNC, what follows is replication all the same; nothing else is answered so, so that
   * PSYNC's own name need not have been seen.
   */
  noteCutLine(type: number): void {
    const { exchange, word } = this;
    if (type !== Type.simple) return;
    const isPsync = exchange.replyKindAt(0) === Reply.psync;
    if (!isPsync && (exchange.replyKindAt(0) !== Reply.one || exchange.oldestCommandId !== OTHER)) return;
    const least = isPsync ? 1 : TELLING_BYTES;
    if (word.beginsLike("FULLRESYNC", least) || word.beginsLike("CONTINUE", least)) this.modes.isReplication = true;
  }

  /** An element's text matters where it may tell a push from a reply: the first of an aggregate. `type` is that of the outermost value. */
  mayTell(type: number): boolean {
    return type === Type.bulkError || type === Type.push || (type === Type.array && this.mayBeMessage());
  }

  /** Whether the message is a reply or a push depends on the word being read. Taken for the wrong one, it would shift all later pairs. */
  dependsOnWord(type: number): boolean {
    const kind = this.exchange.replyKindAt(0);
    if (type === Type.push) return isConfirmationDue(kind);
    return type === Type.array && kind !== NONE_PENDING && this.mayBeMessage();
  }

  /** SYNC and PSYNC are answered by a dump, the first at once. */
  get isSyncDue(): boolean {
    const kind = this.exchange.replyKindAt(0);
    return kind === Reply.psync || kind === Reply.sync;
  }

  /** An error: MULTI has begun nothing, and CLIENT REPLY has silenced nothing. */
  private noteRefusal(kind: number, errorId: number): void {
    if (kind % COUNT_STEP === Reply.multi) this.modes.refusedMulti = Math.floor(kind / COUNT_STEP);
    else if (kind === NONE_PENDING && REFUSALS.includes(errorId)) this.modes.isQuietRefused = true;
  }

  /** See Parser. */
  get mayPush(): boolean {
    const kind = this.exchange.replyKindAt(0);
    return this.modes.isSpecial || (kind > Reply.one && kind % COUNT_STEP !== Reply.multi);
  }

  /** Values in the array that begins a message and announces `count`: EXEC's may hold others. */
  valuesOf(count: number): number {
    const kind = this.exchange.replyKindAt(0);
    if (kind % COUNT_STEP !== Reply.exec) return count;
    this.modes.execute();
    this.isExecuted = true;
    return Math.max(0, count + Math.floor(kind / COUNT_STEP) - EXEC_SURPLUS);
  }

  /** EXEC's reply, or, without the array around them, one of those to its commands. */
  private tellOfTransaction(at: number, type: number, kind: number): void {
    const isSeveral = kind % COUNT_STEP === Reply.several;
    if (isSeveral) this.modes.execute();
    if (type === Type.push && !isSeveral) {
      this.exchange.push(at);
      this.modes.isResp3 = true;
    } else if (!isSeveral || kind < 2 * COUNT_STEP) {
      // It was executed where the array began, or not at all.
      this.modes.queued = null;
      if (!isSeveral && !this.isExecuted) this.modes.isExecRefused = true;
      this.isExecuted = false;
      this.exchange.answer(at, this.errorId(type));
    } else {
      this.exchange.setReplyKind(kind - COUNT_STEP);
      this.exchange.partialAnswer(at);
    }
  }

  /**
   * A replica's acknowledgement, where a reply was looked for: this is a replication link, captured from its middle, whose primary was
   * taken for a client by its commands. None of them is ever answered.
   */
  tellAck(at: number): void {
    this.modes.isReplication = true;
    while (this.exchange.pendingCount > 0) this.exchange.settleSilently();
    this.exchange.push(at);
  }

  /** The error that a message of this type is: its first word, up to a blank or the end of the line. NO_ERROR when it is none. */
  errorId(type: number): number {
    if (type !== Type.error && type !== Type.bulkError) return NO_ERROR;
    const bytes = this.word.bytes;
    let end = 0;
    while (end < this.word.kept && bytes[end]! > 0x20) end++;
    return errorTable.find(bytes, 0, end);
  }

  /** `1795223108.168821 [0 127.0.0.1:46066] "GET" "foo"`: nothing is answered like that, and MONITOR need not have been seen. */
  private isMonitorLine(): boolean {
    const word = this.word;
    const first = word.bytes[0]!;
    if (!(first >= 0x30 && first <= 0x39)) return false;
    this.modes.isMonitor ||= MONITOR_TIME.test(String.fromCharCode(...word.bytes.subarray(0, word.kept)));
    return this.modes.isMonitor;
  }

  /** Whether the array being read may be a message or a confirmation of a subscription: its first word tells. */
  private mayBeMessage(): boolean {
    const kind = this.exchange.replyKindAt(0);
    return this.mayBeUnasked(kind) && (!this.modes.isResp3 || isConfirmationDue(kind));
  }

  /** Whether an array of RESP2 may be a message or a confirmation of a subscription. */
  private mayBeUnasked(kind: number): boolean {
    return this.modes.isSubscriber || isConfirmationDue(kind) || kind === NONE_PENDING || this.isPingDue(kind);
  }

  /** PING is answered by no message: who waits for its reply may be a subscriber whose SUBSCRIBE nobody has seen. */
  private isPingDue(kind: number): boolean {
    return kind === Reply.one && this.exchange.oldestCommandId === PING;
  }

  /** A message of a subscription. That one was made need not have been seen. */
  private isMessage(): boolean {
    const word = this.word;
    const modes = this.modes;
    if (word.is("MESSAGE")) modes.channels = Math.max(1, modes.channels);
    else if (word.is("PMESSAGE")) modes.patterns = Math.max(1, modes.patterns);
    else if (word.is("SMESSAGE")) modes.shardChannels = Math.max(1, modes.shardChannels);
    else return false;
    return true;
  }

  /** A (un)subscription's confirmation; false when the message is none. */
  private confirm(at: number, kind: number, number: number): boolean {
    const word = this.word;
    const modes = this.modes;
    const base = kind % COUNT_STEP;
    let expected = Math.floor(kind / COUNT_STEP);
    if (base > Reply.subscribe && isConfirmationDue(kind) && this.isOf(base) && this.isMoreThanKnown(number)) {
      // Nobody knows how many of them are channels, and how many patterns.
      this.exchange.settleSilently();
      return this.confirm(at, this.exchange.replyKindAt(0), number);
    }
    if (word.is("SUBSCRIBE")) modes.channels = Math.max(modes.channels, number - modes.patterns);
    else if (word.is("PSUBSCRIBE")) modes.patterns = Math.max(modes.patterns, number - modes.channels);
    else if (word.is("SSUBSCRIBE")) modes.shardChannels = number;
    else if (word.is("UNSUBSCRIBE")) {
      if (base === Reply.unsubscribeAll) expected = Math.max(1, Math.min(modes.channels, number + 1));
      modes.channels = Math.max(0, number - modes.patterns);
    } else if (word.is("PUNSUBSCRIBE")) {
      if (base === Reply.unsubscribeAllPatterns) expected = Math.max(1, Math.min(modes.patterns, number + 1));
      modes.patterns = Math.max(0, number - modes.channels);
    } else if (word.is("SUNSUBSCRIBE")) {
      if (base === Reply.unsubscribeAllShards) expected = Math.max(1, Math.min(modes.shardChannels, number + 1));
      modes.shardChannels = number;
    } else return false;
    // Unasked: the server took a channel away, or SUBSCRIBE was one of a transaction's commands.
    if (!isConfirmationDue(kind) || !this.isOf(base)) this.exchange.push(at);
    else if (expected <= 1) this.exchange.answer(at, NO_ERROR);
    else {
      this.exchange.setReplyKind(Reply.subscribe + (expected - 1) * COUNT_STEP);
      this.exchange.partialAnswer(at);
    }
    return true;
  }

  /** Before this confirmation, which says how many are left, more was listened to than was seen to be subscribed to. */
  private isMoreThanKnown(left: number): boolean {
    const { channels, patterns, shardChannels } = this.modes;
    const before = this.isNull ? left : left + 1;
    return before > (this.word.is("SUNSUBSCRIBE") ? shardChannels : channels + patterns) && left > 0;
  }

  /** Whether the confirmation is of the command that wants all channels, patterns or shard channels confirmed, if it is one. */
  private isOf(base: number): boolean {
    if (base === Reply.unsubscribeAll) return this.word.is("UNSUBSCRIBE");
    if (base === Reply.unsubscribeAllPatterns) return this.word.is("PUNSUBSCRIBE");
    return base !== Reply.unsubscribeAllShards || this.word.is("SUNSUBSCRIBE");
  }

  /** A simple reply to a request that changes how what follows is read. */
  private answerSpecial(at: number, type: number, kind: number): boolean {
    const modes = this.modes;
    if (kind === Reply.monitor) modes.isMonitor = true;
    else if (kind === Reply.reset) modes.reset();
    else if (kind === Reply.hello) modes.isResp3 = type === Type.map;
    else if (kind === Reply.psync) modes.isReplication = this.word.bytes[0] !== LETTER_D;
    this.exchange.answer(at, NO_ERROR);
    // `+FULLRESYNC` is followed by a dump, `+CONTINUE` by commands at once. `+DUALCHANNELSYNC` (Valkey 8) wants the dump to be fetched by
    // another connection, and PSYNC to be sent again.
    return kind === Reply.psync && this.word.bytes[0] === LETTER_F;
  }
}
