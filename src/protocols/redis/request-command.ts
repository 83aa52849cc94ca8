import { type Exchange, NO_REPLY, OTHER, TransactionClass } from "../protocol.ts";
import { CLASSES, COMMANDS, EFFECTS, Effect, IS_CONTAINER, KEY_RULES, KeyAt, WordTable } from "./commands.ts";
import { Foreseen } from "./foreseen.ts";
import { COUNT_STEP, EXEC_SURPLUS, isConfirmationDue, MAX_COUNT, type Modes, Reply, replyKindOf } from "./modes.ts";
import { Secrets } from "./secrets.ts";
import { Silence } from "./silence.ts";
import { type Audience, audienceOf, endsMulti, isRefusedInMulti, QueuedEffects, Quiet } from "./transaction.ts";
import { ShortWord } from "./words.ts";

const COLON = 0x3a;
/** What REPLCONF is for: ACK tells the primary how far its replica is, GETACK asks the replica for that. */
const Acknowledges = { no: 0, tells: 1, asks: 2 } as const;
type Acknowledges = (typeof Acknowledges)[keyof typeof Acknowledges];
/** What becomes of an argument's bytes. */
const Show = { hide: 0, word: 1, key: 2, redact: 3 } as const;
/** A count of these stands in a replyKind. */
const MAX_QUEUED_OPERANDS = 1 << 20;
const MAX_MULTIS = 1 << 20;
const commandTable = new WordTable(COMMANDS);

/**
 * The meaning of a request, argument by argument: which command it is, what of it may be shown, which reply is due, and
 * what it changes for the requests behind it (MULTI, CLIENT REPLY).
 */
export class RequestCommand {
  /** Something that a request has changed for those that follow, or an option, wants every argument looked at. */
  isUnusual: boolean;
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  private readonly foreseen: Foreseen;
  private readonly secrets = new Secrets();
  /** The argument being read, as far as it must be understood. */
  private readonly word = new ShortWord();
  private argument = 0;
  private show: number = Show.hide;
  private isWordWanted = false;
  private commandId: number = OTHER;
  private keyRule: number = KeyAt.none;
  private effect: number = Effect.none;
  private keyArgument = 0;
  private mayBlock = false;
  /** Arguments up to here are values of options, whatever they look like. */
  private valuesUpTo = 0;
  private quiet: Quiet = Quiet.no;
  /** Of REPLCONF. */
  private acknowledges: Acknowledges = Acknowledges.no;
  private isSetUp = false;
  /** What HELLO asks for: 2 or 3, which the server knows; else 0. */
  private wantedProtocol = 0;

  private readonly silence = new Silence();
  private isInMulti = false;
  /** How many there have been. */
  private multis = 0;
  /** Only transactions have one. */
  private queued: QueuedEffects | null = null;

  constructor(exchange: Exchange, modes: Modes) {
    this.exchange = exchange;
    this.modes = modes;
    this.foreseen = new Foreseen(exchange, modes);
    this.isUnusual = exchange.wantsValues;
  }

  /** Arguments read so far, the name included. */
  get arguments(): number {
    return this.argument;
  }

  begin(): void {
    this.argument = 0;
    this.commandId = OTHER;
    this.keyRule = KeyAt.none;
    this.effect = Effect.none;
    this.keyArgument = 0;
    this.mayBlock = false;
    this.valuesUpTo = 0;
    this.quiet = Quiet.no;
    this.acknowledges = Acknowledges.no;
    this.isSetUp = false;
    this.wantedProtocol = 0;
  }

  /** Decides what becomes of the argument whose bytes follow; `isEmpty`: none will. */
  // Runs for every argument.
  beginArgument(isEmpty: boolean): void {
    const argument = this.argument;
    let show: number = this.exchange.wantsValues ? Show.word : Show.hide;
    if (argument === 0) {
      show = Show.word;
      this.isWordWanted = true;
    } else {
      // MIGRATE with an empty key has its keys behind the word KEYS.
      const isKey = argument === this.keyArgument && !(isEmpty && this.effect === Effect.migrate);
      if (isKey) show = Show.key;
      else if (argument === 1 && (IS_CONTAINER[this.commandId] === 1 || this.effect === Effect.hello)) show = Show.word;
      this.isWordWanted = this.effect !== Effect.none || (this.keyRule >= KeyAt.counted && this.keyArgument === 0);
      if (this.effect >= Effect.hello && this.secrets.isSecret(this.effect, argument)) {
        show = this.secrets.isMarked(this.effect) ? Show.redact : Show.hide;
      }
    }
    this.show = show;
    if (this.isWordWanted) this.word.clear();
    if (!this.exchange.wantsText) this.show = Show.hide;
    else if (show === Show.redact) {
      if (this.secrets.isFirstHidden()) this.exchange.redacted();
    } else if (show !== Show.hide) this.exchange.word(show === Show.key);
  }

