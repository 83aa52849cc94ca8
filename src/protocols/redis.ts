import type { Exchange, Protocol, Session } from "./protocol.ts";
import { COMMANDS, ERRORS, QUICK_COMMANDS } from "./redis/commands.ts";
import { Modes } from "./redis/modes.ts";
import { recogniseRequest, recogniseResponse } from "./redis/recognise.ts";
import { RequestParser } from "./redis/requests.ts";
import { ResponseParser } from "./redis/responses.ts";

/**
 * Redis and Valkey (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 *
 * A client sends arrays of bulk strings, or lines of words ("inline"):
 *
 *     *2\r\n$3\r\nGET\r\n$6\r\nuser:1\r\n        GET user:1\r\n
 *
 * and is answered in order by one value each, whose first byte is its type:
 *
 *     +OK\r\n   -ERR no\r\n   :42\r\n   $5\r\nhello\r\n   $-1\r\n   *2\r\n:1\r\n:2\r\n       RESP2
 *     _ # , ( ! = % ~ |  null, boolean, double, big number, bulk error, verbatim, map, set, attribute   RESP3
 *     >                  a push, between any two replies                                                RESP3
 *
 * One reply per request, but for subscriptions (a confirmation per channel), MONITOR and replication (a stream behind
 * the reply) and CLIENT REPLY (none): `requests.ts` reads where a request ends, `request-command.ts` what it asks for and
 * notes it as a `Reply` (`modes.ts`), `responses.ts` reads where a message ends, `reply-meaning.ts` whose it is.
 */
export const redis: Protocol = {
  name: "redis",
  ports: [6379],
  commands: COMMANDS,
  errors: ERRORS,
  isSerial: true,
  quickCommands: QUICK_COMMANDS,
  recogniseRequest,
  recogniseResponse,
  createSession: (exchange: Exchange): Session => new RedisSession(exchange),
};

/** Of 100,000 connections most are idle, between messages: then only the modes are kept. */
class RedisSession implements Session {
  private readonly exchange: Exchange;
  private readonly modes = new Modes();
  private requestParser: RequestParser | null = null;
  private responseParser: ResponseParser | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get requests(): RequestParser {
    this.requestParser ??= new RequestParser(this.exchange, this.modes);
    return this.requestParser;
  }

  get responses(): ResponseParser {
    this.responseParser ??= new ResponseParser(this.exchange, this.modes);
    return this.responseParser;
  }

  get standing(): number {
    const isReading = this.requestParser?.isAtRest === false || this.responseParser?.isAtRest === false;
    return isReading ? -1 : this.modes.standing;
  }

  get isOneWay(): boolean {
    return this.modes.isReplication;
  }

  resume(standing: number): void {
    this.modes.resume(standing);
    this.requestParser?.resume();
  }

  rest(): void {
    if (this.requestParser?.isAtRest) {
      this.requestParser = null;
      // The next one counts its MULTIs from the beginning.
      this.modes.refusedMulti = 0;
    }
    if (this.responseParser?.isAtRest) this.responseParser = null;
  }
}
