import { localTime, milliseconds } from "../outputs/plain-text.ts";
import type { Clock } from "./clock.ts";
import type { Comparison, Side } from "./comparison.ts";
import { fileText, reasonsText } from "./text.ts";
import type { Times, Total, Totals } from "./totals.ts";
import { completeUntilUs } from "./view.ts";

const HEAD_WIDTH = 10;
const MS_WIDTH = 10;
/** Where more requests than that took longer at the server, the files are likely swapped. */
const SWAPPED_SHARE = 0.9;

/** What stands before the requests: both files, the clocks, what was joined, and a table by server and command. */
export function summaryText(comparison: Comparison, totals: Totals): string {
  const lines = [
    line("client", viewText(comparison, "client")),
    line("server", viewText(comparison, "server")),
    line("clocks", clockText(comparison.join.clock, isSwapped(totals))),
    line("joined", joinedText(totals)),
    ...doubts(comparison, totals),
    ...onlyLines(totals, "client"),
    ...onlyLines(totals, "server"),
  ];
  return `${lines.join("\n")}\n${tableText(totals)}\n`;
}

function line(head: string, text: string): string {
  return `${head.padEnd(HEAD_WIDTH)}${text}`;
}

function viewText(comparison: Comparison, side: Side): string {
  const view = comparison[side];
  const { records } = view;
  const parts = [
    `${fileText(view.name)}: ${plural(records.count, "request")} on ${plural(comparison.connections(side), "connection")}`,
  ];
  if (!Number.isNaN(view.firstUs)) parts.push(spanText(view.firstUs, completeUntilUs(view)));
  if (records.refused > 0) parts.push(`${records.refused} more were not kept: narrow it with a filter`);
  if ((view.unlisted ?? 0) > 0)
    parts.push(`its run saw ${view.unlisted} more and did not print them (-t, --filter, or a slow reader)`);
  if (view.unlisted === null) parts.push("it has no summary: whether it holds all, nobody knows");
  if (view.gaps > 0) parts.push(plural(view.gaps, "gap"));
  if (view.unreadable > 0) parts.push(`${plural(view.unreadable, "line")} could not be read`);
  return parts.join("; ");
}

/** `2026-11-21 00:55:59.227760, 12.345 s`. */
function spanText(firstUs: number, lastUs: number): string {
  return `from ${localTime(firstUs)}, ${((lastUs - firstUs) / 1e6).toFixed(3)} s`;
}

function clockText(clock: Clock | null, isOrderDoubtful: boolean): string {
  if (clock === null) return "unknown: no request was answered on both sides";
  const us = Math.round(Math.abs(clock.offsetUs));
  const way = clock.offsetUs >= 0 ? "ahead of" : "behind";
  const offset = `the server's is ${milliseconds(us)} ms ${way} the client's`;
  const error = `± ${milliseconds(clock.uncertaintyUs)} ms`;
  if (!clock.isSteady) {
    const why = isOrderDoubtful ? "the requests contradict each other" : "one of them was set meanwhile";
    return `${offset}, ${error}: ${why}, so ways there and back are not told`;
  }
  const drift = clock.driftPpm;
  const gains =
    drift === 0 ? "no drift is seen" : `it ${drift > 0 ? "gains" : "loses"} ${Math.abs(drift).toFixed(1)} µs a second`;
  return `${offset}, ${error} (half the quickest round trip); ${gains}; told by ${plural(clock.samples, "request")}`;
}

function joinedText({ joined, translated }: Totals): string {
  const how = [];
  if (joined > translated) how.push(`${joined - translated} by addresses and TCP sequence numbers`);
  if (translated > 0) how.push(`${translated} by sequence numbers alone, the addresses being translated on the way`);
  return `${plural(joined, "request")}${how.length === 0 ? "" : `: ${how.join(", ")}`}`;
}

function doubts({ client }: Comparison, totals: Totals): string[] {
  const lines: string[] = [];
  const { answeredOnce, inverted, joined } = totals;
  if (answeredOnce.server > 0) lines.push(line("", `${answeredOnce.server} answered at the server only`));
  if (answeredOnce.client > 0) lines.push(line("", `${answeredOnce.client} answered at the client only`));
  if (inverted > 0)
    lines.push(line("", `${inverted} with more time at the server than at the client: no network is told`));
  if (isSwapped(totals))
    lines.push(line("", "are the files the other way round? The one of the clients' host comes first"));
  if (joined === 0 && client.records.count > 0)
    lines.push(
      line(
        "",
        "are these captures of the same time, and the same traffic? A proxy between the hosts makes new connections",
      ),
    );
  return lines;
}

/** What a request takes at the client holds what it takes at the server; of nearly none it does here. */
function isSwapped({ inverted, joined }: Totals): boolean {
  return inverted > SWAPPED_SHARE * joined;
}

function onlyLines(totals: Totals, side: Side): string[] {
  const counts = totals.only[side];
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return all === 0 ? [] : [line("only", `at the ${side} ${plural(all, "request")}: ${reasonsText(counts)}`)];
}

/** Times in ms; the share is the network's of all that the clients waited. */
function tableText({ rows }: Totals): string {
  if (rows.length === 0) return "";
  const names = rows.map(nameOf);
  const width = Math.max(...names.map((name) => name.length), 8);
  const columns = ["p50", "p99", "max"];
  const group = (title: string): string => title.padStart(MS_WIDTH * columns.length);
  const top = `${"".padEnd(width)}${"".padStart(MS_WIDTH)}${["client ms", "server ms", "network ms"].map(group).join("")}${"network".padStart(MS_WIDTH)}`;
  const heads = [...columns, ...columns, ...columns, "share"].map((head) => head.padStart(MS_WIDTH)).join("");
  const lines = [top, `${"".padEnd(width)}${"requests".padStart(MS_WIDTH)}${heads}`];
  for (const [index, row] of rows.entries()) {
    const times = [row.clientLatency, row.serverLatency, row.network].map(timesText).join("");
    const share =
      row.clientLatency.sum === 0 ? "" : `${((100 * row.network.sum) / row.clientLatency.sum).toFixed(1)} %`;
    lines.push(
      `${names[index]!.padEnd(width)}${`${row.requests}`.padStart(MS_WIDTH)}${times}${share.padStart(MS_WIDTH)}`,
    );
  }
  return `\n${lines.join("\n")}\n`;
}

function nameOf({ server, command, class: of }: Total): string {
  if (command === "") return server;
  return of === "normal" ? `  ${command}` : `  ${command} (${of})`;
}

function timesText({ p50, p99, max }: Times): string {
  return [p50, p99, max].map((us) => milliseconds(us).padStart(MS_WIDTH)).join("");
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
