import { rmSync } from "node:fs";
import { join } from "node:path";
import { listenTo } from "../support/http.ts";
import { freePort, startRedis } from "../support/servers.ts";
import { cacheFolder } from "./captures.ts";
import { benchmark, paced } from "./load.ts";
import { type Running, sleep } from "./measure.ts";
import { capturing, needCapture, SETTLE_MS, tcplat } from "./programs.ts";
import { type Bench, count, type Row } from "./rows.ts";
import { total } from "./summary.ts";
import { latenciesUs, type Quantiles, quantilesUs } from "./truth.ts";

/** What tcplat showed of a run, and what tcpdump's file of the same run says. */
export interface Comparison {
  readonly shown: Quantiles;
  readonly true: Quantiles;
  readonly framesDropped: number;
}

/** Captures one load with both at once. `during` is given tcplat's metrics port. */
export async function compare(port: number, during: (metricsPort: number) => Promise<void>): Promise<Comparison> {
  const file = join(cacheFolder(), `accuracy-${process.pid}.pcap`);
  const [statsPort, metricsPort] = [await freePort(), await freePort()];
  const filter = ["tcp", "port", `${port}`];
  const ports = ["-P", `${statsPort}`, "--metrics-port", `${metricsPort}`];
  const started: Running[] = [];
  try {
    const truth = ["-i", "lo", "--nano", "-B", "65536", "-s", "96", "-w", file, ...filter];
    const tcpdump = await capturing(["tcpdump", "-Z", "root", ...truth]);
    started.push(tcpdump);
    const ours = await capturing(tcplat("-i", "lo", "-q", "--json", "-p", "redis", ...ports, ...filter));
    started.push(ours);
    await during(metricsPort);
    await sleep(SETTLE_MS);
    const shown = shownBy(await listenTo(statsPort), port);
    const { stdout } = await ours.stop();
    const { stderr } = await tcpdump.stop();
    if (!/^0 packets dropped by kernel/m.test(stderr)) throw new Error(`tcpdump dropped frames: ${stderr}`);
    const measured = quantilesUs(latenciesUs(file, port));
    return { shown, true: measured, framesDropped: total(stdout, "capture_dropped_frames") };
  } finally {
    for (const running of started) if (!running.hasEnded) await running.stop("SIGKILL");
    rmSync(file, { force: true });
  }
}

/** Of the stats port's document. Where several addresses were asked, the one asked most. */
function shownBy(document: string, port: number): Quantiles {
  const servers = JSON.parse(document) as Record<string, { responses: number; p50_ms: number; p99_ms: number }>;
  const [first] = Object.entries(servers)
    .filter(([name]) => name.endsWith(`:${port}`))
    .map(([, server]) => server)
    .toSorted((a, b) => b.responses - a.responses);
  if (first === undefined) throw new Error(`tcplat has seen no server: ${document}`);
  return { count: first.responses, p50Us: first.p50_ms * 1000, p99Us: first.p99_ms * 1000 };
}

/** Both quantiles of the run in which they lie furthest from the truth, and whether that is within 2 % or 2 µs. */
export function accuracyRows(work: string, runs: readonly Comparison[]): Row[] {
  const difference = (run: Comparison, quantile: "p50Us" | "p99Us") =>
    Math.abs(run.shown[quantile] - run.true[quantile]);
  const excess = (run: Comparison, quantile: "p50Us" | "p99Us") =>
    difference(run, quantile) / Math.max(2, run.true[quantile] * 0.02);
  return (["p50Us", "p99Us"] as const).map((quantile) => {
    const worst = runs.toSorted((a, b) => excess(b, quantile) - excess(a, quantile))[0]!;
    const us = (of: Quantiles) => `${of[quantile].toFixed(1)} µs of ${count(of.count)}`;
    return {
      work: `${work}, ${quantile.slice(0, 3)}, worst run`,
      tcplat: us(worst.shown),
      beside: `tcpdump's file ${us(worst.true)}`,
      ratio: (worst.shown[quantile] / worst.true[quantile]).toFixed(3),
      target: "within 2 % or 2 µs",
      isMet: excess(worst, quantile) <= 1,
    };
  });
}

const LOADS = [
  { name: "100 requests/s", load: (port: number) => paced(port, 100, 5000) },
  { name: "10,000 requests/s", load: (port: number) => paced(port, 10_000, 3000) },
  { name: "all-out", load: async (port: number) => void (await benchmark(port, 200_000)) },
] as const;

export const accuracy: Bench = {
  name: "accuracy",
  about: "p50 and p99, live, against those of a tcpdump -w of the same run",
  run: async ({ runs }) => {
    needCapture("tcpdump", "redis-server", "redis-benchmark");
    const rows: Row[] = [];
    for (const { name, load } of LOADS) {
      const found: Comparison[] = [];
      for (let round = 0; round < runs; round++) {
        const redis = await startRedis();
        try {
          found.push(await compare(redis.port, () => load(redis.port)));
        } finally {
          await redis.stop();
        }
      }
      rows.push(...accuracyRows(`accuracy at ${name}`, found));
    }
    return rows;
  },
};
