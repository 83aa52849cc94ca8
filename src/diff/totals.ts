import { CLASS_NAMES, TransactionClass } from "../protocols/protocol.ts";
import { type Comparison, ONE_SIDED_REASONS, type OneSidedReason, type Side } from "./comparison.ts";

/** Servers told of by name; the rest share "other", as everywhere. */
const MAX_SERVERS = 200;
const OTHER = "other";

/** Of one kind of time, in µs: exact, of all requests answered on both sides. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly sum: number;
}

/** A line of the summary: a server's (`command` is "") or one of its commands'. */
export interface Total {
  readonly server: string;
  readonly command: string;
  readonly class: string;
  readonly requests: number;
  readonly clientLatency: Times;
  readonly serverLatency: Times;
  readonly network: Times;
}

/** The summary's numbers. */
export interface Totals {
  readonly joined: number;
  readonly translated: number;
  /** Joined, but one side saw no answer. */
  readonly answeredOnce: Record<Side, number>;
  /** The server's latency is above the client's by more than its clock's resolution: one of the two missed something. */
  readonly inverted: number;
  readonly only: Record<Side, Record<OneSidedReason, number>>;
  /** Servers by the number of their requests, each followed by its commands. */
  readonly rows: readonly Total[];
}

/** Timestamps of two hosts may disagree by so much about one duration. */
const NOISE_US = 50;

class Collected {
  readonly server: string;
  readonly command: string;
  readonly class: string;
  readonly clientLatency: number[] = [];
  readonly serverLatency: number[] = [];
  readonly network: number[] = [];

  constructor(server: string, command: string, className: string) {
    this.server = server;
    this.command = command;
    this.class = className;
  }

  total(): Total {
    const { server, command, class: className, clientLatency, serverLatency, network } = this;
    return {
      server,
      command,
      class: className,
      requests: clientLatency.length,
      clientLatency: timesOf(clientLatency),
      serverLatency: timesOf(serverLatency),
      network: timesOf(network),
    };
  }
}

/** Adds up what the comparison found. */
export function totalsOf(comparison: Comparison): Totals {
  const { client, server, catalogue } = comparison;
  const collected = new Map<string, Collected>();
  const servers = new Set<string>();
  const collect = (serverName: string, command: string, className: string, us: readonly number[]): void => {
    const key = `${serverName} ${command} ${className}`;
    const found = collected.get(key) ?? new Collected(serverName, command, className);
    collected.set(key, found);
    found.clientLatency.push(us[0]!);
    found.serverLatency.push(us[1]!);
    found.network.push(us[2]!);
  };
  const counts = { joined: 0, translated: 0, inverted: 0, answeredOnce: { client: 0, server: 0 } };
  for (const [mine, theirs] of comparison.join.serverOf.entries()) {
    if (theirs < 0) continue;
    counts.joined++;
    counts.translated += comparison.join.isTranslated[mine]!;
    const { networkUs } = comparison.pair(mine, theirs);
    const [a, b] = [client.records.isAnswered(mine), server.records.isAnswered(theirs)];
    if (a !== b) counts.answeredOnce[a ? "client" : "server"]++;
    if (networkUs === null) continue;
    const [clientUs, serverUs] = [client.records.get(mine, "latencyUs"), server.records.get(theirs, "latencyUs")];
    if (serverUs > clientUs + NOISE_US) counts.inverted++;
    const name = catalogue.pair(client.records.get(mine, "pair")).server;
    if (servers.size < MAX_SERVERS) servers.add(name);
    const shown = servers.has(name) ? name : OTHER;
    const { command } = catalogue.kind(client.records.get(mine, "kind"));
    const of = client.records.get(mine, "class");
    collect(shown, command, CLASS_NAMES[of] ?? "normal", [clientUs, serverUs, networkUs]);
    if (of === TransactionClass.normal) collect(shown, "", "normal", [clientUs, serverUs, networkUs]);
  }
  const only = { client: onlyAt(comparison, "client"), server: onlyAt(comparison, "server") };
  return { ...counts, only, rows: ordered([...collected.values()].map((each) => each.total())) };
}

function onlyAt(comparison: Comparison, side: Side): Record<OneSidedReason, number> {
  const counts = Object.fromEntries(ONE_SIDED_REASONS.map((reason) => [reason, 0])) as Record<OneSidedReason, number>;
  for (let index = 0; index < comparison[side].records.count; index++) {
    if (comparison.otherOf(side, index) < 0) counts[comparison.reason(side, index)]++;
  }
  return counts;
}

/** By server, the busiest first; its own line, then its commands, the one that cost its clients most first. */
function ordered(totals: readonly Total[]): Total[] {
  const costs = new Map<string, number>();
  for (const { server, clientLatency } of totals) costs.set(server, (costs.get(server) ?? 0) + clientLatency.sum);
  return totals.toSorted((a, b) => {
    if (a.server !== b.server) return costs.get(b.server)! - costs.get(a.server)! || (a.server < b.server ? -1 : 1);
    if ((a.command === "") !== (b.command === "")) return a.command === "" ? -1 : 1;
    return b.clientLatency.sum - a.clientLatency.sum || (a.command < b.command ? -1 : 1);
  });
}

function timesOf(values: readonly number[]): Times {
  const sorted = Float64Array.from(values).sort();
  const at = (quantile: number): number => sorted[Math.max(0, Math.ceil(sorted.length * quantile) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1), sum: sorted.reduce((whole, value) => whole + value, 0) };
}
