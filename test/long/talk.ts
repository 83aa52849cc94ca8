import { TcpFlag } from "../../src/decode/segment.ts";
import { latin1 } from "../support/segments.ts";
import { type Ends, handshake, NOTHING, type SegmentFields, type Wire } from "./wire.ts";

export const GET = latin1("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
export const OK = latin1("+OK\r\n");

/** One connection that keeps its sequence numbers. Each generator sends one frame a step. */
export class Talk {
  readonly ends: Ends;
  clientNext = 1;
  serverNext = 1;
  readonly #wire: Wire;

  constructor(wire: Wire, ends: Ends) {
    this.#wire = wire;
    this.ends = ends;
  }

  open(): Generator<void> {
    return handshake(this.#wire, this.ends);
  }

  *client(payload: Uint8Array, fields: SegmentFields = {}): Generator<void> {
    this.#wire.send(this.ends, true, this.clientNext, this.serverNext, payload, fields);
    this.clientNext += fields.length ?? payload.length;
    yield;
  }

  *server(payload: Uint8Array, fields: SegmentFields = {}): Generator<void> {
    this.#wire.send(this.ends, false, this.serverNext, this.clientNext, payload, fields);
    this.serverNext += fields.length ?? payload.length;
    yield;
  }

  /** A request and its response. */
  *exchange(request: Uint8Array = GET, response: Uint8Array = OK): Generator<void> {
    yield* this.client(request);
    yield* this.server(response);
  }

  *acknowledge(fromClient: boolean): Generator<void> {
    const sequence = fromClient ? this.clientNext : this.serverNext;
    this.#wire.send(this.ends, fromClient, sequence, fromClient ? this.serverNext : this.clientNext, NOTHING);
    yield;
  }

  *close(): Generator<void> {
    yield* this.client(NOTHING, { flags: TcpFlag.fin | TcpFlag.ack });
    this.clientNext++;
    yield* this.server(NOTHING, { flags: TcpFlag.fin | TcpFlag.ack });
    this.serverNext++;
  }
}