  /** More bytes of the argument: bytes[start, end). */
  // Runs for every argument.
  take(bytes: Uint8Array, start: number, end: number): void {
    if (this.show === Show.word || this.show === Show.key) this.exchange.text(bytes, start, end);
    if (this.isWordWanted) this.word.append(bytes, start, end);
  }

  /** How many replies are due depends on the argument being read: the name, and what CLIENT REPLY is told. Unknown, it would shift all later pairs. */
  get isDeciding(): boolean {
    if (this.effect !== Effect.client) return this.argument === 0;
    return this.argument === 1 || (this.argument === 2 && this.quiet === Quiet.reply);
  }

  /** Bytes of the argument cannot be seen. */
  takeHole(): void {
    if (this.show === Show.word || this.show === Show.key) {
      this.exchange.textCut();
      // What follows the hole is another text: a key that never was.
      this.show = Show.hide;
    }
    if (this.isWordWanted) this.word.cut();
  }

  // Runs for every argument.
  endArgument(): void {
    if (this.isWordWanted) this.understand();
    this.argument++;
  }

  /** Modes that a lost request may have changed are taken back. */
  resync(): void {
    this.isInMulti = false;
    this.silence.resync(this.modes.hasUnasked);
    this.modes.hasUnasked = false;
    this.modes.queued = null;
    this.modes.mayBeReplica = true;
    this.foreseen.forget();
    this.noteUnusual();
  }

  /**
   * The rest of the request cannot be seen. `CLIENT REPLY …` gets an answer only if that is ON, REPLCONF of a link older than the capture gets none:
   * none is awaited, since it would be another request's.
   */
  completeCut(argumentCount: number): void {
    if (this.effect === Effect.client && argumentCount === 3 && this.argument < 3 && !this.isSetUp) {
      if (this.argument < 2 || this.quiet === Quiet.reply) this.quiet = Quiet.skip;
    }
    // What a replica confirms begins so each second; what it says of itself comes once, after a PING.
    const mayTell = this.effect === Effect.replconf && (this.argument < 2 || this.word.isCut);
    if (mayTell && this.modes.mayBeReplica && !this.exchange.hasPaired) this.acknowledges = Acknowledges.tells;
    this.complete(0, argumentCount);
  }

  /** The argument's word is complete: what it tells about the request. */
  private understand(): void {
    const word = this.word;
    const argument = this.argument;
    if (argument === 0) {
      this.commandId = word.length <= ShortWord.capacity ? commandTable.find(word.bytes, 0, word.length) : OTHER;
      this.keyRule = KEY_RULES[this.commandId]!;
      // A line of HTTP on Redis' port is an inline command, and may be `Authorization:`.
      const isHidden = this.commandId === OTHER && word.endsWith(COLON);
      this.effect = isHidden ? Effect.unreadable : EFFECTS[this.commandId]!;
      this.keyArgument = this.keyRule < KeyAt.counted ? this.keyRule : 0;
      this.secrets.begin(this.exchange.wantsValues);
      return;
    }
    if (this.keyRule === KeyAt.counted && argument === 1) this.keyArgument = word.toCount() > 0 ? 2 : -1;
    else if (this.keyRule === KeyAt.countedLater && argument === 2) this.keyArgument = word.toCount() > 0 ? 3 : -1;
    else if (this.keyRule === KeyAt.streams && this.keyArgument === 0) this.understandStreams(argument);
    if (this.effect === Effect.client) this.understandClient(argument);
    else if (this.effect === Effect.replconf && argument === 1) {
      this.acknowledges = word.is("ACK") ? Acknowledges.tells : word.is("GETACK") ? Acknowledges.asks : Acknowledges.no;
    } else if (this.effect >= Effect.hello) {
      if (this.effect === Effect.hello && argument === 1) this.wantedProtocol = word.is("3") ? 3 : word.is("2") ? 2 : 0;
      const isKeys = this.effect === Effect.migrate && argument > 5 && word.is("KEYS");
      if (isKeys && !this.secrets.isSecret(this.effect, argument)) this.keyArgument = argument + 1;
      this.secrets.note(this.effect, argument, word);
    }
  }

  /** XREAD and XREADGROUP: options, then STREAMS and the keys. A group may be called STREAMS, too. */
  private understandStreams(argument: number): void {
    const word = this.word;
    if (argument <= this.valuesUpTo) return;
    if (word.is("STREAMS")) this.keyArgument = argument + 1;
    else if (word.is("GROUP")) this.valuesUpTo = argument + 2;
    else if (word.is("COUNT")) this.valuesUpTo = argument + 1;
    else if (word.is("BLOCK")) {
      this.mayBlock = true;
      this.valuesUpTo = argument + 1;
    }
  }

