import { Connection } from "../../src/connection/connection.ts";
import { type EndReason, Piece } from "../../src/connection/receiver.ts";
import { ServerTable } from "../../src/connection/servers.ts";
import type { ProtocolSelection } from "../../src/options.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";
import { CLASS_NAMES, NO_ERROR } from "../../src/protocols/protocol.ts";
import { PROTOCOLS } from "../../src/protocols/registry.ts";
import { Awake } from "../../src/transactions/awake.ts";
import { Conversation } from "../../src/transactions/conversation.ts";
import type { Details } from "../../src/transactions/details.ts";
import { Here } from "../../src/transactions/here.ts";
import { OpeningRoom } from "../../src/transactions/opening.ts";
import { PendingPool } from "../../src/transactions/pending.ts";
import { TransactionRecord } from "../../src/transactions/record.ts";
import { ProtocolSelector } from "../../src/transactions/selector.ts";
import { Spares } from "../../src/transactions/spares.ts";
import {
  type Connect,
  FLAG_NAMES,
  type ServerRef,
  type ServiceSink,
  type Transaction,
  type TransactionSink,
  type UnansweredReason,
  type UnmatchedReason,
} from "../../src/transactions/transaction.ts";

import { endsOf } from "../support/segments.ts";

/** A finished transaction, copied. */
export interface Told {
  readonly id: string;
  readonly command: string;
  readonly text: string;
  readonly key: string;
  readonly class: string;
  readonly error: string;
  readonly unanswered: string;
  readonly flags: readonly string[];
  readonly startUs: number;
  readonly endUs: number;
  /** latency, send, wait, receive, queue. */
  readonly times: readonly [number, number, number, number, number];
  readonly waitedUs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly retransmissions: number;
  readonly details: Details | null;
}

function copyOf(transaction: Transaction): Told {
  const { protocol, text, keyStart, keyEnd, textStart, textEnd } = transaction;
  const latin1 = (start: number, end: number) => Buffer.from(text.subarray(start, end)).toString("latin1");
  return {
    id: `${transaction.connectionId}-${transaction.requestNumber}`,
    command: protocol.commands[transaction.commandId] ?? "?",
    text: latin1(textStart, textEnd),
    key: latin1(keyStart, keyEnd),
    class: CLASS_NAMES[transaction.class],
    error: transaction.errorId === NO_ERROR ? "" : (protocol.errors[transaction.errorId] ?? "?"),
    unanswered: transaction.unanswered,
    flags: FLAG_NAMES.filter((_, bit) => (transaction.flags & (1 << bit)) !== 0),
    startUs: transaction.startUs,
    endUs: transaction.endUs,
    times: [transaction.latencyUs, transaction.sendUs, transaction.waitUs, transaction.receiveUs, transaction.queueUs],
    waitedUs: transaction.waitedUs,
    requestBytes: transaction.requestBytes,
    responseBytes: transaction.responseBytes,
    retransmissions: transaction.retransmissions,
    details: transaction.details,
  };
}

/** Writes down what the pairing stage tells. */
export class Ledger implements TransactionSink, ServiceSink {
  readonly toldFromUs: number;
  readonly notedFromUs: number;
  readonly begunOnes: Told[] = [];
  /** What was only counted: how many, by command id, wait, queue and the way to the server; and the bytes of all these. */
  readonly soon = new Map<string, number>();
  soonBytes = 0;
  readonly told: Told[] = [];
  readonly unfinishedReasons: UnansweredReason[] = [];
  readonly unmatchedReasons: UnmatchedReason[] = [];
  readonly unmatchedBytes: number[] = [];
  readonly pushedBytes: number[] = [];
  readonly parserErrors: string[] = [];
  readonly connects: Connect[] = [];
  requests = 0;
  noReply = 0;
  resyncs = 0;

  /** All are told, unless these say what is not. */
  constructor(toldFromUs = 0, notedFromUs = 0) {
    this.toldFromUs = toldFromUs;
    this.notedFromUs = notedFromUs;
  }

