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
  createSession(exchange: Exchange): Session {
    const modes = new Modes();
    return { requests: new RequestParser(exchange, modes), responses: new ResponseParser(exchange, modes) };
  },
};
