import { Flag } from "../transactions/transaction.ts";
import { type Clock, ClockSamples, estimateClock, offsetAt } from "./clock.ts";
import type { NumberField, RecordStore } from "./record-store.ts";

/** Times of such requests tell nothing of the clocks. */
const DOUBTFUL = Flag.gap | Flag.outOfOrder | Flag.retransmission | Flag.clockSkew;
const NONE = -1;
/** A request with a number that came again arrives this soon, or within its latency. */
const APART_US = 1_000_000;
/** More records with one sequence number than a wrapped stream has are a hostile file's, and are not compared each with each. */
const MOST_POSSIBLE = 10_000;

/** Which records of both sides speak of the same request. */
export interface Join {
  /** By the client's record: the server's, or -1; and the other way round. */
  readonly serverOf: Int32Array;
  readonly clientOf: Int32Array;
  /** By the client's record: 1 where the addresses differ, and only sequence numbers, size and command agree. */
  readonly isTranslated: Uint8Array;
  /** Null where no request was answered on both sides. */
  readonly clock: Clock | null;
}

/**
 * Joins the records of two hosts. A request is the same where addresses, ports and the TCP sequence number of its first
 * byte are, and the command. Connections that only one side knows may have been translated (NAT): of those, a request is
 * the same where its sequence number, its size, its command and its response's sequence number are, or, where one side
 * saw no response, the server's port.
 */
export function join(client: RecordStore, server: RecordStore, portOf: (pair: number) => string): Join {
  const joiner = new Joiner(client, server);
  joiner.byConnection();
  const rough = joiner.clock();
  joiner.repeated(rough);
  joiner.translated(portOf);
  const { serverOf, clientOf, isTranslated } = joiner;
  return { serverOf, clientOf, isTranslated, clock: joiner.clock() };
}

/** The runs of records, from `from` to `to` of each order, that agree in all fields of a key. */
type OnGroup = (c: Uint32Array, cFrom: number, cTo: number, s: Uint32Array, sFrom: number, sTo: number) => void;

class Joiner {
  readonly serverOf: Int32Array;
  readonly clientOf: Int32Array;
  readonly isTranslated: Uint8Array;
  readonly #client: RecordStore;
  readonly #server: RecordStore;
  /** Groups in which a sequence number came again: the stream's number space wrapped, or the ports were used again. */
  readonly #repeated: (readonly [Uint32Array, Uint32Array])[] = [];

  constructor(client: RecordStore, server: RecordStore) {
    this.#client = client;
    this.#server = server;
    this.serverOf = new Int32Array(client.count).fill(NONE);
    this.clientOf = new Int32Array(server.count).fill(NONE);
    this.isTranslated = new Uint8Array(client.count);
  }

