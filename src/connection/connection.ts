import { addressText, endpointText } from "./address.ts";
import { Flow } from "./flow.ts";
import { Path } from "./path.ts";
import type { StreamReceiver } from "./receiver.ts";
import { distance } from "./sequence.ts";
import type { Server } from "./servers.ts";

/** Where tcplat's host stands (T13). */
export type Side = "client" | "server" | "local" | "transit";

/**
 * One TCP connection, both directions. Endpoint A is the one that sent the first segment seen; which of the two is
 * the client is known once `clientIsA` is not null.
 */
export class Connection {
  /** From 1, in the order of first segments. */
  readonly id: number;
  /** Slot in the table; -1 once removed. */
  slot = -1;
  hash = 0;
  readonly ipVersion: number;
  readonly a0: number;
  readonly a1: number;
  readonly a2: number;
  readonly a3: number;
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly b3: number;
  readonly aPort: number;
  readonly bPort: number;
  /** Null while nobody knows (no handshake, unknown ports, no telling bytes yet). */
  clientIsA: boolean | null = null;
  /** The roles come from a handshake that was seen. */
  hasHandshake = false;
  readonly path = new Path();
  readonly fromA = new Flow();
  readonly fromB = new Flow();
  /** The capture's clock at its last segment, and (modulo 2^32) when it was last moved to the end of the order. */
  lastUs = 0.5;
  orderedLow = 0;
  /** The frame at which it was moved there. */
  orderedFrame = 0;
  /** Ended; kept for a moment so that late segments do not look like a new connection. */
  isEnded = false;
  /** Nobody wants its bytes (another protocol, TLS, or roles that could not be told). */
  isIgnored = false;
  /** Ignored because it is outside the sample (`--max-cpu`). */
  isOutside = false;
  /** Goes outside the sample as soon as nothing is pending on it. */
  isLeaving = false;
  /** Why bytes of the client are missing, should there be any. */
  lossReason: "gap" | "sampled" = "gap";
  /** Payload segments seen while the roles were unknown. */
  roleAttempts = 0;
  receiver: StreamReceiver | null = null;
  server: Server;
  side: Side = "transit";
  /** When held segments are to be given up waiting for, on the capture's clock; Infinity while none are. */
  holdUntilUs = Number.POSITIVE_INFINITY;

  constructor(
    id: number,
    ipVersion: number,
    a: readonly [number, number, number, number, number],
    b: readonly [number, number, number, number, number],
    server: Server,
  ) {
    this.id = id;
    this.ipVersion = ipVersion;
    [this.a0, this.a1, this.a2, this.a3, this.aPort] = a;
    [this.b0, this.b1, this.b2, this.b3, this.bPort] = b;
    this.server = server;
  }

  get aAddress(): string {
    return addressText(this.ipVersion, this.a0, this.a1, this.a2, this.a3);
  }

  get bAddress(): string {
    return addressText(this.ipVersion, this.b0, this.b1, this.b2, this.b3);
  }

  /** Endpoint A as the contract writes it. */
  get aText(): string {
    return endpointText(this.aAddress, this.aPort);
  }

  get bText(): string {
    return endpointText(this.bAddress, this.bPort);
  }

  get clientText(): string {
    return this.clientIsA === false ? this.bText : this.aText;
  }

  get serverText(): string {
    return this.clientIsA === false ? this.aText : this.bText;
  }

  get clientPort(): number {
    return this.clientIsA === false ? this.bPort : this.aPort;
  }

  get serverPort(): number {
    return this.clientIsA === false ? this.aPort : this.bPort;
  }

  /** The client has acknowledged bytes that were never captured. */
  get isResponseMissing(): boolean {
    const [client, server] = this.clientIsA === false ? [this.fromB, this.fromA] : [this.fromA, this.fromB];
    if (!client.hasAcknowledged || !server.isStarted || server.isFinished) return false;
    return distance(client.acknowledged, server.next) > 0;
  }
}
