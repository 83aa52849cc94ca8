import assert from "node:assert/strict";
import { it } from "node:test";
import { CostMeter, type Reading } from "../../src/cost/meter.ts";

const reading = (atMs: number, cpuMs: number, frames: number): Reading => ({
  atMs,
  cpuUs: cpuMs * 1000,
  residentBytes: 1e6 + frames,
  frames,
});

it("tells the use of a core since the last reading, of as many threads as there are", () => {
  const meter = new CostMeter(reading(100, 50, 0));
  assert.deepEqual(meter.take(reading(600, 150, 0)), { use: 0.2, seconds: 0.5 });
  assert.deepEqual(meter.take(reading(1600, 2150, 0)), { use: 2, seconds: 1 });
  assert.deepEqual(meter.take(reading(1600, 2150, 0)), { use: 0, seconds: 0 });
});

it("has a number for everything, after one reading and after two", () => {
  const meter = new CostMeter(reading(100, 50, 7));
  const first = { cpuRatio: 0, maxCpuRatio: null, cpuSeconds: 0.05, residentBytes: 1_000_007, framesPerSecond: 0 };
  assert.deepEqual(meter.counters(null), { ...first, eventLoopDelayUs: 0 });
  meter.take(reading(600, 100, 57));
  const second = { cpuRatio: 0.1, maxCpuRatio: 0.25, cpuSeconds: 0.1, residentBytes: 1_000_057, framesPerSecond: 100 };
  assert.deepEqual(meter.counters(0.25), { ...second, eventLoopDelayUs: 0 });
});

it("forgets what was more than ten seconds ago", () => {
  const meter = new CostMeter(reading(0, 0, 0));
  meter.wasLate(30_000);
  meter.take(reading(500, 500, 50_000));
  meter.wasLate(2000);
  meter.wasLate(1000);
  for (let i = 1; i <= 19; i++) meter.take(reading(500 + i * 500, 500 + i * 5, 50_000 + i));
  assert.equal(meter.counters(null).eventLoopDelayUs, 30_000);
  assert.ok(meter.counters(null).cpuRatio > 0.05);
  meter.take(reading(10_500, 600, 50_020));
  const lately = meter.counters(null);
  assert.equal(lately.cpuRatio, 0.01);
  assert.equal(lately.framesPerSecond, 2);
  assert.equal(lately.eventLoopDelayUs, 2000);
  assert.equal(lately.cpuSeconds, 0.6);
  meter.wasLate(5000);
  assert.equal(meter.counters(null).eventLoopDelayUs, 5000, "what happens now counts at once");
});