  byConnection(): void {
    this.#groups(["pair", "requestSequence"], (c, cFrom, cTo, s, sFrom, sTo) => {
      const isSingle = cTo - cFrom === 1 && sTo - sFrom === 1;
      if (isSingle) this.#linkIfSame(c[cFrom]!, s[sFrom]!);
      else this.#repeated.push([c.slice(cFrom, cTo), s.slice(sFrom, sTo)]);
    });
  }

  /** Of several with the same number, those nearest in time; in their order where the clocks are unknown. */
  repeated(clock: Clock | null): void {
    for (const [c, s] of this.#repeated) {
      if (c.length * s.length > MOST_POSSIBLE) continue;
      if (clock !== null) this.#linkNearest(c, s, clock);
      else if (c.length === s.length) for (const [at, mine] of c.entries()) this.#linkIfSame(mine, s[at]!);
    }
  }

  #linkNearest(c: Uint32Array, s: Uint32Array, clock: Clock): void {
    const possible = [...c].flatMap((mine) =>
      Array.from(s, (theirs) => ({ mine, theirs, apartUs: this.#apartUs(mine, theirs, clock) })),
    );
    for (const { mine, theirs, apartUs } of possible.sort((a, b) => a.apartUs - b.apartUs)) {
      const latencyUs = this.#client.get(mine, "latencyUs");
      const mostUs = APART_US + clock.uncertaintyUs + (Number.isNaN(latencyUs) ? 0 : latencyUs);
      const isFree = this.serverOf[mine] === NONE && this.clientOf[theirs] === NONE;
      if (isFree && apartUs <= mostUs) this.#linkIfSame(mine, theirs);
    }
  }

  #apartUs(mine: number, theirs: number, clock: Clock): number {
    const startUs = this.#client.get(mine, "startUs");
    return Math.abs(this.#server.get(theirs, "startUs") - startUs - offsetAt(clock, startUs));
  }

  translated(portOf: (pair: number) => string): void {
    const both = this.#joinedPairs();
    const isOpen = (store: RecordStore, index: number, joined: Int32Array): boolean =>
      joined[index] === NONE && !both.has(store.get(index, "pair"));
    const key = ["requestSequence", "requestBytes", "kind"] as const;
    this.#groups(key, (c, cFrom, cTo, s, sFrom, sTo) => {
      const mine = c.slice(cFrom, cTo).filter((index) => isOpen(this.#client, index, this.serverOf));
      const theirs = s.slice(sFrom, sTo).filter((index) => isOpen(this.#server, index, this.clientOf));
      if (mine.length * theirs.length > MOST_POSSIBLE) return;
      const fitting = (index: number) => [...theirs].filter((other) => this.#isSame(index, other, portOf));
      for (const index of mine) {
        const [only, another] = fitting(index).filter((other) => this.clientOf[other] === NONE);
        // Where two could be meant, neither is taken.
        if (only === undefined || another !== undefined) continue;
        this.#link(index, only);
        this.isTranslated[index] = 1;
      }
    });
  }

  /** Connections of which at least one request was found on both sides by its addresses. */
  #joinedPairs(): Set<number> {
    const pairs = new Set<number>();
    for (let index = 0; index < this.serverOf.length; index++) {
      if (this.serverOf[index] !== NONE) pairs.add(this.#client.get(index, "pair"));
    }
    return pairs;
  }

  #isSame(mine: number, theirs: number, portOf: (pair: number) => string): boolean {
    const a = this.#client.get(mine, "responseSequence");
    const b = this.#server.get(theirs, "responseSequence");
    if (a >= 0 && b >= 0) return a === b;
    return portOf(this.#client.get(mine, "pair")) === portOf(this.#server.get(theirs, "pair"));
  }

  /** Where one side's snaplen has cut the command, it cannot be compared. */
  #linkIfSame(mine: number, theirs: number): void {
    const isSame = this.#client.get(mine, "kind") === this.#server.get(theirs, "kind");
    const flags = this.#client.get(mine, "flags") | this.#server.get(theirs, "flags");
    if (isSame || (flags & Flag.truncated) !== 0) this.#link(mine, theirs);
  }

  #link(mine: number, theirs: number): void {
    this.serverOf[mine] = theirs;
    this.clientOf[theirs] = mine;
  }

  /** Walks both sides in the order of a key, and tells of each value of it that both have. */
  #groups(key: readonly NumberField[], tell: OnGroup): void {
    const c = this.#client.ordered(...key, "startUs");
    const s = this.#server.ordered(...key, "startUs");
    const compare = (i: number, j: number): number => compareBy(key, this.#client, c[i]!, this.#server, s[j]!);
    for (let i = 0, j = 0; i < c.length && j < s.length; ) {
      const order = compare(i, j);
      if (order < 0) i++;
      else if (order > 0) j++;
      else {
        const [cFrom, sFrom] = [i, j];
        while (i < c.length && compare(i, sFrom) === 0) i++;
        while (j < s.length && compare(cFrom, j) === 0) j++;
        tell(c, cFrom, i, s, sFrom, j);
      }
    }
  }

  /** What the requests joined so far tell of the clocks; doubtful ones are heard only where there are no others. */
  clock(): Clock | null {
    return estimateClock(this.#samples(DOUBTFUL)) ?? estimateClock(this.#samples(0));
  }

  #samples(refusedFlags: number): ClockSamples {
    const samples = new ClockSamples();
    const client = this.#client;
    const server = this.#server;
    for (const mine of client.ordered("startUs")) {
      const theirs = this.serverOf[mine]!;
      if (theirs === NONE || !client.isAnswered(mine) || !server.isAnswered(theirs)) continue;
      if (((client.get(mine, "flags") | server.get(theirs, "flags")) & refusedFlags) !== 0) continue;
      const sentUs = client.get(mine, "startUs");
      const highUs = server.get(theirs, "startUs") - sentUs;
      samples.add(sentUs, server.responseStartUs(theirs) - client.responseStartUs(mine), highUs);
    }
    return samples;
  }
}

function compareBy(key: readonly NumberField[], a: RecordStore, i: number, b: RecordStore, j: number): number {
  for (const field of key) {
    const difference = a.get(i, field) - b.get(j, field);
    if (difference !== 0) return difference;
  }
  return 0;
}
