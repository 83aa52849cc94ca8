import { resolve } from "node:path";
import { TcplatError } from "../errors.ts";
import type { Options, WriteOptions } from "../options.ts";
import { completionShell } from "./completion.ts";
import { type DiffWords, diffWords } from "./diff.ts";
import { readDumpOptions, readMatchingBuffer } from "./dump-slow.ts";
import { type ExplainWords, explainable, explainWords } from "./explain.ts";
import { FILTER_KEY, find, findOrPreset, type Given, type GivenOptions, isOn, refused } from "./given.ts";
import { readRawOptions } from "./raw.ts";
import { readReport, reportWords } from "./report.ts";
import { readScripts } from "./script.ts";
import { AUTO, parseProtocols, parseServer } from "./selections.ts";
import { parseChoice, parseFlag, parseListenAddress, parseTime, parseWhole } from "./values.ts";
import { readWords } from "./words.ts";

/** pino's levels, least important first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** How the program's own log is written. */
export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number];
  readonly format: "text" | "json";
}

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "help" | "version" | "list-interfaces" }
  | { readonly kind: "completion"; readonly shell: "bash" | "zsh" | "fish" }
  | { readonly kind: "run" | "doctor"; readonly options: Options; readonly log: LogOptions }
  | { readonly kind: "diff"; readonly files: DiffWords; readonly options: Options; readonly log: LogOptions }
  | { readonly kind: "explain"; readonly id: ExplainWords["id"]; readonly options: Options; readonly log: LogOptions };

/** What parsing needs from outside, so that it stays a pure function of its arguments. */
export interface ParseSurroundings {
  /** The names of the known protocols, without `auto`. */
  readonly protocols: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readConfig(path: string): GivenOptions;
}

/** 2 GiB less one byte is what libpcap's `int` can say. */
const MAX_BUFFER_KIB = 2_097_151;
/** libpcap's MAXIMUM_SNAPLEN; tcpdump's default. */
const MAX_SNAPLEN = 262_144;
/** Fewer would cut the headers of link, IP and TCP. */
const MIN_SNAPLEN = 64;
const MAX_CONNECTIONS = 10_000_000;
/** More cores than anybody has. */
const MAX_CPU_PERCENT = 100_000;
/** As many as there are shares of the connections (decode/share.ts). */
const MAX_WORKERS = 16;
const YEAR_SECONDS = 366 * 86_400;

/** Reads a command line, without node and the script. Throws TcplatError: "usage", or "file" for `--config`. */
export function parseCommandLine(words: readonly string[], surroundings: ParseSurroundings): Invocation {
  const typed = readWords(words);
  // Before a command asks for its words: whoever asks for help need not know them yet.
  for (const kind of ["help", "version", "list-interfaces"] as const) {
    if (isOn(typed, kind)) return { kind };
  }
  const shell = completionShell(typed);
  if (shell !== null) return { kind: "completion", shell };
  const files = diffWords(words, typed);
  const explained = explainWords(words, typed);
  const fromWords = files?.given ?? explained?.given ?? reportWords(typed) ?? typed;
  const configPath = fromWords.get("config")?.[0]?.text;
  const given = configPath === undefined ? fromWords : overruled(surroundings.readConfig(configPath), fromWords);
  // `doctor` by itself is no filter libpcap would take.
  const isDoctor = fromWords.get(FILTER_KEY)?.[0]?.text === "doctor";
  const options = readOptions(given, surroundings.protocols);
  const log = readLogOptions(given, surroundings.env);
  if (options.raw !== null && (files ?? explained) !== null) {
    throw new TcplatError("usage", "-p raw has no meaning here, where requests are looked at: name their protocol");
  }
  if (files !== null) return { kind: "diff", files, options, log };
  if (explained !== null) return { kind: "explain", id: explained.id, options: explainable(options), log };
  return isDoctor ? { kind: "doctor", options: { ...options, filter: "" }, log } : { kind: "run", options, log };
}

/** What the words say wins: `-i`, too, over a `read` of the configuration file. */
function overruled(config: GivenOptions, words: GivenOptions): GivenOptions {
  const given = new Map([...config, ...words]);
  if (words.has("interface") && !words.has("read")) given.delete("read");
  return given;
}

function readOptions(given: GivenOptions, protocols: readonly string[]): Options {
  const one = (name: string): Given => findOrPreset(given, name);
  const selections = given.has("protocol") ? parseProtocols(given.get("protocol") ?? [], protocols) : [AUTO];
  const options: Options = {
    interface: one("interface").text,
    read: find(given, "read")?.text ?? null,
    write: readWriteOptions(given),
    protocols: selections,
    raw: readRawOptions(given, selections),
    thresholdUs: readOptional(given, "threshold", (each) => parseTime(each, 0)),
    condition: readOptional(given, "filter", ({ text, place }) => ({ expression: text, place })),
    count: readOptional(given, "count", (each) => parseWhole(each, 1, Number.MAX_SAFE_INTEGER)),
    snaplen: readSnaplen(one("snaplen")),
    bufferKib: parseWhole(one("buffer-size"), 64, MAX_BUFFER_KIB),
    vlan: parseFlag(one("vlan")),
    json: parseFlag(one("json")),
    quiet: parseFlag(one("quiet")),
    engine: parseChoice(one("engine"), ["libpcap", "cap"]),
    side: parseChoice(one("side"), ["auto", "client", "server"]),
    servers: (given.get("server") ?? []).map(parseServer),
    details: parseFlag(one("details")),
    showValues: parseFlag(one("show-values")),
    scripts: readScripts(given),
    httpPathDepth: readOptional(given, "http-path-depth", (each) => parseWhole(each, 1, 128)),
    dumpSlow: readDumpOptions(given),
    report: readReport(given),
    ...readPorts(given),
    ...readLimits(given),
    workers: parseWhole(one("workers"), 1, MAX_WORKERS),
    filter: find(given, FILTER_KEY)?.text.trim() ?? "",
  };
  checkTogether(options, given);
  return options;
}

