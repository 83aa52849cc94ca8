/**
 * What a protocol is to the stages around it: bytes in, messages out. A protocol knows no clock, port, connection or
 * histogram. It tells an `Exchange` where messages begin and end, and what each one means for pairing.
 */

/** Whether a connection's first bytes can be this protocol's. */
export const Recognition = {
  /** They cannot. */
  no: 0,
  /** Too few bytes to tell. */
  undecided: 1,
  /** They can, but other protocols' bytes look the same. */
  possible: 2,
  /** They are: nothing else begins like this. */
  certain: 3,
} as const;
export type Recognition = (typeof Recognition)[keyof typeof Recognition];

/** The `class` of a transaction (README, Classes), by number. */
export const TransactionClass = { normal: 0, blocking: 1, queued: 2, connect: 3, stream: 4 } as const;
export type TransactionClass = (typeof TransactionClass)[keyof typeof TransactionClass];
export const CLASS_NAMES = ["normal", "blocking", "queued", "connect", "stream"] as const;

/** A request's `replyKind` where no reply is due. */
export const NO_REPLY = -1;
/** `Exchange.replyKindAt` where there is no such pending request. */
export const NONE_PENDING = -2;
/** An answer's `errorId` where it is no error. Otherwise an index into `Protocol.errors`. */
export const NO_ERROR = -1;
/** `commands[0]` and `errors[0]` of every protocol are "other": what its table does not know. */
export const OTHER = 0;

export interface Protocol {
  /** The `-p` value and the metric label. */
  readonly name: string;
  /** Well-known server ports: a hint for `auto` and for roles that no handshake told. */
  readonly ports: readonly number[];
  /** Names by command id, in capitals where the protocol's are case-insensitive; [0] is "other". */
  readonly commands: readonly string[];
  /** First words of errors by error id, as on the wire; [0] is "other". A bounded set. */
  readonly errors: readonly string[];
  /** A response shows which requests it can be to: the end of a value that looks like a request is found out by its response. */
  readonly hasTellingResponses?: boolean;
  /** A server does one thing at a time, over all of its connections: a long command holds all others. */
  readonly isSerial?: boolean;
  /** A server works on several requests of one connection at once: none waits behind another. */
  readonly isConcurrent?: boolean;
  /**
   * All its responses are told by `answerById`: whatever was lost, ids pair again at once. Each direction is then taken up by itself,
   * at the first segment of which `Parser.begins` knows.
   */
  readonly pairsById?: boolean;
  /** How it is spoken in UDP datagrams, where it is. */
  readonly datagrams?: DatagramProtocol;
  /** Commands, by id, that cannot take long themselves: where they did, something else held the server. */
  readonly quickCommands?: ReadonlySet<number>;
  /** A request of this kind that gets no response, though none was lost, had nothing to be told (quiet commands): it has not failed. */
  maySayNothing?(replyKind: number): boolean;
  /** All its clients' first bytes are recognised: what `recogniseRequest` says no to is another protocol, on the usual port, too. */
  readonly isUnmistakable?: boolean;
  /** Can these be the first bytes of a client? Pure, and cheap: at most a few dozen bytes are looked at. */
  recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition;
  /** Can these be the first bytes of a server? Used only where no handshake told who is who. */
  recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition;
  /** One per connection: both directions' parsers and the state they share. */
  createSession(exchange: Exchange): Session;
}

/** A protocol in datagrams: each is a message, or a part of one that says whose it is. */
export interface DatagramProtocol {
  /** Well-known server ports: a hint, as for streams. */
  readonly ports: readonly number[];
  /** Ports of other protocols whose datagrams look the same: `auto` leaves them alone. */
  readonly otherPorts?: readonly number[];
  /** Can bytes[start, end), captured of a datagram, be a client's? Pure, cheap, and certain of nothing by a few bytes alone. */
  recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition;
  /** Can they be a server's? */
  recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition;
  /** One per pair of endpoints. */
  createSession(exchange: Exchange): DatagramSession;
}

/** Takes datagrams whole. Messages pair by id: datagrams get lost, come twice, and come in any order. */
export interface DatagramSession {
  /**
   * A datagram, bytes[start, end), of which bytes[start, captured) were captured. `at` of what is told may be any index from `start` to
   * `end`. Returns false where it cannot be this protocol's (counted as a parser error).
   */
  request(bytes: Uint8Array, start: number, captured: number, end: number): boolean;
  response(bytes: Uint8Array, start: number, captured: number, end: number): boolean;
  /** Nothing is remembered between datagrams: it may go on with another connection's. */
  readonly isAtRest: boolean;
}

