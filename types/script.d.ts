/**
 * What a script for `tcplat -S FILE.mjs` may export, and what its functions are given. All are optional:
 *
 *     import type { Packet, Transaction } from "tcplat/script";
 *
 *     export function packet(p: Packet) { … }
 *     export function transaction(t: Transaction) { … }
 *     export function tick(now: Tick) { … }
 *     export async function end() { … }
 */

/** A TCP segment or a UDP datagram, as it was captured. One object, reused: copy what must outlive the call. */
export interface Packet {
  readonly protocol: "tcp" | "udp";
  /** Microseconds since the epoch, and the same in two parts. */
  readonly time_us: number;
  readonly tv_sec: number;
  readonly tv_usec: number;
  /** Source and destination, as `192.168.0.1` or `2001:db8::1`. */
  readonly sip: string;
  readonly sport: number;
  readonly dip: string;
  readonly dport: number;
  /** 0 to 2^32 - 1; these four are null for UDP. */
  readonly seq: number | null;
  readonly ack: number | null;
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16: their sum. */
  readonly flags: number | null;
  readonly window: number | null;
  /** The payload's captured bytes, and how many they are. */
  readonly payload: Uint8Array;
  readonly size: number;
  /** Payload bytes on the wire: more than `size` where the snaplen cut. */
  readonly length: number;
}

/** A finished transaction: the record that `--json` prints. */
export interface Transaction {
  readonly type: "transaction";
  readonly id: string;
  readonly protocol: string;
  readonly class: "normal" | "blocking" | "queued" | "connect" | "stream";
  readonly side: "client" | "server" | "local" | "transit";
  readonly client: string;
  readonly server: string;
  readonly command: string;
  readonly key: string | null;
  readonly summary: string;
  readonly status: "ok" | "error" | "unanswered";
  readonly error: string | null;
  readonly start: string;
  /** Null, as are the times, where there was no answer. */
  readonly end: string | null;
  readonly latency_us: number | null;
  readonly send_us: number | null;
  readonly wait_us: number | null;
  readonly receive_us: number | null;
  readonly queue_us: number | null;
  readonly retransmit_us: number | null;
  readonly rtt_us: number | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly request_seq: number;
  readonly response_seq: number | null;
  readonly server_us: number | null;
  readonly zero_window_us: number | null;
  /** The largest part of the latency; "unknown", too, where there was no answer. */
  readonly cause: string;
  readonly cause_us: number | null;
  /** What was sent again of it, or null. */
  readonly retransmission: {
    readonly direction: "request" | "response";
    readonly by: "timeout" | "fast";
    readonly times: number;
  } | null;
  /** The request that it waited for most, or null. */
  readonly behind: {
    readonly id: string;
    readonly command: string;
    readonly us: number;
    /** It was on another connection. */
    readonly elsewhere?: true;
  } | null;
  readonly flags: readonly string[];
  /** With `--details`: the fields of both messages, in their order. */
  readonly details?: Readonly<
    Record<"request" | "response", readonly (readonly [name: string, value: string | number])[]>
  >;
}

/** Every number of the run so far, once a second. */
export interface Tick {
  /** Microseconds since the epoch: the clock of the capture. */
  readonly time_us: number;
  /** The counters of the summary that `--json` ends with, by the same names. */
  readonly counters: Readonly<Record<string, number | string>>;
  /** The document of the stats port: by server. */
  readonly servers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A script's exports. What a function returns is not looked at, but a promise that is rejected counts as an error. */
export interface Script {
  packet?(packet: Packet): void;
  transaction?(transaction: Transaction): void | Promise<void>;
  tick?(tick: Tick): void | Promise<void>;
  /** After the last of them; tcplat waits some seconds for the promise. */
  end?(): void | Promise<void>;
}
