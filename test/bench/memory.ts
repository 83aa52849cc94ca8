import { startRedis } from "../support/servers.ts";
import { crowdFile } from "./crowd.ts";
import { benchmark } from "./load.ts";
import { cost, sleep } from "./measure.ts";
import { capturing, NO_PORTS, needCapture, SETTLE_MS, tcplat } from "./programs.ts";
import {
  atMost,
  type Bench,
  count,
  median,
  megabytes,
  plainRow,
  type Row,
  Skipped,
  skippedRow,
  type Target,
} from "./rows.ts";
import { total } from "./summary.ts";

const ROUNDS = 5;

async function ofFile(connections: number, runs: number, target: Target): Promise<Row> {
  const file = crowdFile(connections, ROUNDS);
  const peaks: number[] = [];
  for (let round = 0; round < runs; round++) {
    const { peakMb, stdout } = await cost(tcplat("-r", file, "-q", "--json", "-p", "redis"));
    if (total(stdout, "responses") !== connections * ROUNDS) throw new Error(`not every answer was found: ${stdout}`);
    peaks.push(peakMb);
  }
  return plainRow(`memory, a file of ${count(connections)} open connections, peak`, median(peaks), megabytes, target);
}

async function live(connections: number, runs: number): Promise<readonly Row[]> {
  needCapture("redis-server", "redis-benchmark");
  const peaks: number[] = [];
  const small: number[] = [];
  const redis = await startRedis({ words: ["--maxclients", `${connections + 100}`] });
  try {
    for (let round = 0; round < runs; round++) {
      for (const [into, buffer] of [
        [peaks, "65536"],
        [small, "2048"],
      ] as const) {
        const words = ["-i", "lo", "-q", "-p", "redis", "-B", buffer, ...NO_PORTS, "tcp", "port", `${redis.port}`];
        const running = await capturing(tcplat(...words));
        await benchmark(redis.port, 50_000, ["-c", `${connections}`]);
        await sleep(SETTLE_MS);
        into.push((await running.stop()).peakMb);
      }
    }
  } finally {
    await redis.stop();
  }
  const work = `memory, live with ${count(connections)} connections, peak`;
  return [
    plainRow(`${work}, of which up to 64 are the kernel's ring`, median(peaks), megabytes, atMost(90, " MB")),
    plainRow(`${work}, with -B 2048`, median(small), megabytes, atMost(90, " MB")),
  ];
}

export const memory: Bench = {
  name: "memory",
  about: "peak resident memory at 1,000 and at 100,000 connections",
  run: async ({ runs }) => {
    const rows = [await ofFile(1000, runs, atMost(90, " MB")), await ofFile(100_000, runs, atMost(200, " MB"))];
    try {
      rows.push(...(await live(1000, runs)));
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      rows.push(skippedRow("memory, live", error.message));
    }
    return rows;
  },
};
