import type { JsonRecord } from "../support/tcplat.ts";

/** What is known of a capture: a row an exchange, its columns by name (times in ns since the epoch). */
export interface Truth {
  /** The capture's path in the folder of captures. */
  readonly capture: string;
  readonly protocol: string;
  readonly ports: readonly number[];
  /** A hole in a pipeline leaves pairs that nobody can decide: they may be missing, never wrong. */
  readonly isDecidable: boolean;
  readonly rows: readonly TruthRow[];
}

/** Columns of a truth file by name; "" where nothing is known. */
export type TruthRow = Readonly<Record<string, string>>;

/** Where the truth is a matter of definition (log-in exchanges), or advisory (after a gap): a record may be there or not. */
const OPTIONAL = "handshake auth-exchange rsp-partial gap-rsp gap-in-response no-ReadyForQuery until-close".split(" ");
/** The default of --request-timeout: what takes longer is no pair. */
const LONGEST_NS = 60_000_000_000;

/** Reads a truth file: `# name=value` lines, a line of column names, then the rows, separated by tabs. */
export function readTruth(text: string): Truth {
  const head = new Map<string, string>();
  const lines: string[][] = [];
  for (const line of text.split("\n")) {
    const entry = /^# (\w+)=(.*)$/.exec(line);
    if (entry) head.set(entry[1]!, entry[2]!);
    else if (line !== "" && !line.startsWith("#")) lines.push(line.split("\t"));
  }
  const columns = lines.shift() ?? [];
  const rows = lines.map((cells) => Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ""])));
  const ports = rows.flatMap(({ server }) => (server ? [Number(server.slice(server.lastIndexOf(":") + 1))] : []));
  return {
    capture: head.get("capture") ?? "",
    protocol: (head.get("protocol") ?? "auto").split("-")[0]!,
    ports: [...new Set(ports)].sort((a, b) => a - b),
    isDecidable: !head.has("undecidable"),
    rows,
  };
}

interface Found {
  readonly record: JsonRecord;
  readonly startUs: number;
  readonly endUs: number;
  isUsed: boolean;
}

/** Where records differ from the truth, a sentence each: a pair that is missing, has a wrong latency, or is invented. */
export function differences(truth: Truth, records: readonly JsonRecord[]): string[] {
  const pairs = truth.rows.filter((row) => row.kind === "pair");
  const found = byConnection(records);
  const problems: string[] = [];
  // Rows that must be there claim their records first.
  for (const row of pairs.filter(mustBeFound)) problems.push(...missed(row, near(row, found), truth.isDecidable));
  for (const row of pairs.filter((of) => !mustBeFound(of))) problems.push(...paired(row, near(row, found)));
  const ends = new Set(pairs.filter((row) => row.rsp_last_ts).map((row) => microseconds(row.rsp_last_ts!)));
  for (const of of [...found.values()].flat()) if (isInvented(of, ends)) problems.push(`invented: ${named(of.record)}`);
  return problems;
}

function byConnection(records: readonly JsonRecord[]): Map<string, Found[]> {
  const found = new Map<string, Found[]>();
  for (const record of records) {
    if (record.latency_us === null) continue;
    const key = `${endpoint(record.client)} ${endpoint(record.server)}`;
    const of = { record, startUs: isoMicroseconds(record.start), endUs: isoMicroseconds(record.end), isUsed: false };
    found.set(key, [...(found.get(key) ?? []), of]);
  }
  return found;
}

/** Everything of the pair is in the file, and nothing about it a matter of definition. */
function mustBeFound(row: TruthRow): boolean {
  const isWhole = !row.vis || row.vis === "req:full rsp:full";
  const isOptional = (row.flags ?? "").split(",").some((flag) => OPTIONAL.includes(flag));
  const latencyNs = row.lat_fl_ns ?? "";
  return isWhole && !isOptional && latencyNs !== "" && Number(latencyNs) >= 0 && Number(latencyNs) <= LONGEST_NS;
}

/** The records of a row's connection that begin with its request, its own command's first. */
function near(row: TruthRow, found: ReadonlyMap<string, Found[]>): Found[] {
  const all = found.get(`${endpoint(row.client ?? "")} ${endpoint(row.server ?? "")}`) ?? [];
  if (!row.req_first_ts) return [];
  const startUs = microseconds(row.req_first_ts);
  const those = all.filter((of) => !of.isUsed && Math.abs(of.startUs - startUs) <= 1);
  return those.sort((a, b) => Number(!isCommand(a, row)) - Number(!isCommand(b, row)));
}

function missed(row: TruthRow, those: readonly Found[], isDecidable: boolean): string[] {
  const latencyUs = Number(row.lat_fl_ns) / 1000;
  const right = those.find(({ record }) => Math.abs(record.latency_us - latencyUs) <= 1.001);
  const name = `${row.cmd} ${row.key} of ${row.client} at ${row.req_first_ts}`;
  if (right) {
    right.isUsed = true;
    return [];
  }
  const [wrong] = those;
  if (wrong && isCommand(wrong, row)) {
    wrong.isUsed = true;
    return [`wrong: ${name} took ${latencyUs} µs, not ${wrong.record.latency_us}`];
  }
  return isDecidable ? [`missing: ${name}, ${latencyUs} µs`] : [];
}

/** A row that need not be found takes its record, but one whose response is not in the file must have none. */
function paired(row: TruthRow, those: readonly Found[]): string[] {
  const [of] = those;
  if (!of) return [];
  of.isUsed = true;
  return row.vis?.includes("rsp:none") ? [`paired without a response: ${named(of.record)}`] : [];
}

function isInvented({ record, endUs, isUsed }: Found, ends: ReadonlySet<number>): boolean {
  if (isUsed || record.class === "connect" || record.class === "stream") return false;
  // A request whose first segment the file lacks, closed by its own response.
  return !record.flags.includes("gap") || ![-1, 0, 1].some((off) => ends.has(endUs + off));
}

function isCommand({ record }: Found, row: TruthRow): boolean {
  return record.command.split(" ")[0]!.toUpperCase() === (row.cmd ?? "").split(" ")[0]!.toUpperCase();
}

function named(record: JsonRecord): string {
  return `${record.command} of ${record.client} at ${record.start}, ${record.latency_us} µs`;
}

/** Whole µs of a time in ns, which is too large to be exact as a number. */
function microseconds(nanoseconds: string): number {
  return Number(nanoseconds.slice(0, -3));
}

function isoMicroseconds(text: string): number {
  return Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, 26));
}

function endpoint(text: string): string {
  return text.replace(/[[\]]/g, "").toLowerCase();
}
