import type { Exchange, Protocol, Session } from "../protocol.ts";
import { COMMANDS, ERRORS } from "./commands.ts";
import { Modes } from "./modes.ts";
import { recogniseRequest, recogniseResponse } from "./recognise.ts";
import { RequestParser } from "./requests.ts";
import { ResponseParser } from "./responses.ts";

/**
 * Redis and Valkey: RESP2 and RESP3. Requests are answered in order, one reply each, but for what `Modes` and `Reply`
 * list: subscriptions, MONITOR, replication, CLIENT REPLY.
 */
export const redis: Protocol = {
  name: "redis",
  ports: [6379],
  commands: COMMANDS,
  errors: ERRORS,
  recogniseRequest,
  recogniseResponse,
  createSession: (exchange: Exchange): Session => new RedisSession(exchange),
};

/** Of 100,000 connections most are idle, between messages: then only the modes are kept. */
class RedisSession implements Session {
  readonly #exchange: Exchange;
  readonly #modes = new Modes();
  #requests: RequestParser | null = null;
  #responses: ResponseParser | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get requests(): RequestParser {
    this.#requests ??= new RequestParser(this.#exchange, this.#modes);
    return this.#requests;
  }

  get responses(): ResponseParser {
    this.#responses ??= new ResponseParser(this.#exchange, this.#modes);
    return this.#responses;
  }

  rest(): boolean {
    if (this.#requests?.isAtRest) this.#requests = null;
    if (this.#responses?.isAtRest) this.#responses = null;
    return this.#requests === null && this.#responses === null && this.#modes.areOrdinary;
  }
}
