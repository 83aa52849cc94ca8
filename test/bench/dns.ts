import { Pipeline } from "../../src/pipeline.ts";
import { MemorySource, OPTIONS } from "../properties/run.ts";
import { answer, question } from "../support/dns.ts";
import { batchOf, datagram, type TestHost, type TestSegment } from "../support/segments.ts";
import { atLeast, type Bench, plainRow, type Row } from "./rows.ts";

const QUESTIONS = 100_000;
const SERVER: TestHost = { address: "10.9.0.2", port: 53 };
/** Between two questions. */
const GAP_US = 100;

/** Questions and their answers, from so many ports in turn. */
function traffic(ports: number): Uint8Array {
  const frames: TestSegment[] = [];
  for (let n = 0; n < QUESTIONS; n++) {
    const host = ports < QUESTIONS / 2 ? 1 : 1 + Math.floor(n / ports);
    const client = { address: `10.0.0.${host}`, port: 1024 + (n % ports) };
    const name = `host${n % 1000}.www.example.com`;
    frames.push(datagram(n * GAP_US, client, SERVER, question(n & 0xffff, name), n & 0xffff));
    frames.push(datagram(n * GAP_US + 50, SERVER, client, answer(n & 0xffff, name), n & 0xffff));
  }
  return batchOf(frames);
}

/** Million frames a second of CPU, of the stages alone. */
function measure(batch: Uint8Array): number {
  const pipeline = new Pipeline(OPTIONS, new MemorySource([batch], 1), [], () => ({}));
  const before = process.cpuUsage();
  pipeline.consume(batch, batch.length, Number.POSITIVE_INFINITY);
  const { user, system } = process.cpuUsage(before);
  if (pipeline.snapshot().responses !== QUESTIONS) throw new Error("not every answer was paired");
  return (2 * QUESTIONS) / (user + system);
}

function row(work: string, ports: number, runs: number): Row {
  const batch = traffic(ports);
  // The first makes the code warm.
  const found = Array.from({ length: runs + 1 }, () => measure(batch)).slice(1);
  const median = found.sort((a, b) => a - b)[Math.floor(found.length / 2)]!;
  return plainRow(work, median, (value) => `${value.toFixed(2)} M frames/s`, atLeast(1, " M frames/s"));
}

export const dns: Bench = {
  name: "dns",
  about: "DNS in datagrams, from few ports and each question from another",
  run: ({ runs }) =>
    Promise.resolve([row("DNS, from 50 ports", 50, runs), row("DNS, each question from another port", 60_000, runs)]),
};
