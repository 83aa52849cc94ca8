import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { identities } from "../../src/aggregate/counters.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { MemorySource, OPTIONS } from "../properties/run.ts";
import { random } from "../properties/simulation.ts";
import { BEGIN_US, batchOf } from "../support/segments.ts";
import { redisDialogue } from "./dialogues.ts";
import { FOUND, OPEN } from "./found.ts";
import { KINDS, runCase } from "./kinds.ts";
import { wounded } from "./mutate.ts";
import { batchOfFrames, framesOfBatch } from "./records.ts";

/** Seeds from 1 on, as many as there is time for: `npm run fuzz` goes on from others. */
const KIND_MS = 2000;
const MOST_CASES = 4000;
/** On a machine that has no time for them, too. */
const LEAST_CASES = 6;

for (const kind of Object.keys(KINDS)) {
  test(`mutated ${kind}: nothing thrown, nothing untrue, nothing left behind`, async () => {
    const until = performance.now() + KIND_MS;
    for (let seed = 1; seed <= LEAST_CASES || (seed <= MOST_CASES && performance.now() < until); seed++) {
      assert.deepEqual(await runCase(kind, seed), [], `npm run fuzz -- --case ${kind}:${seed}`);
    }
  });
}

for (const [name, why] of FOUND) {
  test(`what was found stays mended: ${name}, ${why}`, async () => {
    const [kind, seed] = name.split(":");
    assert.deepEqual(await runCase(kind!, Number(seed)), []);
  });
}

for (const [name, why] of OPEN) {
  test(`not mended yet: ${name}, ${why}`, { todo: true }, async () => {
    const [kind, seed] = name.split(":");
    assert.deepEqual(await runCase(kind!, Number(seed)), []);
  });
}

test("a pipeline that lives through thousands of mutated dialogues holds no more than one that has just begun", () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const pipeline = new Pipeline(OPTIONS, new MemorySource([], 1), [{ transaction: () => undefined }], () => ({}));
  let laterUs = 0;
  const run = (seeds: number): number => {
    for (let seed = 1; seed <= seeds; seed++) {
      const below = random(seed);
      const frames = wounded(framesOfBatch(batchOf(redisDialogue(below).truth.frames)), below);
      // Each begins when the last one's connections are forgotten. A clock that jumped ahead would never move again.
      laterUs += 700_000_000;
      const latestUs = BEGIN_US + laterUs + 60_000_000;
      const moved = frames.map((frame) => ({ ...frame, timeUs: Math.min(frame.timeUs + laterUs, latestUs) }));
      const batch = batchOfFrames(moved);
      pipeline.consume(batch, batch.length, Number.POSITIVE_INFINITY);
    }
    assert.deepEqual(identities(pipeline.snapshot()), []);
    gc();
    return process.memoryUsage().heapUsed;
  };
  // As many as stay awake (src/transactions/awake.ts), and some more.
  const before = run(2500);
  const after = run(1500);
  assert.ok(after - before < 4 << 20, `${after - before} bytes more`);
  pipeline.finish();
  assert.equal(pipeline.table.reassembly.heldBytes, 0);
  assert.equal(pipeline.requestsHeld, 0);
});