export interface Session {
  /** Client to server. */
  readonly requests: Parser;
  /** Server to client. */
  readonly responses: Parser;
  /**
   * What a new session must be told to go on just the same (`resume`): a small non-negative integer, 0 for nothing. -1 while a
   * message is being read, or where a number cannot say it: then this session is kept for its connection.
   */
  readonly standing?: number;
  /** Goes on where a session of this standing stopped, perhaps another connection's. */
  resume?(standing: number): void;
  /**
   * Neither side answers the other from here on (a replica's link): a client that sends with something of the server still unread, or
   * before the server has received what it sent, does nothing unusual.
   */
  readonly isOneWay?: boolean;
  /** Gives back what only a message being read needs. May be called at any time, and by turns with `push`. */
  rest?(): void;
  /**
   * To be called where messages are kept (`Exchange.keep`): nothing more is to come that would tell whose they are (`isLast`), or
   * the client has received all and sends again.
   */
  decide?(isLast: boolean): void;
  /** So many of the oldest pending requests are pending no more: nobody answered them, and nobody had to (`Protocol.maySayNothing`). */
  passed?(requests: number): void;
}

export interface Parser {
  /**
   * Consumes all of bytes[start, end), whatever they are; keeps its place between calls. The bytes are gone after the
   * call. Returns false when they cannot be this protocol (counted as a parser error; the connection's direction is
   * then treated like one whose message boundary is lost).
   */
  push(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * `missing` bytes that cannot be seen stand here. Returns true when they lie wholly inside a part of known length
   * (they are skipped and the message goes on, or ends with them: `at` of what is told then counts from the first
   * missing byte), false when the next message boundary cannot be known; then the parser is pushed nothing more
   * before `resync`.
   */
  gap(missing: number): boolean;
  /**
   * Requests only: the rest of the message being read cannot be seen (`gap` returned false). Tell it as a request that
   * ends here (`at` 0), as far as it is known; nothing when none had begun. A parser without it has such requests
   * dropped.
   */
  cutOff?(): void;
  /**
   * Responses only: the rest of the message being read cannot be seen. The error that it has shown itself to be, or
   * NO_ERROR.
   */
  cutError?(): number;
  /**
   * Responses only: what the server sends from here on may be something that nobody asked for (a subscriber's messages); bytes that
   * cannot be read need not be a response.
   */
  readonly mayPush?: boolean;
  /**
   * With `pairsById` only: the boundaries are lost, and bytes[start, end) is what could be captured of a segment. Whether a message
   * begins with its first byte: beyond doubt, e.g. since its length fits, and its id is a pending request's. Then come `resync` and `push`.
   */
  begins?(bytes: Uint8Array, start: number, end: number): boolean;
  /** The stream ends here, as its sender wished (FIN): tell what ends with it (`at` 0), e.g. a body of which no length was told. */
  ends?(): void;
  /** Forget a half-read message: the next byte pushed is the first of a message. Modes of the session stay. */
  resync(): void;
}

/**
 * What a session tells, one per connection. `at` is always an index into the bytes being pushed: the message begins
 * with the byte at `at`, or ends before it. Calls for one direction come strictly in the order begins, words, ends.
 */
export interface Exchange {
  /** False when nobody will print a transaction: then the words of a request need not be reported. */
  readonly wantsText: boolean;
  /** True with --show-values: report the arguments after the key, too (never secrets). */
  readonly wantsValues: boolean;
  /** True with --details: report the fields of messages. */
  readonly wantsDetails: boolean;
  /** Of --http-path-depth: of a path that is a key, so many segments are told; Infinity: all. */
  readonly pathDepth: number;