  private understandClient(argument: number): void {
    const word = this.word;
    if (argument === 1) {
      this.quiet = word.is("REPLY") ? Quiet.reply : Quiet.no;
      this.isSetUp = word.is("SETINFO") || word.is("SETNAME");
    } else if (argument === 2 && this.quiet === Quiet.reply) {
      if (word.is("OFF")) this.quiet = Quiet.off;
      else if (word.is("SKIP")) this.quiet = Quiet.skip;
      else this.quiet = word.is("ON") ? Quiet.on : Quiet.no;
    }
  }

  // Runs for every request.
  complete(at: number, argumentCount: number): void {
    const effect = this.effect;
    let transactionClass = CLASSES[this.commandId] as TransactionClass;
    if (effect === Effect.none && !this.isHeedful) {
      this.exchange.requestEnds(at, this.commandId, transactionClass, Reply.one, 0);
      return;
    }
    this.heedRefusals();
    // With more arguments it is an error, and answered.
    if (this.quiet > Quiet.reply && (argumentCount !== 3 || this.isQuietDenied)) this.quiet = Quiet.no;
    if (this.mayBlock) transactionClass = TransactionClass.blocking;
    if (this.isSetUp) transactionClass = TransactionClass.connect;
    const isIgnored = this.isIgnored(argumentCount);
    let kind: number = Reply.one;
    if (this.isInMulti && !endsMulti(effect, this.isExec, argumentCount)) {
      transactionClass = TransactionClass.queued;
      if (isRefusedInMulti(effect, argumentCount)) this.queued?.refuse();
      // MULTI is an error at once, and no fault of the others.
      else if (effect !== Effect.multi)
        this.queued?.add(effect, this.quiet, this.audience, argumentCount - 1, isIgnored);
      // It is not obeyed before EXEC.
      this.quiet = Quiet.no;
      const refused = replyKindOf(effect, this.command, Math.min(argumentCount, MAX_QUEUED_OPERANDS));
      if (isConfirmationDue(refused)) kind = Reply.queued + refused * COUNT_STEP;
    } else if (isIgnored) {
      kind = NO_REPLY;
      if (this.acknowledges === Acknowledges.tells) this.noteReplica();
    } else {
      kind = replyKindOf(effect, this.command, argumentCount);
      if (effect !== Effect.none) this.foresee(effect, argumentCount - 1);
    }
    if (effect === Effect.reset && argumentCount === 1) {
      this.isInMulti = false;
      this.silence.end();
    }
    if (this.isSilent() && !this.isConfirmed(kind, argumentCount)) {
      if (kind === Reply.monitor && argumentCount === 1) this.modes.isMonitor = true; // no +OK will show it
      kind = NO_REPLY;
    }
    if (effect === Effect.multi && argumentCount === 1 && !this.isInMulti) kind = this.beginMulti(kind);
    else if (effect === Effect.multiEnd && this.isInMulti && endsMulti(effect, this.isExec, argumentCount)) {
      kind = this.endMulti(kind, argumentCount === 1);
    }
    this.foreseen.told(kind !== NO_REPLY);
    this.noteUnusual();
    this.exchange.requestEnds(at, this.commandId, transactionClass, kind, 0);
  }

  /** Something that a request has said holds for those that follow. */
  get hasEffect(): boolean {
    return this.isInMulti || this.silence.holds || this.foreseen.isDue;
  }

  /** Goes on with another connection, where nothing holds. */
  resume(): void {
    this.foreseen.forget();
    this.noteUnusual();
  }

  /** What holds for the requests behind this one, as soon as the server has obeyed it. */
  private foresee(effect: number, operands: number): void {
    const { foreseen } = this;
    if (effect === Effect.subscribe) foreseen.subscribe(this.audience, operands);
    else if (effect === Effect.unsubscribe) foreseen.unsubscribe(this.audience, operands);
    else if (effect === Effect.monitor && operands === 0) foreseen.monitor();
    else if (effect === Effect.reset && operands === 0) foreseen.reset();
    else if (effect === Effect.psync || effect === Effect.sync) this.modes.mayBeReplica = true;
    else if (effect === Effect.hello && this.wantedProtocol > 0) foreseen.speak(this.wantedProtocol === 3);
  }

