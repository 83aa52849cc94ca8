import type { Segment } from "../decode/segment.ts";
import type { Connection, HighWords } from "./connection.ts";
import type { ConnectionRoom } from "./room.ts";
import { SpareConnections } from "./spare-connections.ts";

const FIRST_SLOTS = 256;
const NONE = -1;
/** Words of an entry of the index. */
const PAIR = 2;

/**
 * Connections by their addresses and ports, and from the least to the most recently used one.
 *
 * The look-up is an open-addressing hash table of slot numbers (linear probing, deletion by shifting back), the order
 * a doubly linked list in two typed arrays: about 6 ns and 4 ns a segment, no allocation. Both ends of a connection
 * hash to the same value, so that either direction finds it. The hash is seeded, so that nobody can aim at one bucket;
 * no order depends on it.
 */
export class ConnectionSlots {
  private bySlot: (Connection | null)[] = [];
  private free: number[] = [];
  /**
   * Slot + 1 by hash, 0 where it is empty, and behind it the hash: who is looked for among many is found without looking at others, each of
   * them somewhere else in memory. A power of two, at most half full.
   */
  private index = new Int32Array(FIRST_SLOTS * 2 * PAIR);
  private older = new Int32Array(FIRST_SLOTS);
  private newer = new Int32Array(FIRST_SLOTS);
  private oldestSlot = NONE;
  private newestSlot = NONE;
  private readonly seed: number;
  private readonly room: ConnectionRoom;
  size = 0;
  /** Those that were removed. */
  readonly spares = new SpareConnections();
  /** Of the connection that `find` found: the segment goes from its endpoint A to B. */
  foundFromA = true;

  constructor(seed: number, room: ConnectionRoom) {
    this.seed = seed | 0;
    this.room = room;
  }

