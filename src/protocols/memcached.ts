import { BinaryRequests } from "./memcached/binary-requests.ts";
import { BinaryResponses } from "./memcached/binary-responses.ts";
import { COMMANDS, ERRORS } from "./memcached/commands.ts";
import { datagrams } from "./memcached/datagrams.ts";
import { recogniseRequest, recogniseResponse } from "./memcached/recognise.ts";
import { isQuiet } from "./memcached/reply-kind.ts";
import { Dialect, MemcachedState } from "./memcached/state.ts";
import { TextRequests } from "./memcached/text-requests.ts";
import { TextResponses } from "./memcached/text-responses.ts";
import type { Exchange, Parser, Protocol, Session } from "./protocol.ts";

interface RestingParser extends Parser {
  /** A new parser would go on just the same. */
  readonly isAtRest: boolean;
  /** See Session. */
  decide?(isLast: boolean): void;
  /** See Session. */
  passed?(requests: number): void;
  /** Requests only: an error came that none waits for. Tells the one being read as it stands, of the binary protocol if the error is its own. */
  endEarly?(exchange: Exchange, opcode: number, opaque: number): void;
}

/** One direction: hands the bytes to the parser of the connection's dialect, which its first byte decides for good. */
class MemcachedParser implements Parser {
  private readonly state: MemcachedState;
  private readonly magic: number;
  private readonly create: (isBinary: boolean) => RestingParser;
  private parser: RestingParser | null = null;

  constructor(state: MemcachedState, magic: number, create: (isBinary: boolean) => RestingParser) {
    this.state = state;
    this.magic = magic;
    this.create = create;
  }

  // Runs for every segment.
  push(bytes: Uint8Array, start: number, end: number): boolean {
    if (start >= end) {
      return true;
    }
    if (this.state.dialect === Dialect.unknown) {
      this.state.dialect = bytes[start] === this.magic ? Dialect.binary : Dialect.text;
    }
    return this.spoken().push(bytes, start, end);
  }

  gap(missing: number): boolean {
    return this.state.dialect !== Dialect.unknown && this.spoken().gap(missing);
  }

  cutOff(): void {
    if (this.state.dialect !== Dialect.unknown) {
      this.spoken().cutOff?.();
    }
  }

  resync(): void {
    // What the parser would forget may have outlived it, in the state.
    if (this.state.dialect !== Dialect.unknown) this.spoken().resync();
  }

  decide(isLast: boolean): void {
    this.parser?.decide?.(isLast);
  }

  passed(requests: number): void {
    this.parser?.passed?.(requests);
  }

  endEarly(exchange: Exchange, opcode: number, opaque: number): void {
    this.parser?.endEarly?.(exchange, opcode, opaque);
  }

  get isAtRest(): boolean {
    return this.parser === null || this.parser.isAtRest;
  }

  /** Made when it is needed: of 100,000 connections most are idle, between messages. */
  private spoken(): Parser {
    this.parser ??= this.create(this.state.dialect === Dialect.binary);
    return this.parser;
  }
}

/**
 * memcached over TCP, and over UDP (`memcached/datagrams.ts`): the classic text protocol, meta commands and the binary protocol (memcached `protocol.txt`,
 * `protocol_binary.txt`; what they leave open was tried on 1.6.18).
 */
export const memcached: Protocol = {
  name: "memcached",
  ports: [11211],
  commands: COMMANDS,
  errors: ERRORS,
  hasTellingResponses: true,
  maySayNothing: isQuiet,
  recogniseRequest,
  recogniseResponse,
  createSession: (exchange: Exchange): Session => new MemcachedSession(exchange),
  datagrams,
};

/** Of 100,000 connections most are idle, between messages: then only the dialect, and what else the state holds, is kept. */
class MemcachedSession implements Session {
  private readonly exchange: Exchange;
  private readonly state = new MemcachedState();
  private requestParser: MemcachedParser | null = null;
  private responseParser: MemcachedParser | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get requests(): Parser {
    if (this.requestParser !== null) {
      return this.requestParser;
    }
    const [exchange, state] = [this.exchange, this.state];
    this.requestParser = new MemcachedParser(state, 0x80, (isBinary) =>
      isBinary ? new BinaryRequests(exchange, state) : new TextRequests(exchange, state),
    );
    return this.requestParser;
  }

  get responses(): Parser {
    if (this.responseParser !== null) {
      return this.responseParser;
    }
    const [exchange, state] = [this.exchange, this.state];
    const endEarly = (opcode = 0, opaque = 0): void => this.requestParser?.endEarly(exchange, opcode, opaque);
    this.responseParser = new MemcachedParser(state, 0x81, (isBinary) =>
      isBinary ? new BinaryResponses(exchange, endEarly) : new TextResponses(exchange, state, endEarly),
    );
    return this.responseParser;
  }

  get standing(): number {
    const isReading = this.requestParser?.isAtRest === false || this.responseParser?.isAtRest === false;
    return isReading ? -1 : this.state.standing;
  }

  resume(standing: number): void {
    const { dialect } = this.state;
    this.state.resume(standing);
    if (this.state.dialect !== dialect) this.rest();
  }

  rest(): void {
    if (this.requestParser?.isAtRest) {
      this.requestParser = null;
    }
    if (this.responseParser?.isAtRest) {
      this.responseParser = null;
    }
  }

  decide(isLast: boolean): void {
    this.responseParser?.decide(isLast);
  }

  passed(requests: number): void {
    this.responseParser?.passed(requests);
  }
}
