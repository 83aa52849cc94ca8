import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { hasEnded, missingProgram, type RealServer, spawnIn, startRedis } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { inCalm } from "../support/tries.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server", "redis-benchmark") ?? false;

const REQUESTS = 200_000;
/** For each of its runs redis-benchmark asks once for the server's configuration. */
const QUESTIONS = 2;

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

describe("redis-benchmark at full speed, captured live on lo", { skip }, () => {
  for (const [name, pipeline] of [
    ["one request at a time on each of 50 connections", []],
    ["16 requests at a time on each of 50 connections", ["-P", "16"]],
  ] as const) {
    it(`loses no frame and pairs every request: ${name}`, (t) =>
      // The kernel's ring lasts 2 s at least: on a machine that stands still for longer frames are lost.
      inCalm(async () => {
        const words = ["-i", "lo", "-q", "--json", "-p", "redis", ...NO_PORTS, "tcp", "port", `${redis.port}`];
        const tcplat = await Tcplat.capturing(words);
        const before = cpuSeconds(tcplat);
        const load = ["-p", `${redis.port}`, "-t", "set,get", "-n", `${REQUESTS}`, "-c", "50", "-q", ...pipeline];
        const benchmark = spawnIn(undefined, "redis-benchmark", load);
        let output = "";
        for (const stream of [benchmark.stdout, benchmark.stderr]) stream?.on("data", (chunk) => (output += chunk));
        await until("redis-benchmark ends", () => hasEnded(benchmark), 120_000);
        const used = cpuSeconds(tcplat) - before;
        const { status } = await tcplat.stop();
        assert.equal(status, 0, tcplat.stderr);
        const { summary } = tcplat;
        t.diagnostic(`${used.toFixed(2)} CPU seconds for ${summary["capture_frames.lo"]} frames; ${rates(output)}`);
        assert.equal(total(summary, "capture_dropped_frames"), 0);
        const server = `redis.127.0.0.1:${redis.port}`;
        for (const command of ["SET", "GET"]) {
          assert.equal(summary[`requests.${server}.${command}`], REQUESTS, command);
          assert.equal(summary[`responses.${server}.${command}.ok`], REQUESTS, command);
        }
        assert.equal(total(summary, "requests"), 2 * REQUESTS + QUESTIONS);
        assert.equal(total(summary, "responses"), 2 * REQUESTS + QUESTIONS);
        assert.equal(total(summary, "unanswered_requests"), 0);
        assert.equal(total(summary, "unmatched_responses"), 0);
        assert.deepEqual(violations(summary), []);
        assert.ok(used < 10, `${used} CPU seconds`);
      }));
  }
});

function rates(output: string): string {
  return [...output.matchAll(/(SET|GET): ([\d.]+) requests per second/g)].map(([text]) => text).join(", ");
}

function cpuSeconds(tcplat: Tcplat): number {
  return Tcplat.cpuSeconds(readFileSync(`/proc/${tcplat.child.pid}/stat`, "latin1"));
}
