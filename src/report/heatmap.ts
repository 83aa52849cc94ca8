/** Heatmaps of latency over time that never grow beyond a fixed size. */

/** Latency rows: one below FIRST_US, then three an octave (each 26 % wider than the one before), one beyond. */
const FIRST_BITS = 3;
const OCTAVES = 24;
const ROWS_AN_OCTAVE = 3;
export const ROWS = 1 + OCTAVES * ROWS_AN_OCTAVE + 1;
/** By row: the shortest time in it, in µs; from 0 over 8 µs to 134 s. */
export const ROW_BOUNDS_US: readonly number[] = Array.from({ length: ROWS }, (_, row) =>
  row === 0 ? 0 : Math.ceil(2 ** (FIRST_BITS + (row - 1) / ROWS_AN_OCTAVE)),
);
/** In a column behind its latency rows: requests that were given up without a response. */
export const UNANSWERED_SLOT = ROWS_AN_OCTAVE * OCTAVES + 2;
const SLOTS = UNANSWERED_SLOT + 1;

const BOUNDS = Float64Array.from(ROW_BOUNDS_US);
const FIRST_US = 2 ** FIRST_BITS;
const BEYOND_US = 2 ** (FIRST_BITS + OCTAVES);

/** Most columns of one map, and of all together (9 MB at most): with many servers each has fewer. */
export const COLUMNS = 300;
const ALL_COLUMNS = 15_000;
/** The width of a column at the start, in µs. It doubles whenever the run has outgrown the columns. */
const FINEST_US = 1000;

/** One server in one protocol. */
export interface Heatmap {
  readonly server: string;
  readonly protocol: string;
  /** By column; undefined where nothing ended. In each: counts by row, and UNANSWERED_SLOT. */
  columns: (Float64Array | undefined)[];
}

/** All maps of a run, on one time axis. */
export interface Heatmaps {
  /** What a column covers, in µs: FINEST_US times a power of two, aligned to the epoch: wherever a capture begins, a time is in the same column. */
  widthUs: number;
  /** Columns between the epoch and column 0. */
  first: number;
  /** Columns in use; 0 while there is no transaction. */
  count: number;
  readonly maps: Heatmap[];
}

export function emptyHeatmaps(): Heatmaps {
  return { widthUs: FINEST_US, first: 0, count: 0, maps: [] };
}

/** The map of a server in a protocol, made where there is none. */
export function heatmapOf(all: Heatmaps, server: string, protocol: string): Heatmap {
  const known = all.maps.find((map) => map.server === server && map.protocol === protocol);
  if (known !== undefined) return known;
  const made: Heatmap = { server, protocol, columns: [] };
  all.maps.push(made);
  if (all.count > capacity(all)) cover(all, all.first * all.widthUs);
  return made;
}

/** The counts of the column that `us` (since the epoch) falls into. */
// Runs for every response.
export function columnAt(all: Heatmaps, map: Heatmap, us: number): Float64Array {
  let at = Math.floor(us / all.widthUs) - all.first;
  if (!(at >= 0 && at < all.count)) at = extend(all, us);
  return map.columns[at] ?? makeColumn(map, at);
}

/** The row of a latency in whole µs. */
// Runs for every response.
export function rowOf(us: number): number {
  if (us < FIRST_US) return 0;
  if (us >= BEYOND_US) return ROWS - 1;
  let row = 1 + (31 - Math.clz32(us) - FIRST_BITS) * ROWS_AN_OCTAVE;
  while (us >= BOUNDS[row + 1]!) row++;
  return row;
}

/** The answered requests that a map counts. */
export function requestsIn({ columns }: Heatmap): number {
  let sum = 0;
  for (const column of columns) for (let row = 0; column !== undefined && row < ROWS; row++) sum += column[row]!;
  return sum;
}

function capacity(all: Heatmaps): number {
  return Math.min(COLUMNS, Math.floor(ALL_COLUMNS / all.maps.length));
}

/** Makes room for `us`; returns its column. */
function extend(all: Heatmaps, us: number): number {
  if (all.count === 0) {
    all.first = Math.floor(us / all.widthUs);
    all.count = 1;
    return 0;
  }
  const at = Math.floor(us / all.widthUs) - all.first;
  if (at >= 0 && at < capacity(all)) all.count = Math.max(all.count, at + 1);
  else cover(all, us);
  return Math.floor(us / all.widthUs) - all.first;
}

/** Widens the columns until all that is counted and `us` fit. */
function cover(all: Heatmaps, us: number): void {
  const earliestUs = Math.min(all.first * all.widthUs, us);
  const latestUs = Math.max((all.first + all.count) * all.widthUs - 1, us);
  let width = all.widthUs;
  const span = () => Math.floor(latestUs / width) - Math.floor(earliestUs / width) + 1;
  while (span() > capacity(all)) width *= 2;
  rebin(all, width, Math.floor(earliestUs / width));
  all.count = span();
}

/** Puts the counts into columns of `widthUs`, the first of which begins no later than the first one now. */
function rebin(all: Heatmaps, widthUs: number, first: number): void {
  const place = (at: number) => Math.floor(((all.first + at) * all.widthUs) / widthUs) - first;
  for (const map of all.maps) {
    const columns: (Float64Array | undefined)[] = [];
    map.columns.forEach((counts, at) => {
      if (counts === undefined) return;
      const target = columns[place(at)];
      if (target === undefined) columns[place(at)] = counts;
      else add(target, counts);
    });
    map.columns = columns;
  }
  if (all.count > 0) all.count = place(all.count - 1) + 1;
  all.widthUs = widthUs;
  all.first = first;
}

function makeColumn(map: Heatmap, at: number): Float64Array {
  while (map.columns.length < at) map.columns.push(undefined);
  const made = new Float64Array(SLOTS);
  map.columns[at] = made;
  return made;
}

function add(into: Float64Array, counts: Float64Array): void {
  for (let row = 0; row < counts.length; row++) into[row] = into[row]! + counts[row]!;
}
