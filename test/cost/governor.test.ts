import assert from "node:assert/strict";
import { it } from "node:test";
import { Governor } from "../../src/cost/governor.ts";
import { until } from "../support/until.ts";

/** A governor with all that it says and asks for. */
function governor(maxCpuPercent: number | null) {
  const said: string[] = [];
  const ratios: number[] = [];
  const log = {
    info: (message: string) => void said.push(`info ${message}`),
    warn: (message: string) => void said.push(`warn ${message}`),
  };
  const sample = (ratio: number) => void ratios.push(ratio);
  return { governor: new Governor({ maxCpuPercent, frames: () => 7, sample, log }), said, ratios };
}

it("says once that it begins to sample, and once that it has ended", () => {
  const run = governor(20);
  for (let tick = 0; tick < 60; tick++) run.governor.govern(0.05 + 0.95 * (run.ratios.at(-1) ?? 1), 0.5);
  assert.ok(run.ratios.length > 1, "several steps");
  assert.equal(run.said.length, 1);
  assert.match(
    run.said[0]!,
    /^warn CPU use is above --max-cpu 20: only a sample .* 17 % at first \(tcplat_sampling_ratio\)$/,
  );
  for (let tick = 0; tick < 300; tick++) run.governor.govern(0.01, 0.5);
  assert.equal(run.ratios.at(-1), 1);
  assert.deepEqual(run.said.slice(1), ["info all connections are analysed again, within --max-cpu 20"]);
});

it("says once that sampling does not help where capturing alone takes too much", () => {
  const run = governor(5);
  for (let tick = 0; tick < 200; tick++) run.governor.govern(0.4, 0.5);
  assert.equal(run.ratios.at(-1), 0.01);
  assert.equal(run.said.length, 2);
  assert.match(
    run.said[1]!,
    /^warn CPU use is 40 % with 1 % of the connections, too: .* --max-cpu 5\. A narrower filter/,
  );
});

it("without --max-cpu only measures", () => {
  const run = governor(null);
  for (let tick = 0; tick < 20; tick++) run.governor.govern(5, 0.5);
  assert.deepEqual([run.ratios, run.said], [[], []]);
  const counters = run.governor.counters();
  assert.equal(counters.maxCpuRatio, null);
  assert.ok(counters.cpuSeconds > 0 && counters.residentBytes > 1e7);
});

it("measures by itself once started: a busy event loop is late, and uses a core", async () => {
  const BUSY_US = 700_000;
  const beganMs = performance.now();
  const run = governor(1000);
  run.governor.start();
  // By this process' own CPU time: a busy machine gives it less than a core.
  const { user, system } = process.cpuUsage();
  for (let used = 0; used < BUSY_US; ) {
    const now = process.cpuUsage();
    used = now.user + now.system - user - system;
  }
  await until("a reading", () => run.governor.counters().cpuRatio > 0);
  run.governor.stop();
  const { cpuRatio, eventLoopDelayUs, maxCpuRatio } = run.governor.counters();
  const elapsedUs = (performance.now() - beganMs) * 1000;
  assert.equal(maxCpuRatio, 10);
  assert.ok(eventLoopDelayUs > 500_000, `${eventLoopDelayUs}`);
  assert.ok(cpuRatio * elapsedUs > BUSY_US * 0.99, `${cpuRatio} of ${elapsedUs} µs`);
});
