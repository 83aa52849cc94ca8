import type { Protocol } from "../protocols/protocol.ts";
import type { ServerRef, Side } from "../transactions/transaction.ts";
import { Counters } from "./counters.ts";
import type { BucketCounts, HistogramCounts } from "./histogram.ts";
import { type CommandSeries, SeriesTable, type Service } from "./series.ts";
import type { Snapshot, StageCounters } from "./snapshot.ts";
import { takeSnapshot } from "./take-snapshot.ts";

/** Counts of a service that are simply added up. */
const COUNTS = [
  "noReply",
  "pending",
  "requestBytes",
  "responseBytes",
  "pushes",
  "pushBytes",
  "unmatchedBytes",
  "hits",
  "misses",
  "ofUnknownWay",
] as const satisfies readonly (keyof Service)[];

/** Every number of an aggregate, whole histograms included: plain data that can be sent to another thread, and added up. */
export interface AggregateState {
  readonly requests: number;
  readonly responses: number;
  readonly commandsLimited: number;
  readonly servers: readonly ServerState[];
  readonly parsers: readonly {
    readonly protocol: string;
    readonly resyncs: number;
    readonly errors: readonly (readonly [string, number])[];
  }[];
}

interface ServerState {
  readonly server: ServerRef;
  readonly side: Side | null;
  readonly services: readonly ServiceState[];
  readonly roundTrip: HistogramCounts;
  readonly connect: HistogramCounts;
}

interface ServiceState {
  readonly protocol: string;
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>>;
  readonly toWaits: BucketCounts;
  readonly unanswered: Float64Array;
  readonly unfinished: Float64Array;
  readonly unmatched: Float64Array;
  readonly errors: Float64Array;
  readonly slow: Float64Array;
  readonly lostUs: Float64Array;
  readonly commands: readonly CommandState[];
}

interface CommandState {
  readonly commandId: number;
  readonly requests: number;
  /** By class. */
  readonly classes: readonly ({
    readonly ok: number;
    readonly errors: number;
    readonly latency: HistogramCounts;
  } | null)[];
}

/** What an aggregate holds. Shares its typed arrays: to be sent, or added up, at once. */
export function takeState(table: SeriesTable, counters: Counters): AggregateState {
  const servers = table.servers.filter((server) => server !== null);
  return {
    requests: counters.requests,
    responses: counters.responses,
    commandsLimited: table.commandsLimited,
    servers: servers.map(({ server, side, services, roundTrip, connect }) => ({
      server: { id: server.id, text: server.text },
      side,
      services: services.map(serviceState),
      roundTrip: histogramCounts(roundTrip),
      connect: histogramCounts(connect),
    })),
    parsers: counters.parsers.map(({ protocol, resyncs, errors }) => ({
      protocol: protocol.name,
      resyncs,
      errors: [...errors],
    })),
  };
}

/** The sum of several aggregates that agree on the ids of servers, with the counts of the stages before them. */
export function mergedSnapshot(
  states: readonly AggregateState[],
  stages: StageCounters,
  protocols: readonly Protocol[],
): Snapshot {
  const table = new SeriesTable();
  const counters = new Counters();
  const find = (name: string): Protocol => protocols.find((protocol) => protocol.name === name)!;
  for (const state of states) {
    counters.requests += state.requests;
    counters.responses += state.responses;
    table.commandsLimited += state.commandsLimited;
    for (const { protocol, resyncs, errors } of state.parsers) {
      const parser = counters.parser(find(protocol));
      parser.resyncs += resyncs;
      for (const [reason, count] of errors) parser.errors.set(reason, (parser.errors.get(reason) ?? 0) + count);
    }
    for (const { server, side, services, roundTrip, connect } of state.servers) {
      const series = table.server(server);
      series.side ??= side;
      series.roundTrip.merge(roundTrip);
      series.connect.merge(connect);
      for (const service of services) addService(table.service(server, find(service.protocol)), service);
    }
  }
  return takeSnapshot(table, counters, stages);
}

function serviceState(service: Service): ServiceState {
  const { protocol, toWaits, unanswered, unfinished, unmatched, errors, slow, lostUs } = service;
  return {
    protocol: protocol.name,
    counts: Object.fromEntries(COUNTS.map((name) => [name, service[name]])) as ServiceState["counts"],
    toWaits: { sumUs: toWaits.sumUs, buckets: toWaits.buckets },
    unanswered,
    unfinished,
    unmatched,
    errors,
    slow,
    lostUs,
    commands: service.commands.map(commandState),
  };
}

function commandState({ commandId, requests, classes }: CommandSeries): CommandState {
  return {
    commandId,
    requests,
    classes: classes.map((series) =>
      series === null ? null : { ok: series.ok, errors: series.errors, latency: histogramCounts(series.latency) },
    ),
  };
}

function histogramCounts({ sumUs, maxUs, steps, longBuckets }: HistogramCounts): HistogramCounts {
  return { sumUs, maxUs, steps, longBuckets };
}

function addService(into: Service, state: ServiceState): void {
  for (const name of COUNTS) into[name] += state.counts[name];
  into.toWaits.merge(state.toWaits);
  addUp(into.unanswered, state.unanswered);
  addUp(into.unfinished, state.unfinished);
  addUp(into.unmatched, state.unmatched);
  addUp(into.errors, state.errors);
  addUp(into.slow, state.slow);
  addUp(into.lostUs, state.lostUs);
  for (const { commandId, requests, classes } of state.commands) {
    const command = into.command(commandId);
    command.requests += requests;
    classes.forEach((series, index) => {
      if (series === null) return;
      const sum = command.of(index as Parameters<CommandSeries["of"]>[0]);
      sum.ok += series.ok;
      sum.errors += series.errors;
      sum.latency.merge(series.latency);
    });
  }
}

function addUp(into: Float64Array, counts: Float64Array): void {
  for (let i = 0; i < counts.length; i++) into[i] = into[i]! + counts[i]!;
}
