import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { TestSegment } from "../support/segments.ts";
import { falsehoods } from "./judge.ts";
import { plans, runs } from "./plans.ts";
import { runSegments } from "./run.ts";
import { noteTimes, type Plan, random, simulate, type TruePair } from "./simulation.ts";

/** Frames that the capture lost, by place: some here and there, or many one after the other. */
function survivors(frames: readonly TestSegment[], next: (below: number) => number): TestSegment[] {
  const percent = [2, 10, 30, 60][next(4)]!;
  const burst = 1 + next(6);
  let left = 0;
  return frames.filter(() => {
    if (left === 0 && next(100 * burst) < percent) left = burst;
    if (left === 0) return true;
    left--;
    return false;
  });
}

/** A client that ever sends with a response still due can hide it in what was lost; then a wrong pair must at least be rare. */
const RARE = 1 / 500;

function wrongShare(client: Plan["client"], numRuns: number): number {
  let pairs = 0;
  let wrong = 0;
  for (const plan of fc.sample(plans(client), { numRuns, seed: 7 })) {
    const truth = simulate(plan);
    for (let round = 0; round < 4; round++) {
      const result = runSegments(survivors(truth.frames, random(plan.seed + round)));
      assert.deepEqual(result.violations, []);
      pairs += result.answered.length;
      const startsOfLies = falsehoods(result, truth).filter((lie) => /^(end|no such request).* bytes at /.test(lie));
      wrong += startsOfLies.length;
    }
  }
  assert.ok(pairs > numRuns, "the capture still shows something");
  return wrong / pairs;
}

describe("a capture that lost frames", () => {
  it("tells nothing that is not true of a client that waits, whichever single frame was lost", () => {
    const property = fc.property(plans("waits"), (plan) => {
      const truth = simulate(plan);
      for (let lost = 0; lost < Math.min(truth.frames.length, 40); lost++) {
        const result = runSegments(truth.frames.filter((_, i) => i !== lost));
        assert.deepEqual(falsehoods(result, truth), [], `without frame ${lost}`);
      }
    });
    fc.assert(property, runs(60));
  });

  it("tells nothing that is not true of a client that waits, whatever was lost", () => {
    const property = fc.property(plans("waits"), fc.boolean(), fc.integer(), (plan, hasHandshake, seed) => {
      const truth = simulate({ ...plan, hasHandshake });
      const result = runSegments(survivors(truth.frames, random(seed)));
      assert.deepEqual(falsehoods(result, truth), []);
    });
    fc.assert(property, runs(300));
  });

  it("keeps all identities after every frame, whatever was lost", () => {
    const property = fc.property(plans("free"), fc.integer(), (plan, seed) => {
      const truth = simulate(plan);
      const result = runSegments(survivors(truth.frames, random(seed)), { checksEveryFrame: true });
      assert.deepEqual(result.violations, []);
    });
    fc.assert(property, runs(60));
  });

  for (const client of ["batches", "free"] as const) {
    it(`tells hardly ever a wrong pair of a client that ${client}`, () => {
      const share = wrongShare(client, runs(150).numRuns);
      assert.ok(share < RARE, `${(100 * share).toFixed(3)} % of the pairs are wrong`);
    });
  }

  for (const burst of [1, 5]) {
    it(`still finds nearly all that it shows whole of a client that waits, frames lost ${burst} at a time`, () => {
      let whole = 0;
      let found = 0;
      for (const short of fc.sample(plans("waits", { segmentBytes: 1448, delayUs: 50 }), { numRuns: 40, seed: 3 })) {
        const plan = { ...short, exchanges: Array.from({ length: 10 }, () => short.exchanges).flat() };
        const truth = simulate(plan);
        const frames = truth.frames.filter((_, i) => random(plan.seed + Math.floor(i / burst))(100) >= 5);
        whole += shownWhole(frames, plan, truth.pairs);
        found += runSegments(frames).answered.length;
      }
      assert.ok(found > 0.97 * whole, `${found} of ${whole}`);
    });
  }
});

/** Pairs of which every byte is in these frames. */
function shownWhole(frames: readonly TestSegment[], plan: Plan, pairs: readonly TruePair[]): number {
  const again = pairs.map((pair) => ({ ...pair }));
  noteTimes(plan, frames, again);
  return again.filter((pair) => Number.isFinite(pair.requestEndUs) && Number.isFinite(pair.endUs)).length;
}
