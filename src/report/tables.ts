import { sum } from "../aggregate/counters.ts";
import type { ClassSnapshot, HistogramSnapshot, Snapshot } from "../aggregate/snapshot.ts";
import { milliseconds } from "../outputs/plain-text.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { count } from "./numbers.ts";
import { byTimeTaken, requestsOf } from "./view.ts";

/** Commands shown of a run, those that took most time. */
const SHOWN_COMMANDS = 500;

/** A column: its heading, and whether it holds numbers, by which it is sorted. */
type Column = readonly [heading: string, isNumber: boolean];

const TIMES: readonly Column[] = ["p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "all s"].map((name) => [
  name,
  true,
]);

/** Percentiles by server; nothing where there is only one, of which the headline speaks. */
export function serversSection(snapshot: Snapshot): Markup {
  const servers = byTimeTaken(snapshot);
  if (servers.length < 2) return NOTHING;
  const columns: readonly Column[] = [
    ["server", false],
    ["protocols", false],
    ["requests", true],
    ["errors", true],
    ["unanswered", true],
    ...TIMES,
  ];
  const rows = servers.map((server) => {
    const { services } = server;
    const over = (of: (service: (typeof services)[number]) => number) =>
      services.reduce((all, each) => all + of(each), 0);
    return row(
      [server.server.text, services.map((service) => service.protocol).join(", ")],
      [requestsOf(server), over((service) => sum(service.errors)), over((service) => sum(service.unanswered))],
      server.latency,
    );
  });
  return html`<section id="servers"><h2>Servers</h2>${sortable(columns, rows)}</section>
`;
}

/** Percentiles by server, command and class. */
export function commandsSection(snapshot: Snapshot): Markup {
  const of = snapshot.servers.flatMap(({ server, services }) =>
    services.flatMap((service) =>
      service.commands.flatMap((command) =>
        (command.classes.length === 0 ? [unansweredOnly] : command.classes).map((each) => {
          return { server: server.text, protocol: service.protocol, command, each };
        }),
      ),
    ),
  );
  if (of.length === 0) return NOTHING;
  const rank = (name: string): number => (name === "normal" ? 0 : 1);
  of.sort((a, b) => {
    const byTime = b.each.latency.sumUs - a.each.latency.sumUs || b.command.requests - a.command.requests;
    return rank(a.each.class) - rank(b.each.class) || byTime;
  });
  const isOneService = new Set(of.map(({ server, protocol }) => `${server} ${protocol}`)).size === 1;
  const rows = of.slice(0, SHOWN_COMMANDS).map(({ server, protocol, command, each }) => {
    const name = each.class === "normal" || each.class === "" ? command.command : `${command.command} (${each.class})`;
    return row(isOneService ? [name] : [name, server, protocol], [each.ok + each.errors, each.errors], each.latency);
  });
  const where: readonly Column[] = isOneService
    ? []
    : [
        ["server", false],
        ["protocol", false],
      ];
  const columns: readonly Column[] = [["command", false], ...where, ["answered", true], ["errors", true], ...TIMES];
  const left = of.length - rows.length;
  return html`<section id="commands"><h2>Commands</h2>
<p class="quiet">A press on a heading sorts. “all s” is the time that all of a row took together. What is not of class normal waits on purpose, or is set-up: it is in no number above.</p>
${sortable(columns, rows)}${left > 0 ? html`<p class="quiet">${count(left)} more are not shown.</p>` : NOTHING}</section>
`;
}

const NO_TIMES: HistogramSnapshot = {
  count: 0,
  sumUs: 0,
  maxUs: Number.NaN,
  buckets: [],
  p50Us: Number.NaN,
  p90Us: Number.NaN,
  p99Us: Number.NaN,
  p999Us: Number.NaN,
};
const unansweredOnly: ClassSnapshot = { class: "", ok: 0, errors: 0, latency: NO_TIMES };

function row(texts: readonly string[], counts: readonly number[], latency: HistogramSnapshot): Markup {
  const isTimed = latency.count > 0;
  const times = [latency.p50Us, latency.p90Us, latency.p99Us, latency.p999Us, latency.maxUs];
  const [first = "", ...more] = texts;
  return html`<tr><th scope="row">${first}</th>${joined(more.map((text) => html`<td>${text}</td>`))}${joined(counts.map((of) => number(of, count(of))))}${joined(times.map((us) => number(isTimed ? us : -1, isTimed ? milliseconds(us) : "")))}${number(latency.sumUs, isTimed ? (latency.sumUs / 1e6).toFixed(3) : "")}</tr>
`;
}

function number(value: number, shown: string): Markup {
  return html`<td class="number" data-value="${value}">${shown}</td>`;
}

/** A table whose headings sort it, where there is script. */
function sortable(columns: readonly Column[], rows: readonly Markup[]): Markup {
  const headings = columns.map(([name, isNumber]) => {
    return html`<th${isNumber ? html` class="number"` : NOTHING} aria-sort="none"><button type="button">${name}</button></th>`;
  });
  return html`<div class="wide"><table class="sortable"><thead><tr>${joined(headings)}</tr></thead>
<tbody>${joined(rows)}</tbody></table></div>`;
}
