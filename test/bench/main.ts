/** `npm run bench`: one table, or some of its rows: `npm run bench -- read-unpipelined idle --runs 3`. */
import { availableParallelism, cpus, loadavg } from "node:os";
import { libpcapVersion } from "../../src/capture/libpcap.ts";
import { accuracy } from "./accuracy.ts";
import { idle } from "./idle.ts";
import { livePipelined, liveUnpipelined } from "./live.ts";
import { memory } from "./memory.ts";
import { PIECES } from "./pieces.ts";
import { print } from "./print.ts";
import { versions } from "./programs.ts";
import { RATES } from "./rates.ts";
import { readChurn, readLong, readPipelined, readTshark, readUnpipelined, readValues } from "./read.ts";
import { type Bench, Skipped, skippedRow, tableHead, tableLine } from "./rows.ts";
import { scrape } from "./scrape.ts";
import { stages } from "./stages.ts";
import { startUp } from "./start-up.ts";
import { veth } from "./veth.ts";
import { workers } from "./workers.ts";

const READ = [readUnpipelined, readLong, readPipelined, readValues, readChurn, print, readTshark, workers];
const LIVE = [liveUnpipelined, livePipelined, veth, accuracy];
const BENCHES: readonly Bench[] = [...READ, ...RATES, ...LIVE, idle, memory, scrape, startUp, stages, ...PIECES];

const DEFAULT_RUNS = 5;

function usage(): string {
  const width = Math.max(...BENCHES.map(({ name }) => name.length));
  const lines = BENCHES.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`);
  return `npm run bench -- [--runs N] [NAME …]\n${lines.join("\n")}\nTCPKIT=PATH measures a tcpkit beside.\n`;
}

function machine(runs: number): string {
  const model = cpus()[0]?.model ?? process.arch;
  const load = loadavg()[0]!.toFixed(2);
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  const software = `Node ${process.versions.node}, ${libpcapName()}, ${versions()}`;
  return `${date} UTC, ${availableParallelism()} cores, ${model}, ${software}. Medians of ${runs}; load at the start ${load}.\n\n`;
}

function libpcapName(): string {
  return (
    /libpcap(?: version)? [\d.]+/.exec(libpcapVersion())?.[0].replace(" version", "") ?? `libpcap ${libpcapVersion()}`
  );
}

async function rowsOf(bench: Bench, runs: number): Promise<string> {
  process.stderr.write(`bench: ${bench.name}\n`);
  try {
    return (await bench.run({ runs })).map(tableLine).join("");
  } catch (error) {
    if (error instanceof Skipped) return tableLine(skippedRow(bench.name, error.message));
    throw error;
  }
}

async function main(words: readonly string[]): Promise<number> {
  const at = words.indexOf("--runs");
  const runs = at < 0 ? DEFAULT_RUNS : Number(words[at + 1]);
  const names = at < 0 ? words : words.toSpliced(at, 2);
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(usage());
    return names.includes("--help") ? 0 : 2;
  }
  const chosen = names.length === 0 ? BENCHES : BENCHES.filter(({ name }) => names.includes(name));
  process.stdout.write(machine(runs) + tableHead());
  let status = 0;
  for (const bench of chosen) {
    try {
      process.stdout.write(await rowsOf(bench, runs));
    } catch (error) {
      status = 1;
      process.stdout.write(tableLine(skippedRow(bench.name, "it failed")));
      process.stderr.write(`bench: ${bench.name}: ${(error as Error).stack}\n`);
    }
  }
  process.stdout.write(`\nLoad at the end ${loadavg()[0]!.toFixed(2)}.\n`);
  return status;
}

// Whatever was started ends with this process, if that ends in order.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
process.exit(await main(process.argv.slice(2)));