  connected(connect: Connect): void {
    this.connects.push(connect);
  }

  service(_server: ServerRef): ServiceSink {
    return this;
  }

  requested(_commandId: number, _requestBytes: number, hasReply: boolean, count: number): void {
    this.requests += count;
    if (!hasReply) this.noReply += count;
  }

  settledSilently(): void {
    this.noReply++;
  }

  begun(transaction: Transaction): void {
    this.begunOnes.push(copyOf(transaction));
  }

  answeredSoon(
    commandId: number,
    responseBytes: number,
    waitUs: number,
    queueUs: number,
    toServerUs: number,
    count: number,
  ): void {
    const times = `${commandId} ${waitUs} ${queueUs} ${toServerUs}`;
    this.soon.set(times, (this.soon.get(times) ?? 0) + count);
    this.soonBytes += responseBytes;
  }

  answered(transaction: Transaction): void {
    this.told.push(copyOf(transaction));
  }

  unanswered(transaction: Transaction): void {
    this.told.push(copyOf(transaction));
  }

  unfinished(reason: UnansweredReason): void {
    this.unfinishedReasons.push(reason);
  }

  unmatched(reason: UnmatchedReason, responseBytes: number): void {
    this.unmatchedReasons.push(reason);
    this.unmatchedBytes.push(responseBytes);
  }

  pushed(bytes: number): void {
    this.pushedBytes.push(bytes);
  }

  lookups(): void {}

  parserError(reason: string): void {
    this.parserErrors.push(reason);
  }

  resynced(): void {
    this.resyncs++;
  }
}

/** What a dialogue's conversation is given; all may be left out. */
export interface Circumstances {
  readonly handshake?: boolean;
  readonly port?: number;
  readonly selections?: readonly ProtocolSelection[];
  readonly protocols?: readonly Protocol[];
  readonly requestTimeoutUs?: number;
  readonly wantsText?: boolean;
  readonly wantsValues?: boolean;

  /** Shared by several connections. */
  readonly pool?: PendingPool;
  readonly ledger?: Ledger;
  readonly id?: number;
}

/** How a segment differs from the usual. */
export interface Oddity {
  /** Bytes at its end that were not captured. */
  readonly cut?: number;
  /** It acknowledges this many bytes fewer than the other side has sent. */
  readonly unread?: number;
  readonly wasHeld?: boolean;
  /** As in Piece. */
  readonly resentUs?: number;
  readonly missingPackets?: number;
}

function resentOf({ resentUs = 0, missingPackets = 0 }: Oddity): { resentUs: number; missingPackets: number } {
  return { resentUs, missingPackets };
}

/** One conversation, told segment by segment: sequence and acknowledgement numbers are kept as TCP would. */
export class Dialogue {
  readonly ledger: Ledger;
  readonly connection: Connection;
  readonly conversation: Conversation;
  readonly refused = { tls: 0, unknown_protocol: 0, unknown_udp: 0 };
  // Near the wrap, so that every longer dialogue crosses it.
  readonly #sent = { client: -100, server: 0x7fffffc0 };

  constructor(given: Circumstances = {}) {
    this.ledger = given.ledger ?? new Ledger();
    const servers = new ServerTable();
    const port = given.port ?? 6379;
    const { id = 1 } = given;
    this.connection = new Connection(id, endsOf(0x0a000001, 50_000, 0x0a000002, port), servers.other);
    this.connection.clientIsA = true;
    this.connection.hasHandshake = given.handshake ?? true;
    this.connection.fromA.isStarted = this.connection.hasHandshake;
    this.connection.fromB.isStarted = this.connection.hasHandshake;
    this.#note();
    const pool = given.pool ?? new PendingPool(true);
    this.conversation = new Conversation(
      {
        pool,
        sink: this.ledger,
        record: new TransactionRecord(pool),
        here: new Here(),
        wantsText: given.wantsText ?? true,
        wantsValues: given.wantsValues ?? false,
        pathDepth: Number.POSITIVE_INFINITY,
        selector: new ProtocolSelector(given.selections ?? [{ name: "auto", ports: [] }], given.protocols ?? PROTOCOLS),
        servers,
        requestTimeoutUs: given.requestTimeoutUs ?? 60_000_000,
        awake: new Awake(),
        spares: new Spares(),
        datagramSpares: new Spares(),
        openings: new OpeningRoom(),
        refused: this.refused,
      },
      this.connection,
    );
  }

