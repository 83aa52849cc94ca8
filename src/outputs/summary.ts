import { sum, totals } from "../aggregate/counters.ts";
import type {
  CommandSnapshot,
  HistogramSnapshot,
  ServerSnapshot,
  ServiceSnapshot,
  Snapshot,
} from "../aggregate/snapshot.ts";
import { costLines } from "./cost-lines.ts";
import { NUMBER_FAMILIES } from "./metrics.ts";
import { milliseconds } from "./plain-text.ts";
import { scriptLines } from "./script-numbers.ts";

/** Gauges that belong to a summary, because the identities need them, or whoever scales its counts. The others tell of a moment, not of a run. */
const SUMMARY_GAUGES: readonly string[] = ["tcplat_requests_in_flight", "tcplat_connections", "tcplat_sampling_ratio"];
/** Commands shown of a service: the slowest, since a rare KEYS is what is looked for, and those most often used. */
const SHOWN_COMMANDS = 10;
const SHOWN_SLOWEST = 3;

/** The last record of a `--json` run, with its newline: every counter under its name and label values. */
export function summaryRecord(snapshot: Snapshot): string {
  const record: Record<string, string | number> = { type: "summary" };
  for (const family of NUMBER_FAMILIES) {
    if (family.type === "gauge" && !SUMMARY_GAUGES.includes(family.name)) continue;
    const name = family.name.replace(/^tcplat_/, "").replace(/_total$/, "");
    for (const sample of family.samples(snapshot)) record[[name, ...sample.labels].join(".")] = sample.value;
  }
  return `${JSON.stringify(record)}\n`;
}

/** The summary as a table for people, with its last newline. */
export function summaryTable(snapshot: Snapshot): string {
  const { capture, connections } = snapshot.stages;
  const all = totals(snapshot);
  const services = snapshot.servers.flatMap((server) => server.services);
  const unanswered = reasons(addUp(services.map((service) => service.unanswered)));
  const unfinished = addUp(services.map((service) => service.unfinished));
  const unmatched = reasons(addUp(services.map((service) => service.unmatched)));
  const lines = [
    `frames      ${capture.frames} on ${capture.interface} = ${capture.decoded} decoded + ${sum(capture.skipped)} skipped${reasons(capture.skipped)}`,
    `            ${sum({ ...capture.dropped })} dropped${reasons({ ...capture.dropped })}, ${capture.duplicates} duplicates, ${capture.truncated} truncated, ${capture.clockRegressions} clock regressions`,
    `connections ${sum({ ...connections.total })}${reasons({ ...connections.total })}, ${connections.evicted} evicted, ${sum(connections.notAnalysed)} not analysed${reasons(connections.notAnalysed)}`,
    `requests    ${snapshot.requests} = ${all.answered} answered + ${all.noReply} no reply + ${all.pending} pending + ${all.unanswered} unanswered${unanswered}`,
    ...(sum(unfinished) > 0 ? [`            ${sum(unfinished)} never sent whole${reasons(unfinished)}`] : []),
    `responses   ${snapshot.responses} = ${all.answered} matched + ${all.unmatched} unmatched${unmatched} + ${all.pushes} pushes`,
    ...losses(snapshot),
    ...scriptLines(snapshot),
    ...costLines(snapshot),
  ];
  const rows = snapshot.servers.flatMap(serverRows);
  if (rows.length > 0) lines.push("", ...table([HEADINGS, ...rows]));
  return `${lines.join("\n")}\n`;
}

const HEADINGS = [
  "server",
  "protocol",
  "command",
  "requests",
  "errors",
  "p50 ms",
  "p90 ms",
  "p99 ms",
  "max ms",
] as const;
/** Columns from here on are numbers. */
const FIRST_NUMBER = 3;

function serverRows({ server, latency, services }: ServerSnapshot): string[][] {
  const rows = services.length > 1 ? [row(server.text, "all", "", services, latency)] : [];
  for (const service of services) {
    if (services.length === 1) rows.push(row(server.text, service.protocol, "", [service], latency));
    rows.push(...commandRows(service, services.length > 1 ? service.protocol : ""));
  }
  return rows;
}

function row(
  server: string,
  protocol: string,
  command: string,
  services: readonly ServiceSnapshot[],
  latency: HistogramSnapshot,
): string[] {
  const requests = services.reduce((all, service) => all + service.requests, 0);
  const errors = services.reduce((all, service) => all + sum(service.errors), 0);
  return [server, protocol, command, String(requests), String(errors), ...times(latency)];
}

function commandRows(service: ServiceSnapshot, protocol: string): string[][] {
  const commands = shownCommands(service);
  const rows: string[][] = [];
  for (const command of commands) {
    if (command.classes.length === 0) {
      rows.push(["", protocol, command.command, String(command.requests), "0", "", "", "", ""]);
    }
    for (const of of command.classes) {
      const name = of.class === "normal" ? command.command : `${command.command} (${of.class})`;
      // Of what nobody has answered no class is known.
      const requests = command.classes.length === 1 ? command.requests : of.ok + of.errors;
      rows.push(["", protocol, name, String(requests), String(of.errors), ...times(of.latency)]);
    }
  }
  const left = service.commands.length - commands.length;
  if (left > 0) rows.push(["", protocol, `${left} more`, "", "", "", "", "", ""]);
  return rows;
}

/** Those most often used first. */
function shownCommands({ commands }: ServiceSnapshot): CommandSnapshot[] {
  const slowest = new Set(commands.toSorted((a, b) => slowestUs(b) - slowestUs(a)).slice(0, SHOWN_SLOWEST));
  const byUse = commands.toSorted((a, b) => b.requests - a.requests);
  let room = SHOWN_COMMANDS - slowest.size;
  return byUse.filter((command) => slowest.has(command) || room-- > 0);
}

/** Of class normal: what waits on purpose is not slow. */
function slowestUs({ classes }: CommandSnapshot): number {
  return classes.find((each) => each.class === "normal")?.latency.maxUs ?? 0;
}

function times(latency: HistogramSnapshot): string[] {
  if (latency.count === 0) return ["", "", "", ""];
  return [latency.p50Us, latency.p90Us, latency.p99Us, latency.maxUs].map(milliseconds);
}

function losses({ stages, parsers }: Snapshot): string[] {
  const lines: string[] = [];
  const dropped = sum(stages.recordsDropped);
  if (dropped > 0) lines.push(`output      ${dropped} records dropped${reasons(stages.recordsDropped)}`);
  if (stages.filtered > 0) lines.push(`filtered    ${stages.filtered} records withheld by --filter`);
  for (const parser of parsers) {
    const count = sum(parser.errors);
    lines.push(`parser      ${parser.protocol}: ${count} errors${reasons(parser.errors)}, ${parser.resyncs} resyncs`);
  }
  return lines;
}

/** ` (closed 7, reset 1)`: those that occurred; "" where none did. */
function reasons(counts: Readonly<Record<string, number>>): string {
  const shown = Object.entries(counts).filter(([, count]) => count > 0);
  return shown.length === 0 ? "" : ` (${shown.map(([reason, count]) => `${reason} ${count}`).join(", ")})`;
}

function addUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column < FIRST_NUMBER ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}
