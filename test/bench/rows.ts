/** One line of the table. */
export interface Row {
  readonly work: string;
  readonly tcplat: string;
  /** What was measured beside it, or why nothing was. */
  readonly beside: string;
  readonly ratio: string;
  /** What it is to reach; "" where nothing was promised. */
  readonly target: string;
  readonly isMet: boolean | null;
}

/** A bench: `npm run bench -- NAME`. */
export interface Bench {
  readonly name: string;
  /** What it shows, in a few words. */
  readonly about: string;
  run(settings: Settings): Promise<readonly Row[]>;
}

export interface Settings {
  /** How often each side is measured; medians are shown. */
  readonly runs: number;
}

/** Why a bench cannot run here: it is told in the table instead of a number. */
export class Skipped extends Error {}

/** A number that is to be reached. */
export interface Target {
  readonly text: string;
  holds(value: number): boolean;
}

export function atMost(limit: number, unit = ""): Target {
  return { text: `≤ ${limit}${unit}`, holds: (value) => value <= limit };
}

export function atLeast(limit: number, unit = ""): Target {
  return { text: `≥ ${limit}${unit}`, holds: (value) => value >= limit };
}

/** A number of tcplat's own, with nothing beside it. */
export function plainRow(work: string, value: number, show: (value: number) => string, target?: Target): Row {
  const isMet = target === undefined ? null : target.holds(value);
  return { work, tcplat: show(value), beside: "", ratio: "", target: target?.text ?? "", isMet };
}

/** The same measured on both sides, in turn: the ratio is the median of the rounds' ratios, since absolute times drift. */
export function ratioRow(
  work: string,
  [ours, peer, theirs]: readonly [ours: readonly number[], peer: string, theirs: readonly number[]],
  show: (value: number) => string,
  target?: Target,
): Row {
  const ratio = median(ours.map((value, round) => value / theirs[round]!));
  const isMet = target === undefined ? null : target.holds(ratio);
  const beside = `${peer} ${show(median(theirs))}`;
  return { work, tcplat: show(median(ours)), beside, ratio: ratio.toFixed(2), target: target?.text ?? "", isMet };
}

/** A row without a measurement. */
export function skippedRow(work: string, reason: string): Row {
  return { work, tcplat: "", beside: `skipped: ${reason}`, ratio: "", target: "", isMet: null };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const seconds = (value: number): string => `${value.toFixed(2)} s`;
export const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;
export const nanoseconds = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ns`;
export const megabytes = (value: number): string => `${value.toFixed(0)} MB`;
export const millions =
  (unit: string) =>
  (value: number): string =>
    `${value.toFixed(2)} M ${unit}`;
export const count = (value: number): string => value.toLocaleString("en-US");

const HEADINGS = ["work", "tcplat", "beside", "ratio", "target", "met"];

/** The table's head, as Markdown. */
export function tableHead(): string {
  return `| ${HEADINGS.join(" | ")} |\n|${HEADINGS.map(() => "---").join("|")}|\n`;
}

/** One of its lines. */
export function tableLine(row: Row): string {
  const met = row.isMet === null ? "" : row.isMet ? "yes" : "**no**";
  return `| ${[row.work, row.tcplat, row.beside, row.ratio, row.target, met].join(" | ")} |\n`;
}