  /** The client (or server) sends a segment; `text` is Latin-1. */
  client(timeUs: number, text: string, oddity: Oddity = {}): this {
    return this.#send(true, timeUs, text, oddity);
  }

  server(timeUs: number, text: string, oddity: Oddity = {}): this {
    return this.#send(false, timeUs, text, oddity);
  }

  #send(fromClient: boolean, timeUs: number, text: string, oddity: Oddity): this {
    const { cut = 0, unread = 0, wasHeld = false } = oddity;
    const [from, to] = fromClient ? (["client", "server"] as const) : (["server", "client"] as const);
    const bytes = Buffer.from(`..${text}.`, "latin1");
    const sequence = this.#sent[from];
    const acknowledged = (this.#sent[to] - unread) | 0;
    const end = bytes.length - 1;
    if (this.connection.isIgnored) return this;
    this.connection.lastUs = timeUs;
    const piece = {
      fromClient,
      bytes,
      start: 2,
      end: end - cut,
      cut,
      timeUs,
      sequence,
      acknowledgement: acknowledged,
      wasHeld,
    };
    this.conversation.data(Object.assign(new Piece(), piece, resentOf(oddity)));
    bytes.fill(0xee);
    this.#sent[from] = (sequence + text.length) | 0;
    this.#note();
    return this;
  }

  /** Bytes that were never captured. */
  clientLoses(missing: number): this {
    return this.#lose(true, missing);
  }

  serverLoses(missing: number): this {
    return this.#lose(false, missing);
  }

  #lose(fromClient: boolean, missing: number): this {
    const from = fromClient ? "client" : "server";
    this.#sent[from] = (this.#sent[from] + missing) | 0;
    this.conversation.gap(fromClient, missing, this.#sent[from]);
    this.#note();
    return this;
  }

  /** The last `length` bytes of a side are sent again. */
  again(fromClient: boolean, length: number, timeUs = 0): this {
    const sequence = ((fromClient ? this.#sent.client : this.#sent.server) - length) | 0;
    this.conversation.retransmitted({ fromClient, sequence, length, timeUs, isNeeded: true, isFast: false });
    return this;
  }

  /** What the connection stage would know: how far each side's bytes have been delivered and acknowledged. */
  #note(): void {
    const { fromA, fromB } = this.connection;
    fromA.next = this.#sent.client;
    fromB.next = this.#sent.server;
    fromA.acknowledged = this.#sent.server;
    fromA.hasAcknowledged = true;
  }

  /** The client acknowledges bytes of the server that nobody has seen. */
  clientHasRead(more: number): this {
    this.connection.fromA.acknowledged = (this.#sent.server + more) | 0;
    return this;
  }

  end(reason: EndReason): this {
    if (reason === "closed") this.conversation.serverFinished();
    this.conversation.ended(reason);
    return this;
  }

  get told(): readonly Told[] {
    return this.ledger.told;
  }

  /** One line per transaction: command, then the latency or why there is none. */
  get outcome(): string[] {
    return this.told.map((each) => `${each.text} ${each.unanswered === "" ? each.times[0] : each.unanswered}`);
  }
}

/** A command as clients send it. */
export function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** A bulk string of this many bytes. */
export function bulk(length: number): string {
  return `$${length}\r\n${"x".repeat(length)}\r\n`;
}
