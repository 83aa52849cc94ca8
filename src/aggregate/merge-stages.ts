import type { CaptureCounters, StageCounters, TcpCounters } from "./snapshot.ts";

/**
 * The sum of what the stages of several pipelines counted. `sawAll`: each has seen all frames (of a file), and decoded those
 * of its own connections; otherwise each has seen its own frames.
 */
export function mergeStages(
  parts: readonly StageCounters[],
  sawAll: boolean,
  recordsDropped: Readonly<Record<string, number>>,
): StageCounters {
  const first = parts[0]!;
  const connections = parts.map((part) => part.connections);
  return {
    ...first,
    capture: mergeCaptures(
      parts.map((part) => part.capture),
      sawAll,
    ),
    connections: {
      now: sum(connections.map(({ now }) => now)),
      total: {
        syn: sum(connections.map(({ total }) => total.syn)),
        midstream: sum(connections.map(({ total }) => total.midstream)),
        udp: sum(connections.map(({ total }) => total.udp)),
      },
      evicted: sum(connections.map(({ evicted }) => evicted)),
      notAnalysed: addUp(connections.map(({ notAnalysed }) => notAnalysed)),
    },
    sampling: {
      ratio: Math.min(...parts.map(({ sampling }) => sampling.ratio)),
      segmentsOutside: sum(parts.map(({ sampling }) => sampling.segmentsOutside)),
    },
    tcp: mergeTcp(parts.flatMap(({ tcp }) => tcp)),
    serversLimited: sum(parts.map(({ serversLimited }) => serversLimited)),
    recordsDropped: addUp([recordsDropped, ...parts.map((part) => part.recordsDropped)]),
    filtered: sum(parts.map(({ filtered }) => filtered)),
  };
}

function mergeCaptures(parts: readonly CaptureCounters[], sawAll: boolean): CaptureCounters {
  const first = parts[0]!;
  const dropped = parts.map((part) => part.dropped);
  const batches = parts.map((part) => part.batches).filter((of) => of !== null);
  return {
    interface: first.interface,
    isUp: parts.every(({ isUp }) => isUp),
    frames: sawAll ? first.frames : sum(parts.map(({ frames }) => frames)),
    decoded: sum(parts.map(({ decoded }) => decoded)),
    skipped: addUp(parts.map(({ skipped }) => skipped)),
    dropped: {
      kernel: sum(dropped.map(({ kernel }) => kernel)),
      // The interface's own counter, which each of them has read.
      interface: Math.max(...dropped.map((of) => of.interface)),
      engine: sum(dropped.map(({ engine }) => engine)),
    },
    duplicates: sum(parts.map(({ duplicates }) => duplicates)),
    truncated: sum(parts.map(({ truncated }) => truncated)),
    lagUs: sawAll ? null : Math.max(...parts.map(({ lagUs }) => lagUs ?? 0)),
    clockRegressions: sawAll ? first.clockRegressions : sum(parts.map(({ clockRegressions }) => clockRegressions)),
    batches: sawAll
      ? null
      : {
          count: sum(batches.map(({ count }) => count)),
          framesMax: Math.max(0, ...batches.map(({ framesMax }) => framesMax)),
        },
  };
}

/** By server, in the order of their ids. */
function mergeTcp(all: readonly TcpCounters[]): TcpCounters[] {
  const byId = new Map<number, TcpCounters>();
  for (const tcp of all) {
    const known = byId.get(tcp.server.id);
    byId.set(tcp.server.id, known === undefined ? tcp : addTcp(known, tcp));
  }
  return [...byId.values()].sort((a, b) => a.server.id - b.server.id);
}

function addTcp(a: TcpCounters, b: TcpCounters): TcpCounters {
  return {
    server: a.server,
    retransmittedSegments: a.retransmittedSegments + b.retransmittedSegments,
    outOfOrderSegments: a.outOfOrderSegments + b.outOfOrderSegments,
    gaps: a.gaps + b.gaps,
    gapBytes: a.gapBytes + b.gapBytes,
    zeroWindows: a.zeroWindows + b.zeroWindows,
  };
}

function addUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