  /** A subscriber must not send CLIENT. Behind OFF nothing tells that SUBSCRIBE was refused, unless ON is taken for obeyed. */
  private get isQuietDenied(): boolean {
    return this.foreseen.isRestricted && (this.quiet !== Quiet.on || this.modes.isRestricted);
  }

  /** The server may have refused what was taken to hold: a user without permission, or an old reply to a subscriber. */
  private heedRefusals(): void {
    const { modes } = this;
    if (this.isInMulti && modes.refusedMulti === this.multis) this.isInMulti = false;
    this.silence.refused(modes.isQuietRefused, modes.isExecRefused);
    modes.isQuietRefused = modes.isExecRefused = false;
  }

  /** Confirmations are sent whatever CLIENT REPLY says, the error of a SUBSCRIBE without channels is not (tried on 7.0.15). */
  private isConfirmed(kind: number, argumentCount: number): boolean {
    if (this.modes.isReplication || !isConfirmationDue(kind)) return false;
    return argumentCount > 1 || this.effect === Effect.unsubscribe;
  }

  /**
   * Whether nothing is written for the request, be it obeyed or not (tried on 7.0.15): for acknowledgements, and, of a client that
   * monitors already, for MONITOR, SYNC and PSYNC. Wrong arguments are an error, as is all this of a subscriber of RESP2.
   */
  private isIgnored(argumentCount: number): boolean {
    const { effect, foreseen } = this;
    if (effect === Effect.replconf) {
      // Behind the name are pairs.
      return this.acknowledges !== Acknowledges.no && argumentCount % 2 === 1 && !foreseen.isRestricted;
    }
    if (effect !== Effect.monitor && effect !== Effect.sync && effect !== Effect.psync) return false;
    const isComplete = argumentCount === (effect === Effect.psync ? 3 : 1);
    return isComplete && foreseen.isMonitoring && !foreseen.isRestricted && !this.isInMulti;
  }

  /** MULTI; what reply is due to it. */
  private beginMulti(kind: number): number {
    // Whether it is refused tells the answer, where that is not yet certain.
    if (this.modes.isRestricted && this.foreseen.isRestricted) return kind;
    this.isInMulti = true;
    this.multis = (this.multis % MAX_MULTIS) + 1;
    this.queued ??= new QueuedEffects();
    this.queued.begin(this.silence.isLasting, this.foreseen.audiences);
    return kind === NO_REPLY ? kind : Reply.multi + this.multis * COUNT_STEP;
  }

  /** In capitals; any that is not known is one. */
  private get command(): string {
    return COMMANDS[this.commandId]!;
  }

  private get isExec(): boolean {
    return this.command === "EXEC";
  }

  /**
   * EXEC, or DISCARD; what reply is due to it. It is taken for granted that EXEC succeeds, unless what it is to execute, or the request
   * itself, is known to be wrong: after an error it changes nothing.
   */
  private endMulti(kind: number, isValid: boolean): number {
    this.isInMulti = false;
    const queued = this.queued;
    // What a primary executes so on its replica (it was taken for a client) is not answered either.
    const isUnanswered = queued === null || this.modes.isReplication;
    if (isUnanswered || !isValid || queued.isRefused || !this.isExec) return kind;
    this.silence.execute(queued.isOff, queued.hasSkip);
    if (queued.hasSubscription) {
      this.modes.queued = [...queued.listens];
      this.foreseen.listenTo(queued.listens);
    }
    const { surplus, values } = queued;
    // The array itself is not announced with CLIENT REPLY OFF.
    if (kind === NO_REPLY) return values > 0 ? Reply.several + Math.min(values, MAX_COUNT) * COUNT_STEP : kind;
    if (surplus === 0 && !queued.hasSubscription) return kind;
    const count = Math.min(Math.max(0, EXEC_SURPLUS + surplus), MAX_COUNT);
    return Reply.exec + count * COUNT_STEP;
  }

  private get audience(): Audience {
    return audienceOf(this.command);
  }

  private noteUnusual(): void {
    this.isUnusual = this.exchange.wantsValues || this.isHeedful;
  }

  /** Something holds that a request with no effect of its own must heed, too. */
  private get isHeedful(): boolean {
    return this.isInMulti || this.silence.holds || this.foreseen.isCounting || this.modes.isReplication;
  }

  /**
   * An acknowledgement: a link whose PSYNC, or the answer to it, was not seen shows itself by this. What the server sends is a stream of
   * commands. Of any other client it is without meaning.
   */
  private noteReplica(): void {
    if (this.modes.mayBeReplica) this.modes.isReplication = true;
  }

  /** Whether the request just read gets no reply: CLIENT REPLY's doing, or this is a replica. */
  private isSilent(): boolean {
    return this.modes.isReplication || this.silence.takes(this.quiet);
  }
}
