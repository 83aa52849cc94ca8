import type { Protocol, TransactionClass } from "../protocols/protocol.ts";
import type { Behind } from "./ahead.ts";
import type { Details } from "./details.ts";

/** Bits of `Transaction.flags`; FLAG_NAMES has them as the JSON record spells them, by bit position. */
export const Flag = {
  pipelined: 1,
  midstream: 2,
  gap: 4,
  outOfOrder: 8,
  retransmission: 16,
  truncated: 32,
  clockSkew: 64,
  behindBlocking: 128,
} as const;
export const FLAG_NAMES = [
  "pipelined",
  "midstream",
  "gap",
  "out_of_order",
  "retransmission",
  "truncated",
  "clock_skew",
  "behind_blocking",
] as const;

/** Why a request ended without a response. */
export const UNANSWERED_REASONS = ["closed", "reset", "timeout", "gap", "evicted", "end"] as const;
export type UnansweredReason = (typeof UNANSWERED_REASONS)[number];

/** Why a response belongs to no request: none was pending, the request's bytes are missing, its time-out had passed, nobody asked for the error line, or its connection is leaving the sample. */
export const UNMATCHED_REASONS = ["no_request", "gap", "late", "noreply", "sampled"] as const;
export type UnmatchedReason = (typeof UNMATCHED_REASONS)[number];

/** Where tcplat's host stands, seen from the connection. */
export const SIDE_NAMES = ["client", "server", "local", "transit"] as const;
export type Side = (typeof SIDE_NAMES)[number];

/** Longest text kept of a request, in bytes; more is cut. */
export const TEXT_CAPACITY = 128;

/** One end of a connection. */
export interface Endpoint {
  /** `192.168.0.1:51137` or `[2001:db8::1]:6379`: made once per endpoint, never per transaction. */
  readonly text: string;
}

/** A server, as every stage from here on knows it. Ids are small, dense, and never reused; 0 is the shared "other". */
export interface ServerRef {
  readonly id: number;
  /** The endpoint's text, or "other". */
  readonly text: string;
}

/**
 * A finished transaction. One record, reused for all: copy what must outlive the call.
 * All times are whole microseconds (since the epoch, or durations).
 */
export interface Transaction {
  readonly protocol: Protocol;
  readonly connectionId: number;
  /** From 1, per connection: the JSON record's `id` is `connectionId-requestNumber`. */
  readonly requestNumber: number;
  readonly client: Endpoint;
  readonly serverEndpoint: Endpoint;
  readonly server: ServerRef;
  readonly side: Side;
  readonly class: TransactionClass;
  readonly commandId: number;
  /** NO_ERROR, or an index into protocol.errors. */
  readonly errorId: number;
  readonly flags: number;
  /** The reason, or "" where there was a response. Then endUs and the durations are NaN. */
  readonly unanswered: UnansweredReason | "";
  readonly startUs: number;
  readonly endUs: number;
  readonly latencyUs: number;
  readonly sendUs: number;
  readonly waitUs: number;
  readonly receiveUs: number;
  readonly queueUs: number;
  /** For an unanswered one: how long it had waited when it was given up. */
  readonly waitedUs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** TCP sequence numbers (u32) of the request's and the response's first byte; null where no response was seen to begin. */
  readonly requestSequence: number;
  readonly responseSequence: number | null;
  /** Segments of its bytes that were sent again while it ran, and how: bits of `Resend`. */
  readonly retransmissions: number;
  readonly resends: number;
  /** What it lost to segments that were sent again, of the request and of the response. */
  readonly resentRequestUs: number;
  readonly resentResponseUs: number;
  /** The request that it waited for most, or null. */
  readonly behind: Behind | null;
  /** How long a receive window was closed meanwhile. */
  readonly zeroWindowUs: number;
  /** This connection's round trip as its side tells it, or null while unknown; and from here to the server and back: 0 where that is this host, -1 while unknown. */
  readonly rttUs: number | null;
  readonly toServerUs: number;
  /** The fields of both messages, with --details; null without, or where the protocol tells of none. */
  readonly details: Details | null;
  /** The request's words: text[textStart, textEnd), raw bytes from the wire (escape them on output). */
  readonly text: Uint8Array;
  readonly textStart: number;
  readonly textEnd: number;
  /** The first key within `text`; equal where there is none. */
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** A connection that was made, and told with its first message. Valid until the call returns it was told in. Times in whole µs. */
export interface Connect {
  readonly connectionId: number;
  readonly client: Endpoint;
  readonly serverEndpoint: Endpoint;
  readonly server: ServerRef;
  readonly side: Side;
  /** The protocol's name, or "tls". */
  readonly protocol: string;
  /** Since the epoch: the client's last segment of the handshake. */
  readonly endUs: number;
  /** From the first SYN on. */
  readonly latencyUs: number;
  readonly synRetransmissions: number;
  /** Null where a segment of the handshake was sent again: then nobody knows which copy was answered. */
  readonly rttUs: number | null;
}

/** Where the pairing stage tells what it found. */
export interface TransactionSink {
  connected(connect: Connect): void;
  /** Who counts for this server in this protocol: asked for once per connection. */
  service(server: ServerRef, protocol: Protocol): ServiceSink;
}

/** What the pairing stage tells of one server in one protocol. Plain calls, in the order things happened. */
export interface ServiceSink {
  /** `count` requests, of so many bytes in all, are complete (pending from here on, unless `hasReply` is false: then no_reply ones). */
  requested(commandId: number, requestBytes: number, hasReply: boolean, count: number): void;
  /** A pending request turned out to need no reply (a quiet command). */
  settledSilently(): void;
  /** The response of a pending request has begun and goes on: it ends as if it ended now. */
  begun(transaction: Transaction): void;
  /** A pending request and its response. */
  answered(transaction: Transaction): void;
  /** Ordinary ones (`Teller`) that took less are only counted, by `answeredSoon`: at most 2^30 µs. */
  readonly toldFromUs: number;
  /** And those of which the wait was not for others before it for so long are told, too. */
  readonly notedFromUs: number;
  /**
   * `count` pending requests of class normal and their responses, of so many bytes in all, without error, none in more than one
   * piece. Times are small integers, the same for each: the wait, the part of it until the response before had ended, and the way to
   * the server and back (-1: unknown).
   */
  answeredSoon(
    commandId: number,
    responseBytes: number,
    waitUs: number,
    queueUs: number,
    toServerUs: number,
    count: number,
  ): void;
  /** A pending request that ended without a response; `transaction.unanswered` says why. */
  unanswered(transaction: Transaction): void;
  /** The connection ended, for this reason, with a request of which the last bytes had not come: it is none of `requested`. */
  unfinished(reason: UnansweredReason): void;
  /** A response with no request. */
  unmatched(reason: UnmatchedReason, responseBytes: number): void;
  /** A message nobody asked for. */
  pushed(bytes: number): void;
  lookups(hits: number, misses: number): void;
  /** Bytes that cannot be the protocol's: `reason` is a short label. */
  parserError(reason: string): void;
  /** Pairing was lost and has been taken up again at a provable boundary. */
  resynced(): void;
}
