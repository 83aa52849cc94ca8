import type { Segment } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import { ConnectionFifo, GONE } from "./connection-fifo.ts";
import type { DuplicateFilter } from "./duplicates.ts";
import { type EndReason, Piece } from "./receiver.ts";
import { guessClientIsA, sideOf } from "./roles.ts";
import type { Sample } from "./sample.ts";
import type { ServerTable } from "./servers.ts";
import type { ConnectionSlots } from "./slots.ts";
import type { TableOptions } from "./table-options.ts";

/** Two endpoints that exchange datagrams, and have said nothing for so long with nothing pending, are forgotten. */
const IDLE_US = 1_000_000;
/** Looked at for that, with each that is opened: a busy resolver asks each question from another port. */
const LOOKED_AT = 2;
/** Makes the hash of two endpoints' datagrams another one than that of a TCP connection between them, always. */
const DATAGRAMS = 0x5bd1e995;
/** The same for what the endpoint with the higher address asks, where both have the same port. */
const OTHER_WAY = 0x27d4eb2f;
/** Those with something pending are passed over so often when room has to be made. */
const MAX_PASSED_OVER = 8;

/** What the table does for datagrams as for segments. */
export interface Host {
  readonly slots: ConnectionSlots;
  readonly duplicates: DuplicateFilter;
  readonly sample: Sample;
  readonly servers: ServerTable;
  readonly options: TableOptions;
  /** As the table's. */
  readonly clockUs: number;
  add(segment: Segment, hash: number, isDatagrams: boolean): Connection;
  touch(connection: Connection): void;
  /** Ends and forgets it. */
  drop(connection: Connection, reason: EndReason): void;
}

/**
 * Datagrams (UDP): there is no handshake, no order and no end. Two endpoints that exchange them are a connection like TCP's, from
 * the first datagram until nothing has been said for a while. They may take half the room there is: a client asks each question from
 * another port, and must not drive out connections.
 */
export class Datagrams {
  /** Connections opened so far. */
  opened = 0;
  /** Those that had to make room with something pending. */
  evicted = 0;
  private readonly host: Host;
  private readonly piece = new Piece();
  private readonly capacity: number;
  readonly idleUs: number;
  /** In the order of their first datagrams. Some may be gone from the table. */
  private readonly order = new ConnectionFifo();

  constructor(host: Host) {
    this.host = host;
    this.capacity = Math.max(1, host.options.room.part >> 1);
    this.idleUs = Math.min(IDLE_US, host.options.idleTimeoutUs);
  }

  /** Takes one datagram. */
  // Runs for every datagram.
  accept(segment: Segment): void {
    const host = this.host;
    if (segment.payloadLength === 0 || host.duplicates.isDuplicate(segment)) return;
    let hash = host.slots.hashOf(segment) ^ DATAGRAMS;
    if (segment.sourcePort === segment.destinationPort) hash ^= this.wayOf(segment, hash);
    let found = host.slots.find(segment, hash);
    // Whether it is gone does not depend on when that was noticed: with other traffic, or on another worker, it would be.
    if (found !== null && this.isOver(found)) {
      host.drop(found, "idle");
      found = null;
    }
    const fromA = found === null || host.slots.foundFromA;
    const connection = found ?? this.open(segment, hash);
    host.touch(connection);
    if (connection.isIgnored) {
      if (connection.isOutside) host.sample.segmentsOutside++;
      return;
    }
    if (connection.receiver === null && !this.prepare(connection, segment, fromA)) return;
    const piece = this.piece;
    piece.fromClient = fromA === connection.clientIsA;
    piece.bytes = segment.bytes;
    piece.start = segment.payloadStart;
    piece.end = segment.payloadStart + segment.payloadCaptured;
    piece.cut = segment.payloadLength - segment.payloadCaptured;
    piece.timeUs = segment.timeUs;
    piece.sequence = segment.sequence;
    connection.receiver!.data(piece);
  }

  /**
   * Two servers that ask each other, both from the servers' port, are two connections, one for each that asks. What does not say who
   * asks goes with those that do.
   */
  private wayOf(segment: Segment, hash: number): number {
    const order = compareAddresses(segment);
    if (order === 0) return 0;
    const { sourcePort, destinationPort, bytes, payloadStart, payloadCaptured } = segment;
    const { slots, options } = this.host;
    const end = payloadStart + payloadCaptured;
    const speaker = options.hints.datagramSpeaker(sourcePort, destinationPort, bytes, payloadStart, end);
    if (speaker !== null) return (speaker === "client") === order < 0 ? 0 : OTHER_WAY;
    return slots.find(segment, hash) === null && slots.find(segment, hash ^ OTHER_WAY) !== null ? OTHER_WAY : 0;
  }

  private open(segment: Segment, hash: number): Connection {
    this.tidy();
    if (this.order.length >= this.capacity) this.makeRoom();
    const connection = this.host.add(segment, hash, true);
    this.order.push(connection);
    this.opened++;
    return connection;
  }

  /** It has said nothing for long enough, and nothing is pending. */
  private isOver(connection: Connection): boolean {
    return connection.lastUs + this.idleUs <= this.host.clockUs && connection.receiver?.hasPending !== true;
  }

  /** Forgets the oldest that are over. */
  private tidy(): void {
    for (let left = LOOKED_AT; left > 0; left--) {
      const oldest = this.order.first;
      if (oldest === undefined || (oldest !== GONE && oldest.lastUs + this.idleUs > this.host.clockUs)) return;
      this.order.shift();
      if (oldest === GONE) continue;
      if (this.isOver(oldest)) this.host.drop(oldest, "idle");
      else this.order.push(oldest);
    }
  }

  /** One that is gone already makes room, or the oldest, but rather one with nothing pending. */
  private makeRoom(): void {
    for (let passed = 0; ; passed++) {
      const oldest = this.order.shift();
      if (oldest === undefined || oldest === GONE) return;
      if (passed < MAX_PASSED_OVER && oldest.receiver?.hasPending === true) {
        this.order.push(oldest);
        continue;
      }
      if (oldest.receiver?.hasPending === true) this.evicted++;
      this.host.drop(oldest, "evicted");
      return;
    }
  }

  /** Before the first datagram is delivered: roles, side, receiver. False when it is of no use. */
  private prepare(connection: Connection, segment: Segment, fromA: boolean): boolean {
    const { options, servers } = this.host;
    const start = segment.payloadStart;
    const end = start + segment.payloadCaptured;
    // What the message itself says is what a port can only hint at.
    const speaker = options.hints.datagramSpeaker(connection.aPort, connection.bPort, segment.bytes, start, end);
    connection.clientIsA =
      speaker === null
        ? guessClientIsA(connection, options.hints, servers, fromA, segment)
        : (speaker === "client") === fromA;
    // Who speaks first asks, where nothing else tells.
    connection.clientIsA ??= fromA;
    connection.side = options.side ?? sideOf(connection, options.localAddresses);
    connection.receiver = options.attach(connection);
    connection.isIgnored = connection.receiver === null;
    return !connection.isIgnored;
  }
}

/** Negative where the source's address is the lower one, 0 where both are the same. */
function compareAddresses(s: Segment): number {
  if (s.ipVersion === 6) {
    if (s.source0 !== s.destination0) return s.source0 - s.destination0;
    if (s.source1 !== s.destination1) return s.source1 - s.destination1;
    if (s.source2 !== s.destination2) return s.source2 - s.destination2;
  }
  return s.source3 - s.destination3;
}
