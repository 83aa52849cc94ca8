import type { CaptureDrops } from "../capture/frame-source.ts";
import type { CostCounters } from "../cost/meter.ts";
import type { Cause } from "../transactions/shares.ts";
import type { ServerRef, Side, UnansweredReason, UnmatchedReason } from "../transactions/transaction.ts";

/** What the stages left of this one counted; the pipeline fills it in for each snapshot. */
export interface StageCounters {
  readonly capture: CaptureCounters;
  readonly connections: ConnectionCounters;
  readonly sampling: SamplingCounters;
  /** Servers with at least one connection. */
  readonly tcp: readonly TcpCounters[];
  /** Servers that share "other" because the limit of servers was reached. */
  readonly serversLimited: number;
  /** Requests in flight as the pairing stage itself holds them, or null: lets `identities` check ours. */
  readonly pendingRequests: number | null;
  /** By output, e.g. `{ stdout: 0 }`: records that were not written because nobody read them in time. */
  readonly recordsDropped: Readonly<Record<string, number>>;
  /** Records that were to be told but for `--filter`. */
  readonly filtered: number;
}

/** One source of frames. frames = decoded + skipped, always. */
export interface CaptureCounters {
  /** The interface's or file's name as the user wrote it. */
  readonly interface: string;
  readonly isUp: boolean;
  readonly frames: number;
  readonly decoded: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Never seen by us, hence not among `frames`. */
  readonly dropped: CaptureDrops;
  readonly duplicates: number;
  readonly truncated: number;
  /** How far the last batch lay behind the clock, or null for a file. */
  readonly lagUs: number | null;
  readonly clockRegressions: number;
  /** How many batches the frames came in, and the largest; null for a file, where that may differ from run to run. */
  readonly batches: { readonly count: number; readonly framesMax: number } | null;
}

/** `--max-cpu`: what is not analysed. The connections are among `notAnalysed`, as `sampled`. */
export interface SamplingCounters {
  /** The share of the connections that is analysed now, (0..1]. */
  readonly ratio: number;
  readonly segmentsOutside: number;
}

export interface ConnectionCounters {
  readonly now: number;
  readonly total: { readonly syn: number; readonly midstream: number; readonly udp: number };
  readonly evicted: number;
  /** Connections whose bytes are not parsed, by reason, e.g. `tls`, `unknown_protocol`. */
  readonly notAnalysed: Readonly<Record<string, number>>;
}

export interface TcpCounters {
  readonly server: ServerRef;
  readonly retransmittedSegments: number;
  readonly outOfOrderSegments: number;
  readonly gaps: number;
  readonly gapBytes: number;
  readonly zeroWindows: number;
}

/** Every number of a run at one moment: plain, complete, and no longer changing. */
export interface Snapshot {
  readonly stages: StageCounters;
  /** What this process costs; null where that is not measured, or is not to be told because it is never the same twice. */
  readonly cost: CostCounters | null;
  /** `-S`; null where there are no scripts. */
  readonly scripts: ScriptCounters | null;
  /** Counted as they came, apart from the parts that must add up to them (`identities`). */
  readonly requests: number;
  readonly responses: number;
  /** In the order of their ids. */
  readonly servers: readonly ServerSnapshot[];
  /** By protocol. */
  readonly parsers: readonly ParserSnapshot[];
  /** Label values that were refused a series of their own, by label. */
  readonly seriesLimited: { readonly server: number; readonly command: number };
}

/** What scripts were given, and what became of it. */
export interface ScriptCounters {
  readonly isRunning: boolean;
  /** Calls of their functions. */
  readonly calls: { readonly packet: number; readonly transaction: number; readonly tick: number };
  readonly errors: number;
  /** What passed them by because they were too slow, or had been stopped. */
  readonly skipped: { readonly frames: number; readonly transactions: number };
}

export interface ServerSnapshot {
  readonly server: ServerRef;
  readonly side: Side | null;
  /** Class normal, all commands and protocols. */
  readonly latency: HistogramSnapshot;
  /** Between the capture and the other end and back; and how long clients took to connect. */
  readonly roundTrip: HistogramSnapshot;
  readonly connect: HistogramSnapshot;
  readonly services: readonly ServiceSnapshot[];
}

/** One server in one protocol. */
export interface ServiceSnapshot {
  readonly protocol: string;
  readonly requests: number;
  readonly answered: number;
  readonly noReply: number;
  readonly pending: number;
  readonly unanswered: Readonly<Record<UnansweredReason, number>>;
  /** Requests of which a part was never sent, by why their connection ended; in none of the numbers above. */
  readonly unfinished: Readonly<Record<UnansweredReason, number>>;
  readonly unmatched: Readonly<Record<UnmatchedReason, number>>;
  readonly pushes: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly pushBytes: number;
  readonly unmatchedBytes: number;
  /** Slow requests by cause; and what the answered ones of class normal took, by share, in µs. */
  readonly slow: Readonly<Record<Cause, number>>;
  readonly lostUs: Readonly<Record<Cause, number>>;
  /** Of these, those of which the way to the server was not known, so that nobody knows the server's share. */
  readonly ofUnknownWay: number;
  readonly hits: number;
  readonly misses: number;
  /** Error responses by first word; only those that occurred. */
  readonly errors: Readonly<Record<string, number>>;
  readonly wait: BucketsSnapshot;
  readonly commands: readonly CommandSnapshot[];
}

export interface CommandSnapshot {
  readonly command: string;
  readonly requests: number;
  /** Only classes in which something was answered. */
  readonly classes: readonly ClassSnapshot[];
}

export interface ClassSnapshot {
  /** One of CLASS_NAMES. */
  readonly class: string;
  readonly ok: number;
  readonly errors: number;
  /** May hold fewer than ok + errors: answers with the flag clock_skew have no time. */
  readonly latency: HistogramSnapshot;
}

export interface BucketsSnapshot {
  readonly count: number;
  readonly sumUs: number;
  /** Per bucket of BUCKET_BOUNDS_US and one beyond, not cumulative. */
  readonly buckets: readonly number[];
}

export interface HistogramSnapshot extends BucketsSnapshot {
  readonly maxUs: number;
  /** NaN when empty. */
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** One protocol's parsers, over all servers. */
export interface ParserSnapshot {
  readonly protocol: string;
  readonly resyncs: number;
  readonly errors: Readonly<Record<string, number>>;
}
