import type { HistogramSnapshot } from "../aggregate/snapshot.ts";
import { type Heatmap, type Heatmaps, ROW_BOUNDS_US, ROWS, requestsIn, UNANSWERED_SLOT } from "./heatmap.ts";
import { html, joined, type Markup, NOTHING } from "./html.ts";
import { type Clock, plural, shortTime } from "./numbers.ts";

/** Shades of a cell, by the logarithm of its count. */
const SHADES = 10;
/** Rows shown at least: three octaves. */
const MIN_ROWS = 9;
/** Where a label of the axes stands. */
const LABELS_US: readonly number[] = [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
const X_LABELS: readonly number[] = [0, 0.25, 0.5, 0.75, 1];

/** Rows [low, high) of a map that are shown: all with a count, and some more where they are few. */
interface Rows {
  readonly low: number;
  readonly high: number;
}

/** One map as an inline SVG: time to the right, latency upwards, darker where more requests ended. `latency` has the lines drawn, or is null. */
export function heatmapFigure(all: Heatmaps, map: Heatmap, latency: HistogramSnapshot | null, clock: Clock): Markup {
  const counts = Array.from({ length: all.count }, (_, at) => map.columns[at]);
  const requests = requestsIn(map);
  if (requests === 0) return NOTHING;
  const rows = shownRows(counts);
  const most = Math.max(...counts.map((column) => (column === undefined ? 0 : Math.max(...column.subarray(0, ROWS)))));
  return html`<figure>
<figcaption><b>${map.server}</b> ${map.protocol} · ${plural(requests, "request")}, by the time they ended${scale(most, latency)}</figcaption>
<div class="plot"><svg class="y" aria-hidden="true">${yLabels(rows)}</svg>
${mapSvg(all, counts, rows, most, latency, clock)}
${unansweredStrip(counts)}<svg class="x" aria-hidden="true">${xLabels(all, clock)}</svg></div>
</figure>
`;
}

function mapSvg(
  all: Heatmaps,
  counts: readonly (Float64Array | undefined)[],
  rows: Rows,
  most: number,
  latency: HistogramSnapshot | null,
  clock: Clock,
): Markup {
  const height = rows.high - rows.low;
  const lines = LABELS_US.map((us) => rows.high - position(us)).filter((y) => y > 0 && y < height);
  const grid = html`<path class="grid" d="${lines.map((y) => `M0 ${y.toFixed(2)}h${all.count}`).join("")}"/>`;
  const quantiles = (latency === null ? [] : (["p50Us", "p99Us"] as const)).map((name) => {
    return html`<path class="${name}" d="M0 ${(rows.high - position(latency![name])).toFixed(2)}h${all.count}"/>`;
  });
  return html`<svg class="map" viewBox="0 0 ${all.count} ${height}" preserveAspectRatio="none" role="img" aria-label="Heatmap of latency over time" data-from="${all.first * all.widthUs}" data-width="${all.widthUs}" data-zone="${clock.offsetMinutes}" data-low="${rows.low}" data-bounds="${ROW_BOUNDS_US.slice(rows.low, rows.high + 1).join(" ")}" data-cells="${cellData(counts)}">${grid}${joined(shades(counts, rows, most))}${joined(quantiles)}<rect class="here" width="0" height="1"/></svg>`;
}

/** A path a shade, of one rectangle for each run of cells: small, and drawn without any script. */
function shades(counts: readonly (Float64Array | undefined)[], rows: Rows, most: number): Markup[] {
  const paths = Array.from({ length: SHADES }, () => "");
  for (let row = rows.low; row < rows.high; row++) {
    for (let at = 0; at < counts.length; ) {
      const shade = shadeOf(counts[at]?.[row] ?? 0, most);
      let end = at + 1;
      while (end < counts.length && shadeOf(counts[end]?.[row] ?? 0, most) === shade) end++;
      if (shade >= 0) paths[shade] += `M${at} ${rows.high - 1 - row}h${end - at}v1h-${end - at}z`;
      at = end;
    }
  }
  return paths.map((path, shade) => (path === "" ? NOTHING : html`<path class="h${shade}" d="${path}"/>`));
}

/** -1 for an empty cell, else 0 to SHADES - 1. */
function shadeOf(count: number, most: number): number {
  if (count === 0) return -1;
  return most <= 1 ? SHADES - 1 : Math.round(((SHADES - 1) * Math.log(count)) / Math.log(most));
}

/** For the script: `column unanswered row count row count …`, separated by `;`. */
function cellData(counts: readonly (Float64Array | undefined)[]): string {
  return counts
    .flatMap((column, at) => {
      if (column === undefined) return [];
      const cells = [at, column[UNANSWERED_SLOT]!];
      for (let row = 0; row < ROWS; row++) if (column[row]! > 0) cells.push(row, column[row]!);
      return [cells.join(" ")];
    })
    .join(";");
}

function unansweredStrip(counts: readonly (Float64Array | undefined)[]): Markup {
  const ticks = counts.map((column, at) => ((column?.[UNANSWERED_SLOT] ?? 0) > 0 ? `M${at} 0h1v1h-1z` : "")).join("");
  if (ticks === "") return NOTHING;
  return html`<span class="y strip">unanswered</span><svg class="strip" viewBox="0 0 ${counts.length} 1" preserveAspectRatio="none" role="img" aria-label="When requests were given up without a response"><path d="${ticks}"/></svg>
`;
}

function scale(most: number, latency: HistogramSnapshot | null): Markup {
  const keys = Array.from(
    { length: SHADES },
    (_, shade) => html`<rect class="h${shade}" x="${shade}" width="1" height="1"/>`,
  );
  const shown = html`<span class="scale">1 <svg viewBox="0 0 ${SHADES} 1" preserveAspectRatio="none" aria-hidden="true">${joined(keys)}</svg> ${plural(most, "request")} a cell</span>`;
  if (latency === null) return shown;
  return html`${shown}<span class="lines"><span class="p50">p50 ${shortTime(latency.p50Us)}</span> <span class="p99">p99 ${shortTime(latency.p99Us)}</span></span>`;
}

function yLabels(rows: Rows): Markup {
  const height = rows.high - rows.low;
  const labels = LABELS_US.flatMap((us) => {
    const y = (rows.high - position(us)) / height;
    return y < 0 || y > 1
      ? []
      : [html`<text x="100%" y="${(100 * y).toFixed(1)}%" dx="-6" dy="4">${shortTime(us)}</text>`];
  });
  return joined(labels);
}

function xLabels(all: Heatmaps, clock: Clock): Markup {
  const spanUs = all.count * all.widthUs;
  const labels = X_LABELS.map((share) => {
    const text = clock.full(all.first * all.widthUs + share * spanUs);
    const shown =
      spanUs < 10_000_000 ? text.slice(11, 23) : spanUs < 86_400_000_000 ? text.slice(11, 19) : text.slice(5, 16);
    const name = share === 0 ? "first" : share === 1 ? "last" : share === 0.5 ? "middle" : "minor";
    return html`<text class="${name}" x="${100 * share}%" y="13">${shown}</text>`;
  });
  return joined(labels);
}

function shownRows(counts: readonly (Float64Array | undefined)[]): Rows {
  let low = ROWS - 1;
  let high = 0;
  for (const column of counts) {
    for (let row = 0; row < ROWS; row++) {
      if ((column?.[row] ?? 0) === 0) continue;
      low = Math.min(low, row);
      high = Math.max(high, row + 1);
    }
  }
  const missing = Math.max(2, MIN_ROWS - (high - low));
  low = Math.max(0, low - Math.floor(missing / 2));
  return { low, high: Math.min(ROWS, high + Math.ceil(missing / 2)) };
}

/** Where a time stands on the axis, in rows from the bottom of the first one. */
function position(us: number): number {
  const row = ROW_BOUNDS_US.findLastIndex((bound) => bound <= us);
  const [from, to] = [ROW_BOUNDS_US[row]!, ROW_BOUNDS_US[row + 1]];
  if (to === undefined) return row + 0.5;
  return from === 0 ? us / to : row + Math.log(us / from) / Math.log(to / from);
}