type Ports = Pick<Options, "statsPort" | "statsHost" | "metricsPort" | "metricsHost">;

function readPorts(given: GivenOptions): Ports {
  return {
    statsPort: readListenPort(given, "stats-port"),
    statsHost: parseListenAddress(findOrPreset(given, "stats-host")),
    metricsPort: readListenPort(given, "metrics-port"),
    metricsHost: parseListenAddress(findOrPreset(given, "metrics-host")),
  };
}

type Limits = Pick<Options, "idleTimeoutUs" | "requestTimeoutUs" | "maxConnections" | "maxCpuPercent">;

function readLimits(given: GivenOptions): Limits {
  return {
    idleTimeoutUs: parseTime(findOrPreset(given, "idle-timeout"), 1_000_000),
    requestTimeoutUs: parseTime(findOrPreset(given, "request-timeout"), 1000),
    maxConnections: parseWhole(findOrPreset(given, "max-connections"), 1, MAX_CONNECTIONS),
    maxCpuPercent: readOptional(given, "max-cpu", (each) => readMaxCpu(each, given)),
  };
}

/** What is null where it is not given. */
function readOptional<T>(given: GivenOptions, name: string, read: (found: Given) => T): T | null {
  const found = find(given, name);
  return found === undefined ? null : read(found);
}

/** What is right by itself and wrong together. */
function checkTogether(options: Options, given: GivenOptions): void {
  if (options.statsPort !== 0 && options.statsPort === options.metricsPort) {
    throw new TcplatError(
      "usage",
      `stats and metrics cannot share port ${options.statsPort}: choose another --metrics-port`,
    );
  }
  const [condition] = given.get("filter") ?? [];
  if (
    condition !== undefined &&
    options.quiet &&
    options.scripts.length === 0 &&
    options.dumpSlow === null &&
    options.write?.matchingBufferBytes == null
  ) {
    throw refused(condition, "with -q there is nothing that it could choose from: leave one of them out");
  }
  if (options.read === null) return;
  if (given.get("interface")?.[0]?.isFromCommandLine && given.get("read")?.[0]?.isFromCommandLine) {
    throw new TcplatError("usage", "-i captures and -r reads a file: give one of them");
  }
  if (options.engine === "cap") throw new TcplatError("usage", "--engine cap cannot read files: leave it out with -r");
  if (options.write !== null && options.read !== "-" && resolve(options.write.file) === resolve(options.read)) {
    throw new TcplatError("usage", "-w would overwrite the file that -r reads: write to another one");
  }
}

/** `-s 0` means "whole frames", as in tcpdump. */
function readSnaplen(given: Given): number {
  return given.text === "0" ? 65_535 : parseWhole(given, MIN_SNAPLEN, MAX_SNAPLEN);
}

/** A file is read whole, and gives the same numbers each time. */
function readMaxCpu(maxCpu: Given, given: GivenOptions): number | null {
  const percent = parseWhole(maxCpu, 1, MAX_CPU_PERCENT);
  if (!given.has("read")) return percent;
  if (!maxCpu.isFromCommandLine) return null;
  throw refused(maxCpu, "-r reads the whole file, whatever that costs: leave it out");
}

/** With `-r` only a port named on the command line is opened. */
function readListenPort(given: GivenOptions, name: string): number {
  const found = findOrPreset(given, name);
  const port = parseWhole(found, 0, 65_535);
  return given.has("read") && !found.isFromCommandLine ? 0 : port;
}

function readWriteOptions(given: GivenOptions): WriteOptions | null {
  const file = find(given, "write");
  const [size, seconds, count] = ["rotate-size", "rotate-seconds", "rotate-count"].map((name) => find(given, name));
  if (file === undefined) {
    readMatchingBuffer(given);
    const alone = size ?? seconds ?? count;
    if (alone !== undefined) throw refused(alone, "it rotates the file of -w: give --write FILE, too");
    return null;
  }
  if (file.text === "-") throw refused(file, "standard output carries the transactions: name a file");
  if (count !== undefined && size === undefined && seconds === undefined) {
    throw refused(count, "it counts the files that -C or -G makes: give one of them, too");
  }
  return {
    file: file.text,
    rotateBytes: size === undefined ? null : parseWhole(size, 1, 1_000_000) * 1_000_000,
    rotateSeconds: seconds === undefined ? null : parseWhole(seconds, 1, YEAR_SECONDS),
    fileCount: count === undefined ? null : parseWhole(count, 1, 1_000_000),
    matchingBufferBytes: readMatchingBuffer(given),
  };
}

/** The command line wins over TCPLAT_LOG, and that over the configuration file. */
function readLogOptions(given: GivenOptions, env: ParseSurroundings["env"]): LogOptions {
  const level = findOrPreset(given, "log-level");
  const fromEnv = env.TCPLAT_LOG ?? "";
  const wins = fromEnv === "" || level.isFromCommandLine;
  return {
    level: parseChoice(wins ? level : { text: fromEnv, place: "TCPLAT_LOG", isFromCommandLine: false }, LOG_LEVELS),
    format: parseChoice(findOrPreset(given, "log-format"), ["text", "json"]),
  };
}
