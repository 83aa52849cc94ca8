import { createHash } from "node:crypto";
import type { HistogramSnapshot, Snapshot } from "../aggregate/snapshot.ts";
import { headline } from "./headline.ts";
import { type Heatmap, requestsIn } from "./heatmap.ts";
import { heatmapFigure } from "./heatmap-figure.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { lossesSection } from "./losses.ts";
import { Clock, count } from "./numbers.ts";
import { SCRIPT } from "./script.ts";
import { slowestSection, unansweredSection } from "./slow-section.ts";
import { STYLE } from "./style.ts";
import { commandsSection, serversSection } from "./tables.ts";
import type { ReportView } from "./view.ts";

/** Heatmaps shown, those of most requests. */
const SHOWN_MAPS = 12;

/**
 * The page: HTML that loads nothing, by its own Content-Security-Policy, in which no script but its own can run. The same view gives the
 * same bytes.
 */
export function reportPage(view: ReportView): string {
  const { snapshot, collected } = view;
  const clock = new Clock(collected.lastUs);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${policy()}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="referrer" content="no-referrer"/>
<title>tcplat: ${snapshot.stages.capture.interface}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
${headline(view, clock)}
<main>
${heatmapsSection(view, clock)}${serversSection(snapshot)}${commandsSection(snapshot)}${slowestSection(collected.slowest, clock)}${unansweredSection(collected.unanswered, clock)}${lossesSection(view)}
</main>
<div id="tip" hidden=""></div>
<script>${{ markup: SCRIPT }}</script>
</body>
</html>
`.markup;
}

function heatmapsSection({ snapshot, collected }: ReportView, clock: Clock): Markup {
  const { heatmaps } = collected;
  const maps = heatmaps.maps
    .map((map) => ({ map, requests: requestsIn(map) }))
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => b.requests - a.requests);
  if (maps.length === 0) return NOTHING;
  const figures = maps
    .slice(0, SHOWN_MAPS)
    .map(({ map }) => heatmapFigure(heatmaps, map, latencyOf(snapshot, map), clock));
  const left = maps.length - figures.length;
  return html`<section id="heatmap"><h2>Latency over time</h2>
${joined(figures)}${left > 0 ? html`<p class="quiet">${count(left)} more with fewer requests are not shown.</p>` : NOTHING}</section>
`;
}

/** The latencies that are a map's and nobody else's; null where a server speaks several protocols. */
function latencyOf(snapshot: Snapshot, { server, protocol }: Heatmap): HistogramSnapshot | null {
  const found = snapshot.servers.find((each) => each.server.text === server);
  return found?.services.length === 1 && found.services[0]!.protocol === protocol ? found.latency : null;
}

function policy(): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; base-uri 'none'; form-action 'none'`;
}
