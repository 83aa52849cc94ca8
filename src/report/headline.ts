import { sum, totals } from "../aggregate/counters.ts";
import type { ServerSnapshot } from "../aggregate/snapshot.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { graveLosses } from "./losses.ts";
import { type Clock, count, percent, plural, shortTime } from "./numbers.ts";
import { PHASES, sumPhases } from "./phases.ts";
import type { SlowRequest } from "./slowest.ts";
import { byTimeTaken, type ReportView, requestsOf } from "./view.ts";

/** The first screen's words: which server, how many requests, how slow, and why; and whether that can be believed. */
export function headline(view: ReportView, clock: Clock): Markup {
  const servers = byTimeTaken(view.snapshot).filter((server) => requestsOf(server) > 0);
  const [main] = servers;
  return html`<header>
<p class="origin">${origin(view, clock)}</p>
${main === undefined ? nothingSeen(view) : html`<h1>${sentence(main, servers.length)}</h1>${tiles(view, main)}`}
${trust(view)}
</header>`;
}

function nothingSeen({ snapshot }: ReportView): Markup {
  const { capture, connections } = snapshot.stages;
  const seen = `${plural(capture.frames, "frame")}, ${plural(connections.total.syn + connections.total.midstream + connections.total.udp, "connection")}`;
  return html`<h1>No request was seen</h1>
<p>${seen}: <code>tcplat doctor</code> and the lines that tcplat printed say what to try.</p>`;
}

function origin({ snapshot, collected, isLive, filter, version }: ReportView, clock: Clock): Markup {
  const { firstUs, lastUs } = collected;
  const span = Number.isNaN(firstUs)
    ? NOTHING
    : html` · ${clock.full(firstUs).slice(0, 19)} to ${clock.full(lastUs).slice(0, 19)} (${shortTime(lastUs - firstUs)}, times in ${clock.zone})`;
  const of = html`${isLive ? "captured on" : "read from"} <b>${snapshot.stages.capture.interface}</b>`;
  return html`tcplat ${version} · ${of}${filter === "" ? NOTHING : html`, filter <code>${filter}</code>`}${span}`;
}

function sentence({ server, latency }: ServerSnapshot, servers: number): Markup {
  const where =
    servers === 1
      ? html`<b>${server.text}</b>`
      : html`<b>${server.text}</b>, which took most of the time of ${servers} servers,`;
  if (latency.count === 0) return html`${where} answered no ordinary request`;
  return html`${where} answered half of the requests within ${shortTime(latency.p50Us)}, 99 of 100 within ${shortTime(latency.p99Us)}, and the slowest after ${shortTime(latency.maxUs)}`;
}

function tiles(view: ReportView, main: ServerSnapshot): Markup {
  const { latency, services } = main;
  const over = (of: (service: (typeof services)[number]) => number): number =>
    services.reduce((all, service) => all + of(service), 0);
  const errors = over((service) => sum(service.errors));
  const unanswered = over((service) => sum(service.unanswered));
  const pending = over((service) => service.pending);
  const [requests, answered] = [requestsOf(main), over((service) => service.answered)];
  const errorWords = new Set(services.flatMap((service) => Object.keys(service.errors)));
  const words = errors === 0 ? "" : `: ${[...errorWords].join(", ")}`;
  const open = pending > 0 ? `, ${count(pending)} pending` : "";
  return html`<dl class="tiles">
${tile("Requests", count(requests), `${count(answered)} answered${open}`)}
${tile("p50", shortTime(latency.p50Us), "half were faster")}
${tile("p99", shortTime(latency.p99Us), "1 in 100 was slower")}
${tile("Slowest", shortTime(latency.maxUs), slowestText(view, main))}
${causeTile(view.collected.slowest.filter((request) => request.server === main.server.text))}
${tile("Errors", count(errors), `${percent(errors, answered)} of the answers${words}`, errors > 0)}
${tile("Unanswered", count(unanswered), `${percent(unanswered, requests)} of the requests`, unanswered > 0)}
</dl>`;
}

function tile(name: string, value: string, note: string, isBad = false): Markup {
  // A long word is smaller, so that it is not broken.
  const size = value.length > 10 ? html` class="long"` : NOTHING;
  return html`<div class="${isBad ? "tile bad" : "tile"}"><dt>${name}</dt><dd><b${size}>${value}</b><span>${note}</span></dd></div>`;
}

function slowestText({ collected }: ReportView, main: ServerSnapshot): string {
  const slowest = collected.slowest.find((request) => request.server === main.server.text);
  return slowest === undefined ? "" : slowest.text;
}

/**
 * Of the slowest requests: the cause that took most of their time, or, where it cannot be told, the largest part of that. By time,
 * not by requests: among the 100 slowest of a quiet minute are many quick ones.
 */
function causeTile(slowest: readonly SlowRequest[]): Markup {
  if (slowest.length === 0) return NOTHING;
  const parts = sumPhases(slowest);
  const all = parts.reduce((us, part) => us + part.us, 0);
  const causes = new Map<string, { us: number; requests: number }>();
  for (const { verdict } of slowest) {
    if (verdict === null) continue;
    const { us, requests } = causes.get(verdict.cause) ?? { us: 0, requests: 0 };
    causes.set(verdict.cause, { us: us + verdict.causeUs, requests: requests + 1 });
  }
  const [worst] = Array.from(causes).sort(([, a], [, b]) => b.us - a.us);
  if (worst !== undefined && worst[0] !== "unknown") {
    const [cause, { us, requests }] = worst;
    const note = `${percent(us, all)} of the time of the ${slowest.length} slowest, in ${requests} of them`;
    return tile("Main cause", cause, note);
  }
  const [largest] = parts;
  if (largest === undefined) return NOTHING;
  const value = `${largest.phase} ${percent(largest.us, all)}`;
  return tile("Most time in", value, `of the ${slowest.length} slowest: ${PHASES[largest.phase]}`);
}

/** What makes these numbers doubtful, in a sentence; that nothing does is said, too. */
function trust(view: ReportView): Markup {
  const grave = graveLosses(view);
  const { unanswered, pending } = totals(view.snapshot);
  if (grave.length === 0) {
    const rest =
      unanswered + pending > 0 ? ` ${plural(unanswered + pending, "request")} had no answer, see there.` : "";
    return html`<p class="trust good">The capture lost nothing that it knows of.${rest} <a href="#losses">Losses and doubts</a></p>`;
  }
  const listed = joined(
    grave.map(({ name, count: times }, index) => html`${index === 0 ? "" : ", "}${count(times)} ${name}`),
  );
  return html`<p class="trust warn"><b>Mind:</b> ${listed}. What that means: <a href="#losses">Losses and doubts</a></p>`;
}
