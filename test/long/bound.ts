import { identities, totals } from "../../src/aggregate/counters.ts";
import type { Snapshot } from "../../src/aggregate/snapshot.ts";
import { END_OF_FRAMES } from "../../src/capture/frame-source.ts";
import type { Options } from "../../src/options.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { OPTIONS } from "../properties/run.ts";
import { GeneratedSource, type Scenario } from "./wire.ts";

/** Something that a stranger may do to a capture, and what must come of it. */
export interface Bound {
  readonly name: string;
  readonly frames: Scenario;
  readonly options?: Partial<Options>;
  /** Figures that must come out exactly. */
  readonly expected: Readonly<Record<string, number>>;
  /** Longest average time a frame may take, µs, some ten times the usual one; 50 unless told. */
  readonly frameUs?: number;
}

/** What a bound came to. `connections` are those open before the end. */
export interface Figures {
  readonly peakRssMb: number;
  readonly frames: number;
  readonly seconds: number;
  /** Of one batch (1 MB of frames): the slowest, in ms. */
  readonly slowestBatchMs: number;
  readonly violations: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs one through the real pipeline, with an output that wants the text, as in a process that prints. */
export function measure(bound: Bound): Figures {
  const source = new GeneratedSource(bound.frames);
  let printed = 0;
  const output = { transaction: (): void => void printed++ };
  const pipeline = new Pipeline({ ...OPTIONS, ...bound.options }, source, [output], () => ({}));
  let busyMs = 0;
  let slowestBatchMs = 0;
  let heldBytes = 0;
  const timed = (work: () => void): void => {
    const began = performance.now();
    work();
    const took = performance.now() - began;
    busyMs += took;
    slowestBatchMs = Math.max(slowestBatchMs, took);
  };
  for (let length = source.read(); length !== END_OF_FRAMES; length = source.read()) {
    timed(() => void pipeline.consume(source.batch, length, Number.POSITIVE_INFINITY));
    heldBytes = Math.max(heldBytes, pipeline.table.reassembly.heldBytes);
  }
  const before = pipeline.snapshot();
  timed(() => pipeline.finish());
  const after = pipeline.snapshot();
  return {
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    frames: pipeline.frames,
    seconds: busyMs / 1000,
    slowestBatchMs,
    violations: [...identities(before), ...identities(after)],
    counts: {
      ...countsOf(before, after),
      printed,
      heldBytes,
      forcedGaps: pipeline.table.reassembly.forcedGaps,
      stillHeld: pipeline.table.reassembly.heldBytes,
    },
  };
}

function countsOf(before: Snapshot, after: Snapshot): Record<string, number> {
  const all = totals(after);
  const counts: Record<string, number> = {
    connections: before.stages.connections.now,
    "connections.syn": after.stages.connections.total.syn,
    "connections.midstream": after.stages.connections.total.midstream,
    evicted: after.stages.connections.evicted,
    duplicates: after.stages.capture.duplicates,
    requests: after.requests,
    responses: after.responses,
    ...all,
    servers: after.stages.tcp.length,
    "limited.server": after.seriesLimited.server,
    gaps: after.stages.tcp.reduce((sum, server) => sum + server.gaps, 0),
    outOfOrder: after.stages.tcp.reduce((sum, server) => sum + server.outOfOrderSegments, 0),
    retransmitted: after.stages.tcp.reduce((sum, server) => sum + server.retransmittedSegments, 0),
  };
  const add = (prefix: string, parts: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(parts)) {
      counts[`${prefix}.${name}`] = (counts[`${prefix}.${name}`] ?? 0) + count;
    }
  };
  for (const service of after.servers.flatMap((server) => server.services)) {
    add("unanswered", service.unanswered);
    add("unmatched", service.unmatched);
  }
  for (const parser of after.parsers) add("parserErrors", parser.errors);
  return counts;
}
