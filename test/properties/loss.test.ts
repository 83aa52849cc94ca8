import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ETHERNET, type TestSegment } from "../support/segments.ts";
import { falsehoods } from "./judge.ts";
import { plans, runs } from "./plans.ts";
import { runSegments } from "./run.ts";
import { inResp, shownWhole, withoutCommands } from "./shown.ts";
import { random, simulate } from "./simulation.ts";

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

/** A value of commands whose beginning was lost: told as requests without a response, never paired (native-notes/limits.md). */
const MISREAD = /^no such request: .*, gap, flags/;

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
    it(`tells no pair that is not true of a client that ${client}, whatever was lost after the handshake`, () => {
      let told = 0;
      let dialogues = 0;
      let misread = 0;
      for (const plan of fc.sample(plans(client), { ...runs(400), seed: 7 })) {
        const truth = simulate(plan);
        for (let round = 0; round < 4; round++) {
          const frames = survivors(truth.frames.slice(3), random(plan.seed + round));
          const result = runSegments([...truth.frames.slice(0, 3), ...frames]);
          const lies = falsehoods(result, truth);
          const lasting = lies.filter((lie) => !MISREAD.test(lie));
          assert.deepEqual(lasting, [], `seed ${plan.seed}, round ${round}`);
          told += result.answered.length;
          dialogues++;
          if (lies.length > 0) misread++;
        }
      }
      assert.ok(told > 400, "the capture still shows something");
      assert.ok(misread * 500 < dialogues, `in ${misread} of ${dialogues} a value is taken for requests`);
    });
  }

  for (const client of ["batches", "free"] as const) {
    it(`tells no pair that is not true of a client that ${client}, however little of each frame is captured`, () => {
      const property = fc.property(plans(client), fc.integer({ min: 70, max: 130 }), (short, snaplen) => {
        // A value of commands whose beginning was cut off is what native-notes/limits.md says of one that was lost.
        const repeated = Array.from({ length: 5 }, () => short.exchanges.map(withoutCommands)).flat();
        const truth = simulate({ ...short, exchanges: repeated });
        const lies = falsehoods(runSegments(truth.frames, { snaplen, wire: ETHERNET }), truth);
        assert.deepEqual(
          lies.filter((lie) => !MISREAD.test(lie)),
          [],
        );
      });
      fc.assert(property, runs(300));
    });
  }

  // Where many are lost at a time, both directions are: then the client has to show three times that it waits.
  for (const [burst, share] of [
    [1, 0.97],
    [5, 0.89],
  ] as const) {
    it(`still finds nearly all that it shows whole of a client that waits, on long connections, frames lost ${burst} at a time`, () => {
      let whole = 0;
      let found = 0;
      for (const short of fc.sample(plans("waits", { segmentBytes: 1448, delayUs: 50 }), { numRuns: 40, seed: 3 })) {
        const plan = { ...short, exchanges: Array.from({ length: 40 }, () => short.exchanges.map(inResp)).flat() };
        const truth = simulate(plan);
        const frames = truth.frames.filter((_, i) => random(plan.seed + Math.floor(i / burst))(100) >= 5);
        whole += shownWhole(frames, plan, truth.pairs);
        found += runSegments(frames).answered.length;
      }
      assert.ok(found > share * whole, `${found} of ${whole}`);
    });
  }
});
