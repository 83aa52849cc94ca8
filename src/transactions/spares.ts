import type { Protocol, Session } from "../protocols/protocol.ts";
import type { Pairing } from "./pairing.ts";

/** What a connection needs only while messages are under way. */
export interface Spare {
  readonly pairing: Pairing;
  readonly session: Session;
}

/** More are not kept: one is given back whenever another is needed. */
const CAPACITY = 64;

/**
 * Pairings with their sessions that a connection has given back: the next one that wakes up goes on with them. With 100,000
 * connections that speak by turns it saves 100 MB of garbage.
 */
export class Spares {
  readonly #byProtocol = new Map<Protocol, Spare[]>();

  take(protocol: Protocol): Spare | null {
    return this.#byProtocol.get(protocol)?.pop() ?? null;
  }

  give(protocol: Protocol, spare: Spare): void {
    const spares = this.#byProtocol.get(protocol);
    if (spares === undefined) this.#byProtocol.set(protocol, [spare]);
    else if (spares.length < CAPACITY) spares.push(spare);
  }
}
