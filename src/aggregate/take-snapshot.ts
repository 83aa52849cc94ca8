import { CLASS_NAMES, type Protocol, TransactionClass } from "../protocols/protocol.ts";
import { CAUSES } from "../transactions/shares.ts";
import { UNANSWERED_REASONS, UNMATCHED_REASONS } from "../transactions/transaction.ts";
import type { Counters } from "./counters.ts";
import { Histogram } from "./histogram.ts";
import type { CommandSeries, SeriesTable, ServerSeries, Service } from "./series.ts";
import type {
  BucketsSnapshot,
  ClassSnapshot,
  CommandSnapshot,
  HistogramSnapshot,
  ServerSnapshot,
  ServiceSnapshot,
  Snapshot,
  StageCounters,
} from "./snapshot.ts";

/** Copies every number of a run into a Snapshot. Its order depends on nothing but what it holds. */
export function takeSnapshot(table: SeriesTable, counters: Counters, stages: StageCounters): Snapshot {
  return {
    stages,
    cost: null,
    scripts: null,
    requests: counters.requests,
    responses: counters.responses,
    servers: table.servers.filter((server) => server !== null).map(serverSnapshot),
    parsers: counters.parsers.toSorted(byProtocol).map((parser) => ({
      protocol: parser.protocol.name,
      resyncs: parser.resyncs,
      errors: Object.fromEntries([...parser.errors].sort(([a], [b]) => (a < b ? -1 : 1))),
    })),
    seriesLimited: { server: stages.serversLimited, command: table.commandsLimited },
  };
}

function byProtocol(a: { readonly protocol: Protocol }, b: { readonly protocol: Protocol }): number {
  return a.protocol.name < b.protocol.name ? -1 : 1;
}

function serverSnapshot(series: ServerSeries): ServerSnapshot {
  const latency = new Histogram();
  for (const service of series.services) {
    for (const command of service.commands) {
      const normal = command.classes[TransactionClass.normal];
      if (normal) latency.merge(normal.latency);
    }
  }
  return {
    server: { id: series.server.id, text: series.server.text },
    side: series.side,
    latency: histogramSnapshot(latency),
    roundTrip: histogramSnapshot(series.roundTrip),
    connect: histogramSnapshot(series.connect),
    services: series.services.toSorted(byProtocol).map(serviceSnapshot),
  };
}

function serviceSnapshot(service: Service): ServiceSnapshot {
  const commands = service.commands.map((command) => commandSnapshot(service, command)).toSorted(busiestFirst);
  const classes = commands.flatMap((command) => command.classes);
  const errors: Record<string, number> = {};
  service.protocol.errors.forEach((word, errorId) => {
    const count = service.errors[errorId]!;
    if (count > 0) errors[word] = count;
  });
  return {
    protocol: service.protocol.name,
    requests: commands.reduce((all, command) => all + command.requests, 0),
    answered: classes.reduce((all, { ok, errors }) => all + ok + errors, 0),
    noReply: service.noReply,
    pending: service.pending,
    unanswered: byName(UNANSWERED_REASONS, service.unanswered),
    unfinished: byName(UNANSWERED_REASONS, service.unfinished),
    unmatched: byName(UNMATCHED_REASONS, service.unmatched),
    pushes: service.pushes,
    requestBytes: service.requestBytes,
    responseBytes: service.responseBytes,
    pushBytes: service.pushBytes,
    unmatchedBytes: service.unmatchedBytes,
    slow: byName(CAUSES, service.slow),
    lostUs: byName(CAUSES, service.lostUs),
    ofUnknownWay: service.ofUnknownWay,
    hits: service.hits,
    misses: service.misses,
    errors,
    wait: waits(service, classes),
    commands,
  };
}

/** In the same order however many workers counted them. */
function busiestFirst(a: CommandSnapshot, b: CommandSnapshot): number {
  return b.requests - a.requests || (a.command < b.command ? -1 : 1);
}

function commandSnapshot(service: Service, command: CommandSeries): CommandSnapshot {
  const classes: ClassSnapshot[] = [];
  command.classes.forEach((series, index) => {
    if (!series) return;
    const latency = histogramSnapshot(series.latency);
    classes.push({ class: CLASS_NAMES[index]!, ok: series.ok, errors: series.errors, latency });
  });
  return { command: service.protocol.commands[command.commandId]!, requests: command.requests, classes };
}

const NORMAL = CLASS_NAMES[TransactionClass.normal];

/** The latencies of class normal, and what moves them. */
function waits({ toWaits }: Service, classes: readonly ClassSnapshot[]): BucketsSnapshot {
  const buckets = Array.from(toWaits.buckets);
  let { sumUs } = toWaits;
  let count = 0;
  for (const { class: name, latency } of classes) {
    if (name !== NORMAL) continue;
    latency.buckets.forEach((of, i) => {
      buckets[i]! += of;
    });
    sumUs += latency.sumUs;
    count += latency.count;
  }
  return { count, sumUs, buckets };
}

const QUANTILES = [0.5, 0.9, 0.99, 0.999];

function histogramSnapshot(histogram: Histogram): HistogramSnapshot {
  const { sumUs, buckets } = histogram;
  const count = buckets.reduce((all, of) => all + of, 0);
  const [p50Us, p90Us, p99Us, p999Us] = histogram.quantiles(QUANTILES, count);
  const { maxUs } = histogram;
  return { count, sumUs, buckets, maxUs, p50Us: p50Us!, p90Us: p90Us!, p99Us: p99Us!, p999Us: p999Us! };
}

function byName<Name extends string>(names: readonly Name[], counts: Float64Array): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, counts[index]!])) as Record<Name, number>;
}
