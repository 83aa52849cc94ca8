import { ERRORS, METHODS } from "./http/methods.ts";
import { recogniseRequest, recogniseResponse } from "./http/recognise.ts";
import { RequestParser } from "./http/requests.ts";
import { ResponseParser } from "./http/responses.ts";
import { HttpState } from "./http/state.ts";
import type { Exchange, Protocol, Session } from "./protocol.ts";

/**
 * HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112).
 *
 *     GET /users/1?full=1 HTTP/1.1\r\n            HTTP/1.1 200 OK\r\n
 *     Host: example.org\r\n                       Content-Length: 5\r\n
 *     \r\n                                        \r\n
 *                                                 hello
 *
 * Responses come in the order of their requests. A body is as long as Content-Length says, or comes in chunks
 * (`5\r\nhello\r\n … 0\r\n\r\n`), or, of a response, goes on until the server closes; responses to HEAD, 1xx, 204 and 304 have none.
 *
 * 1xx come before the response and are pushes. 101, and 2xx to CONNECT, end the parsing: the request is of class stream. So is one that
 * is answered with server-sent events: its response ends, as far as pairing goes, with its fields, and each chunk is a push.
 *
 * `requests.ts` and `responses.ts` read where messages begin and end: line by line (`line-reader.ts`), the fields that matter
 * (`fields.ts`), and the body (`body.ts`). `request-line.ts` and `target.ts` find what may be shown.
 */
export const http: Protocol = {
  name: "http",
  ports: [80, 8080, 8000],
  commands: METHODS,
  errors: ERRORS,
  isUnmistakable: true,
  recogniseRequest,
  recogniseResponse,
  createSession: (exchange: Exchange): Session => new HttpSession(exchange),
};

/** Of 100,000 connections most are idle, between messages: then nothing is kept. */
class HttpSession implements Session {
  private readonly exchange: Exchange;
  private readonly state = new HttpState();
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
    this.responseParser ??= new ResponseParser(this.exchange, this.state, () => this.requests.endEarly());
    return this.responseParser;
  }

  get standing(): number {
    const isReading = this.requestParser?.isAtRest === false || this.responseParser?.isAtRest === false;
    return isReading || this.state.switchesDue > 0 ? -1 : Number(this.state.isTunnel);
  }

  resume(standing: number): void {
    this.state.isTunnel = standing === 1;
    this.state.switchesDue = 0;
  }

  decide(): void {
    this.responseParser?.decide();
  }

  rest(): void {
    if (this.requestParser?.isAtRest) this.requestParser = null;
    if (this.responseParser?.isAtRest) this.responseParser = null;
  }
}