  requestBegins(at: number): void;
  /** The next word of the request's summary begins (a blank separates it from the one before). */
  word(isKey: boolean): void;
  /** Bytes of the current word, as they come: bytes[start, end). Kept up to a limit. */
  text(bytes: Uint8Array, start: number, end: number): void;
  /** A word that is shown as `(redacted)`. */
  redacted(): void;
  /** The text reported lacks bytes that a gap or the snaplen swallowed. */
  textCut(): void;
  /**
   * The request is complete. `replyKind` is the protocol's own note to its response parser (a non-negative integer,
   * handed back by `replyKindAt`), or NO_REPLY. `id`, any 32-bit integer, is what pairs by id; 0 where nothing does.
   * In datagrams an older pending request with this id is given up: who uses an id again waits for its response no more.
   */
  requestEnds(at: number, commandId: number, transactionClass: TransactionClass, replyKind: number, id: number): void;
  /**
   * The request being read is one that servers do not answer, though some do: its response is paired, should it come. Where a later
   * request is answered first, or none has come when it is given up or many such wait, it is counted as no_reply.
   */
  replyOptional(): void;
  /**
   * To be called while a response is read that completes the request being read, before its end: that is told as it stands, with the
   * `bytes` of it that have been pushed. What is still to come of it is told no more. Then comes `answer`.
   */
  requestEndsEarly(
    bytes: number,
    commandId: number,
    transactionClass: TransactionClass,
    replyKind: number,
    id: number,
  ): void;
  /** What had begun was no request after all (an empty line). */
  requestVoid(): void;
  /**
   * Datagrams only: what had begun is the oldest pending request with this id, sent again. It is charged for the time since. Returns false
   * where none is pending, or its time-out has been told: what had begun is a request of its own then.
   */
  requestAgain(id: number): boolean;
  /**
   * A whole request, bytes[at, end), with replyKind and id 0: as requestBegins, its words and requestEnds in one call. Its first word is
   * bytes[nameStart, nameEnd); the second, its key, bytes[keyStart, keyEnd), or none where keyStart is 0.
   */
  request(
    bytes: Uint8Array,
    at: number,
    end: number,
    commandId: number,
    transactionClass: TransactionClass,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void;
  /**
   * bytes[at, end) are `count` such requests of the same command, of the same length and with their words at the same places: those given
   * are the first one's.
   */
  requests(
    bytes: Uint8Array,
    at: number,
    end: number,
    count: number,
    commandId: number,
    transactionClass: TransactionClass,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void;

  /** Requests waiting for their reply. */
  readonly pendingCount: number;
  /** A response was paired with a request of this connection, if perhaps not beyond doubt. */
  readonly hasPaired: boolean;
  /** The `replyKind` of the pending request at `position` (0 is the oldest), or NONE_PENDING. */
  replyKindAt(position: number): number;
  /** The command id of the oldest pending request, or OTHER where there is none. */
  readonly oldestCommandId: number;
  /** The `id` of the pending request at `position`, or 0. */
  idAt(position: number): number;
  /** The position of the next pending request, from this one on, that has these bits (of `mask`) of an id; -1 where there is none. */
  positionOf(id: number, mask: number, from: number): number;
  /** The `replyKind` of the oldest pending request with this id, or NONE_PENDING. */
  replyKindOf(id: number): number;
  /** Changes the oldest pending request's replyKind (e.g. one confirmation fewer to come). */
  setReplyKind(replyKind: number): void;

  responseBegins(at: number): void;
  /** What had begun was no response after all, or the rest of it will not be seen. */
  responseVoid(): void;
  /** The message that ends before `at` completes the oldest pending request's response. Without one it is unmatched. */
  answer(at: number, errorId: number): void;
  /**
   * The message that ends before `at` completes the response of the oldest pending request with this id, wherever that stands.
   * Without one it is unmatched. A protocol uses either this or `answer`.
   */
  answerById(at: number, id: number, errorId: number): void;
  /** The message that ends before `at` is a part of the response to the oldest pending request with this id; more is to come. */
  partialAnswerById(at: number, id: number): void;
  /** The response being read shows its request, the oldest pending, to be of this class. */
  becomes(transactionClass: TransactionClass): void;
  /**
   * The response being read, to the request of this id, brings nothing. Where it came after about `maxWaitMs`, the request had
   * waited for something to come, on purpose: it is of class blocking. One that came much later was slow, and with 0 nothing waits.
   */
  bringsNothing(id: number, maxWaitMs: number): void;
  /** A whole response without error, from index `at` to before `end`: as responseBegins and answer in one call. */
  response(at: number, end: number): void;
  /**
   * So many of the oldest pending requests have the same replyKind, and whole responses to them, without error and all in the bytes being
   * pushed, may be told by one call of `responses`. 1 also where none is pending.
   */
  readonly together: number;
  /** bytes[at, end) are `count` whole responses without error, of no more than `together` requests. */
  responses(at: number, end: number, count: number): void;
  /** The message that ends before `at` is a part of the oldest pending request's response; more is to come. */
  partialAnswer(at: number): void;
  /**
   * The message that ends before `at` completes the response of a pending request, the oldest or a later one: which, only what comes next
   * can tell. It is kept, with its times; until all that are kept have been answered, `answer` is not called.
   */
  keep(at: number, errorId: number): void;
  /** The first message that is kept completes the oldest pending request's response. */
  answerKept(): void;
  /** The message that ends before `at` was not asked for. */
  push(at: number): void;
  /** The oldest pending request will get no reply (a quiet command that had nothing to say): counted as no_reply. */
  settleSilently(): void;
  /** The message that ends before `at` is an error line that belongs to nobody (noreply): counted as unmatched. */
  orphan(at: number): void;
  /** The message that ends before `at` answers a request that was never seen, whatever is pending meanwhile: counted as unmatched. */
  unasked(at: number): void;
  /**
   * A field of the request or the response being read, between where it begins and ends, named as in the protocol's document;
   * where `wantsDetails`. Never a secret.
   */
  detail(name: string, value: string | number): void;
  /**
   * The response just told changes the protocol of this connection: what follows, in both directions, is nobody's, and is not pushed any
   * more (but for what was under way: it is to be ignored).
   */
  leaves(): void;
  /** Keys asked for and found, of the request being answered. */
  lookups(hits: number, misses: number): void;
}