  // Runs for every segment.
  hashOf(s: Segment): number {
    const seed = this.seed;
    let source = Math.imul(s.source3 ^ seed, 0x9e3779b1) ^ Math.imul(s.sourcePort + seed, 0x85ebca6b);
    let destination = Math.imul(s.destination3 ^ seed, 0x9e3779b1) ^ Math.imul(s.destinationPort + seed, 0x85ebca6b);
    if (s.ipVersion === 6) {
      source = mixWords(source, s.source0, s.source1, s.source2);
      destination = mixWords(destination, s.destination0, s.destination1, s.destination2);
    }
    let hash =
      (Math.imul(source ^ (source >>> 15), 0x2c1b3c6d) + Math.imul(destination ^ (destination >>> 15), 0x2c1b3c6d)) | 0;
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0x297a2d39);
    return hash ^ (hash >>> 16);
  }

  /** The connection of this segment, either direction, or null. */
  // Runs for every segment.
  find(s: Segment, hash: number): Connection | null {
    const index = this.index;
    const mask = index.length - PAIR;
    for (let at = (hash << 1) & mask; ; at = (at + PAIR) & mask) {
      const entry = index[at]!;
      if (entry === 0) return null;
      if (index[at + 1] !== hash) continue;
      const connection = this.bySlot[entry - 1]!;
      this.foundFromA = isFromA(connection, s);
      if (this.foundFromA || isFromB(connection, s)) return connection;
    }
  }

  add(connection: Connection, hash: number): void {
    if ((this.size + 1) * 2 * PAIR > this.index.length) this.growIndex();
    const slot = this.free.pop() ?? this.bySlot.length;
    if (slot >= this.older.length) this.growOrder();
    this.bySlot[slot] = connection;
    connection.slot = slot;
    connection.hash = hash;
    this.insert(slot, hash);
    this.link(slot);
    this.size++;
    this.room.take();
  }

  remove(connection: Connection): void {
    const slot = connection.slot;
    this.unindex(slot, connection.hash);
    this.unlink(slot);
    this.bySlot[slot] = null;
    this.free.push(slot);
    connection.slot = NONE;
    this.spares.give(connection);
    this.size--;
    this.room.giveBack();
  }

  /** One of them has to go before another comes: there are as many as there is room for, and here no fewer than one table's part. */
  get isFull(): boolean {
    return this.size >= this.room.part && this.room.isFull;
  }

  /** Marks the connection as the most recently used one. */
  // Runs for every segment.
  touch(connection: Connection): void {
    const slot = connection.slot;
    if (slot === this.newestSlot) return;
    this.unlink(slot);
    this.link(slot);
  }

  /** The least recently used connection, or null. */
  oldest(): Connection | null {
    return this.oldestSlot === NONE ? null : this.bySlot[this.oldestSlot]!;
  }

  /** All, from the least recently used on. Nothing may be added or removed meanwhile but the one being visited. */
  *[Symbol.iterator](): Generator<Connection> {
    for (let slot = this.oldestSlot; slot !== NONE; ) {
      const connection = this.bySlot[slot]!;
      const next = this.newer[slot]!;
      yield connection;
      slot = next;
    }
  }

  private insert(slot: number, hash: number): void {
    const index = this.index;
    const mask = index.length - PAIR;
    let at = (hash << 1) & mask;
    while (index[at] !== 0) at = (at + PAIR) & mask;
    index[at] = slot + 1;
    index[at + 1] = hash;
  }

  private unindex(slot: number, hash: number): void {
    const index = this.index;
    const mask = index.length - PAIR;
    let hole = (hash << 1) & mask;
    while (index[hole] !== slot + 1) hole = (hole + PAIR) & mask;
    // Move back every later entry of the run that may stand in the hole.
    for (let at = (hole + PAIR) & mask; index[at] !== 0; at = (at + PAIR) & mask) {
      const home = (index[at + 1]! << 1) & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        index[hole] = index[at]!;
        index[hole + 1] = index[at + 1]!;
        hole = at;
      }
    }
    index[hole] = 0;
  }

  private link(slot: number): void {
    this.older[slot] = this.newestSlot;
    this.newer[slot] = NONE;
    if (this.newestSlot === NONE) this.oldestSlot = slot;
    else this.newer[this.newestSlot] = slot;
    this.newestSlot = slot;
  }

  private unlink(slot: number): void {
    const older = this.older[slot]!;
    const newer = this.newer[slot]!;
    if (older === NONE) this.oldestSlot = newer;
    else this.newer[older] = newer;
    if (newer === NONE) this.newestSlot = older;
    else this.older[newer] = older;
  }

  private growIndex(): void {
    this.index = new Int32Array(this.index.length * 2);
    for (const connection of this.bySlot) if (connection) this.insert(connection.slot, connection.hash);
  }

  private growOrder(): void {
    const older = new Int32Array(this.older.length * 2);
    const newer = new Int32Array(older.length);
    older.set(this.older);
    newer.set(this.newer);
    this.older = older;
    this.newer = newer;
  }
}

/** Whether the segment goes from endpoint A to B. */
// Runs for every segment.
export function isFromA(c: Connection, s: Segment): boolean {
  return (
    c.a3 === s.source3 &&
    c.b3 === s.destination3 &&
    c.aPort === s.sourcePort &&
    c.bPort === s.destinationPort &&
    (c.highWords === null ? s.ipVersion === 4 : s.ipVersion === 6 && areHighWords(c.highWords, 0, 3, s))
  );
}

// Runs for every segment.
function isFromB(c: Connection, s: Segment): boolean {
  return (
    c.b3 === s.source3 &&
    c.a3 === s.destination3 &&
    c.bPort === s.sourcePort &&
    c.aPort === s.destinationPort &&
    (c.highWords === null ? s.ipVersion === 4 : s.ipVersion === 6 && areHighWords(c.highWords, 3, 0, s))
  );
}

/** Whether the source's words stand from `source` on, and the destination's from `destination` on. */
function areHighWords(words: HighWords, source: number, destination: number, s: Segment): boolean {
  return (
    words[source] === s.source0 &&
    words[source + 1] === s.source1 &&
    words[source + 2] === s.source2 &&
    words[destination] === s.destination0 &&
    words[destination + 1] === s.destination1 &&
    words[destination + 2] === s.destination2
  );
}

function mixWords(hash: number, word0: number, word1: number, word2: number): number {
  return Math.imul(Math.imul(Math.imul(hash ^ word0, 0x9e3779b1) ^ word1, 0x85ebca6b) ^ word2, 0xc2b2ae35);
}
