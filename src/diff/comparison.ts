import type { Catalogue } from "./catalogue.ts";
import { offsetAt } from "./clock.ts";
import { type Join, join } from "./join.ts";
import { completeUntilUs, type View } from "./view.ts";

/**
 * Why only one side saw a request: the other was not watched then; its file holds only some of its requests; the
 * connection is not in it; the connection is, and no sequence number of it agrees (something between rewrites them); or
 * just this request is not (frames that were lost on the way or in the capture).
 */
export const ONE_SIDED_REASONS = ["outside", "unlisted", "connection", "rewritten", "missing"] as const;
export type OneSidedReason = (typeof ONE_SIDED_REASONS)[number];

export type Side = "client" | "server";

/** A request that both saw. Times in µs. */
export interface Pair {
  readonly client: number;
  readonly server: number;
  /** Null where one side saw no answer. */
  readonly networkUs: number | null;
  /** The network's part before the server and behind it, as far as the clocks are known; never below 0. */
  readonly thereUs: number | null;
  readonly backUs: number | null;
}

/** Two views of the same talk, joined. */
export class Comparison {
  readonly client: View;
  readonly server: View;
  readonly catalogue: Catalogue;
  readonly join: Join;
  /** Connections with requests, by side, and of those that are joined. */
  readonly #pairsOf: Record<Side, ReadonlySet<number>>;
  readonly #joinedPairs: ReadonlySet<number>;

  constructor(client: View, server: View, catalogue: Catalogue) {
    this.client = client;
    this.server = server;
    this.catalogue = catalogue;
    this.join = join(client.records, server.records, (pair) => portOf(catalogue.pair(pair).server));
    this.#pairsOf = { client: pairsOf(client), server: pairsOf(server) };
    const joined = new Set<number>();
    for (const [mine, theirs] of this.join.serverOf.entries()) {
      if (theirs < 0) continue;
      joined.add(client.records.get(mine, "pair"));
      joined.add(server.records.get(theirs, "pair"));
    }
    this.#joinedPairs = joined;
  }

  /** What was asked, as its side shows it. */
  text(side: Side, index: number): string {
    const { records } = this[side];
    return records.text(index) || this.catalogue.kind(records.get(index, "kind")).command;
  }

  /** Connections of this side that have requests. */
  connections(side: Side): number {
    return this.#pairsOf[side].size;
  }

  /** The other side's record of this one, or -1. */
  otherOf(side: Side, index: number): number {
    return (side === "client" ? this.join.serverOf : this.join.clientOf)[index]!;
  }

  /** What both together tell of a request that the client's record says. */
  pair(mine: number, theirs: number): Pair {
    const client = this.client.records;
    const server = this.server.records;
    if (!client.isAnswered(mine) || !server.isAnswered(theirs))
      return { client: mine, server: theirs, networkUs: null, thereUs: null, backUs: null };
    const networkUs = Math.max(0, client.get(mine, "latencyUs") - server.get(theirs, "latencyUs"));
    const { clock } = this.join;
    if (clock === null || !clock.isSteady)
      return { client: mine, server: theirs, networkUs, thereUs: null, backUs: null };
    const startUs = client.get(mine, "startUs");
    const arrivedUs = server.get(theirs, "startUs") - offsetAt(clock, startUs);
    const thereUs = Math.min(networkUs, Math.max(0, Math.round(arrivedUs - startUs)));
    return { client: mine, server: theirs, networkUs, thereUs, backUs: networkUs - thereUs };
  }

  /** Why the other side has no record of this one. */
  reason(side: Side, index: number): OneSidedReason {
    const other = side === "client" ? this.server : this.client;
    const pair = this[side].records.get(index, "pair");
    if ((other.unlisted ?? 0) > 0) return "unlisted";
    if (this.#isOutside(side, index)) return "outside";
    if (this.#joinedPairs.has(pair)) return "missing";
    return this.#pairsOf[side === "client" ? "server" : "client"].has(pair) ? "rewritten" : "connection";
  }

  /** Whether some of this request went by when the other host was not watched. */
  #isOutside(side: Side, index: number): boolean {
    const { clock } = this.join;
    if (clock === null) return false;
    const other = side === "client" ? this.server : this.client;
    const sign = side === "client" ? 1 : -1;
    const { records } = this[side];
    const shiftUs = sign * offsetAt(clock, records.get(index, "startUs"));
    const [startUs, endUs] = [records.get(index, "startUs") + shiftUs, records.endUs(index) + shiftUs];
    return startUs < other.firstUs - clock.uncertaintyUs || endUs > completeUntilUs(other) + clock.uncertaintyUs;
  }
}

function pairsOf({ records }: View): Set<number> {
  const pairs = new Set<number>();
  for (let index = 0; index < records.count; index++) pairs.add(records.get(index, "pair"));
  return pairs;
}

/** `6379` of `192.168.0.2:6379` and `[2001:db8::1]:6379`. */
function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(":") + 1);
}
