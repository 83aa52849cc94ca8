import { COMMANDS } from "./kafka/apis.ts";
import { ERRORS } from "./kafka/errors.ts";
import { recogniseRequest, recogniseResponse } from "./kafka/recognise.ts";
import { RequestParser } from "./kafka/requests.ts";
import { ResponseParser } from "./kafka/responses.ts";
import { KafkaState } from "./kafka/state.ts";
import type { Exchange, Protocol, Session } from "./protocol.ts";

/**
 * Kafka (https://kafka.apache.org/protocol): frames with a length, requests with an api key, a version and a correlation id, which the
 * response repeats (`frame.ts`). That is enough to pair; what stands behind differs by api and version, and is read as far as it tells
 * something: the first topic, acks, error codes, and with --details all of the five apis that producers and consumers live on.
 *
 * `request-layouts.ts` and `response-layouts.ts` say what is read, in the notation of `layout.ts`, which makes steps of it for one version
 * of one api; `walker.ts` takes them over bytes however they are cut. What is not read is passed by its length.
 *
 * A broker answers a connection's requests in order; it does one at a time (`max.in.flight.requests.per.connection` is the client's).
 */
export const kafka: Protocol = {
  name: "kafka",
  ports: [9092],
  commands: COMMANDS,
  errors: ERRORS,
  pairsById: true,
  recogniseRequest,
  recogniseResponse,
  createSession: (exchange: Exchange): Session => new KafkaSession(exchange),
};

/** Of 100,000 connections most are idle, between messages: then only the state is kept. */
class KafkaSession implements Session {
  private readonly exchange: Exchange;
  private readonly state = new KafkaState();
  private requestParser: RequestParser | null = null;
  private responseParser: ResponseParser | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get requests(): RequestParser {
    this.requestParser ??= new RequestParser(this.exchange, this.state);
    return this.requestParser;
  }

  get responses(): ResponseParser {
    this.responseParser ??= new ResponseParser(this.exchange);
    return this.responseParser;
  }

  get standing(): number {
    if (this.requestParser?.isAtRest === false || this.responseParser?.isAtRest === false) return -1;
    return this.state.sendsTokens ? 1 : 0;
  }

  resume(standing: number): void {
    this.state.sendsTokens = standing === 1;
  }

  rest(): void {
    if (this.requestParser?.isAtRest) this.requestParser = null;
    if (this.responseParser?.isAtRest) this.responseParser = null;
  }
}
