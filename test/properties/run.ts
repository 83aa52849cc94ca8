import { identities } from "../../src/aggregate/counters.ts";
import type { CaptureDrops, FrameSource } from "../../src/capture/frame-source.ts";
import { END_OF_FRAMES } from "../../src/capture/frame-source.ts";
import type { Options } from "../../src/options.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { NO_ERROR } from "../../src/protocols/protocol.ts";
import { Flag, type Transaction } from "../../src/transactions/transaction.ts";
import { batchOf, ETHERNET, type TestSegment, type Wire } from "../support/segments.ts";

export const OPTIONS: Options = {
  interface: "any",
  read: "memory",
  write: null,
  protocols: [{ name: "auto", ports: [] }],
  thresholdUs: null,
  condition: null,
  raw: null,
  count: null,
  snaplen: 65535,
  bufferKib: 65536,
  statsPort: 0,
  statsHost: "127.0.0.1",
  metricsPort: 0,
  metricsHost: "127.0.0.1",
  vlan: false,
  json: false,
  quiet: false,
  engine: "libpcap",
  side: "auto",
  servers: [],
  details: false,
  showValues: false,
  scripts: [],
  httpPathDepth: null,
  dumpSlow: null,
  report: null,
  idleTimeoutUs: 300_000_000,
  requestTimeoutUs: 60_000_000,
  maxConnections: 100_000,
  workers: 1,
  maxCpuPercent: null,
  filter: "",
};

/** Frames in memory, one batch a read, as the contract of a source has it. */
export class MemorySource implements FrameSource {
  readonly name = "memory";
  readonly engine = "libpcap";
  readonly isLive = false;
  readonly clock = "file";
  readonly snaplen = 65535;
  readonly isUp = true;
  readonly warning = null;
  readonly linkType: number;
  readonly layout = "records";
  readonly batchStart = 0;
  batch: Uint8Array = new Uint8Array(0);
  readonly #batches: Uint8Array[];

  constructor(batches: readonly Uint8Array[], linkType: number) {
    this.#batches = [...batches];
    this.linkType = linkType;
  }

  read(): number {
    const next = this.#batches.shift();
    if (next === undefined) return END_OF_FRAMES;
    this.batch = next;
    return next.length;
  }

  waitForFrames(): Promise<void> {
    return Promise.resolve();
  }

  wake(): void {}

  drops(): CaptureDrops {
    return { kernel: 0, interface: 0, engine: 0 };
  }

  close(): void {
    this.#batches.length = 0;
  }
}

/** A finished transaction as a test compares it. */
export interface Finished {
  readonly id: string;
  readonly text: string;
  readonly unanswered: string;
  readonly isError: boolean;
  readonly startUs: number;
  readonly endUs: number;
  readonly latencyUs: number;
  readonly sendUs: number;
  readonly waitUs: number;
  readonly receiveUs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly flags: number;
}

export interface Result {
  readonly finished: readonly Finished[];
  readonly answered: readonly Finished[];
  readonly unanswered: readonly Finished[];
  readonly violations: readonly string[];
  readonly requests: number;
  readonly pipeline: Pipeline;
}

export interface RunOptions {
  readonly wire?: Wire;
  readonly snaplen?: number;
  readonly options?: Partial<Options>;
  /** Look at the identities after every frame, rather than at the end alone. */
  readonly checksEveryFrame?: boolean;
  /** Called before each batch, which is a frame with `checksEveryFrame`. */
  readonly meanwhile?: (pipeline: Pipeline, index: number) => void;
}

function copied(of: Transaction): Finished {
  return {
    id: `${of.connectionId}-${of.requestNumber}`,
    text: Buffer.from(of.text.subarray(of.textStart, of.textEnd)).toString("latin1"),
    unanswered: of.unanswered,
    isError: of.errorId !== NO_ERROR,
    startUs: of.startUs,
    endUs: of.endUs,
    latencyUs: of.latencyUs,
    sendUs: of.sendUs,
    waitUs: of.waitUs,
    receiveUs: of.receiveUs,
    requestBytes: of.requestBytes,
    responseBytes: of.responseBytes,
    flags: of.flags,
  };
}

/** The whole pipeline over these segments. */
export function runSegments(segments: readonly TestSegment[], how: RunOptions = {}): Result {
  const wire = how.wire ?? ETHERNET;
  const isEach = how.checksEveryFrame ?? false;
  const batches = isEach
    ? segments.map((segment) => batchOf([segment], wire, how.snaplen))
    : [batchOf(segments, wire, how.snaplen)];
  return runBatches(batches, wire.linkType, how.options, how.meanwhile);
}

/** The whole pipeline over these batches, with the identities looked at after each. */
export function runBatches(
  batches: readonly Uint8Array[],
  linkType: number,
  options: Partial<Options> = {},
  meanwhile: (pipeline: Pipeline, index: number) => void = () => {},
): Result {
  const source = new MemorySource(batches, linkType);
  const finished: Finished[] = [];
  const output = { transaction: (of: Transaction): void => void finished.push(copied(of)) };
  const pipeline = new Pipeline({ ...OPTIONS, ...options }, source, [output], () => ({}));
  const violations: string[] = [];
  let index = 0;
  for (let length = source.read(); length !== END_OF_FRAMES; length = source.read()) {
    meanwhile(pipeline, index++);
    pipeline.consume(source.batch, length, Number.POSITIVE_INFINITY);
    violations.push(...identities(pipeline.snapshot()));
  }
  pipeline.finish();
  const snapshot = pipeline.snapshot();
  if (pipeline.requestsHeld > 0) violations.push(`${pipeline.requestsHeld} requests still take up room at the end`);
  violations.push(...identities(snapshot));
  return {
    finished,
    answered: finished.filter((one) => one.unanswered === ""),
    unanswered: finished.filter((one) => one.unanswered !== ""),
    violations,
    requests: snapshot.requests,
    pipeline,
  };
}

/** Flags that say why a record's byte counts or text are not the request's or response's own. */
export const PARTIAL = Flag.gap | Flag.truncated;
