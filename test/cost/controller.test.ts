import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FLOOR_RATIO, SampleController } from "../../src/cost/controller.ts";

const TICK_S = 0.5;

/** What the ratio and the use were at each tick. */
interface Course {
  readonly ratios: readonly number[];
  readonly uses: readonly number[];
}

/** A process that uses what `useOf` says, for so many seconds. */
function simulate(controller: SampleController, seconds: number, useOf: (ratio: number, second: number) => number) {
  const ratios: number[] = [];
  const uses: number[] = [];
  for (let tick = 0; tick < seconds / TICK_S; tick++) {
    const use = useOf(controller.ratio, tick * TICK_S);
    ratios.push(controller.update(use, TICK_S));
    uses.push(use);
  }
  return { ratios, uses } satisfies Course;
}

/** Capturing costs `base` in any case, all connections `all`, in per cent of a core. */
const linear = (base: number, all: number) => (ratio: number) => (base + all * ratio) / 100;

function changes(ratios: readonly number[]): number {
  return ratios.filter((ratio, i) => i > 0 && ratio !== ratios[i - 1]).length;
}

describe("a load that is too much", () => {
  const cases: readonly { name: string; budget: number; use: (ratio: number) => number }[] = [
    { name: "a little", budget: 20, use: linear(5, 17) },
    { name: "five times", budget: 20, use: linear(5, 95) },
    { name: "half the budget is for capturing", budget: 20, use: linear(10, 90) },
    { name: "nearly all the budget is for capturing", budget: 20, use: linear(15, 150) },
    { name: "on more than one core", budget: 150, use: linear(30, 370) },
  ];
  for (const { name, budget, use } of cases) {
    it(`brings fewer connections within two seconds, and rest within ten: ${name}`, () => {
      const { ratios, uses } = simulate(new SampleController(budget / 100), 120, use);
      assert.ok(ratios[3]! < 1, `${ratios.slice(0, 4)}`);
      const late = uses.slice(10 / TICK_S);
      assert.ok(Math.max(...late) <= budget / 100, `${Math.max(...late)}`);
      assert.equal(changes(ratios.slice(10 / TICK_S)), 0);
      // Not needlessly few: within the band in which nothing changes.
      assert.ok(late.at(-1)! >= (0.7 * budget) / 100, `${late.at(-1)}`);
    });
  }

  it("does not make the sample swing when it scatters by a tenth", () => {
    let seed = 1;
    const noise = () => {
      seed = (seed * 48_271) % 0x7fffffff;
      return 0.9 + (0.2 * seed) / 0x7fffffff;
    };
    const use = linear(5, 95);
    const { ratios } = simulate(new SampleController(0.2), 300, (ratio) => use(ratio) * noise());
    const late = ratios.slice(20 / TICK_S);
    assert.ok(changes(late) <= 4, `${changes(late)} changes`);
    assert.ok(Math.min(...late) > 0.1, `${Math.min(...late)}`);
  });
});

it("never goes below one per cent, however little that helps", () => {
  const { ratios } = simulate(new SampleController(0.05), 60, linear(50, 50));
  assert.equal(Math.min(...ratios), FLOOR_RATIO);
  assert.equal(ratios.at(-1), FLOOR_RATIO);
});

it("nothing changes at any load up to the budget", () => {
  for (const use of [0, 0.1, 0.19, 0.2]) {
    const { ratios } = simulate(new SampleController(0.2), 60, () => use);
    assert.deepEqual(new Set(ratios), new Set([1]));
  }
});

it("judges the mean of a second and more, however long its readings are", () => {
  for (const seconds of [0.3, 0.7, 1.3, 5]) {
    const [within, above] = [new SampleController(0.2), new SampleController(0.2)];
    for (let reading = 0; reading < 20; reading++) within.update(0.19, seconds);
    for (let reading = 0; reading < 4; reading++) above.update(0.21, seconds);
    assert.equal(within.ratio, 1, `${seconds} s`);
    assert.ok(above.ratio < 1 && above.ratio > 0.5, `${seconds} s: ${above.ratio}`);
  }
});

it("a burst of half a second is no overload", () => {
  const { ratios } = simulate(new SampleController(0.2), 10, (_ratio, second) => (second === 3 ? 0.3 : 0.05));
  assert.deepEqual(new Set(ratios), new Set([1]));
});

it("goes back to all connections, slowly and without a step back, when the load has gone", () => {
  const controller = new SampleController(0.2);
  simulate(controller, 20, linear(5, 95));
  assert.ok(controller.ratio < 0.2);
  const { ratios } = simulate(controller, 120, linear(2, 10));
  assert.equal(ratios.at(-1), 1);
  assert.deepEqual(
    ratios.toSorted((a, b) => a - b),
    ratios,
  );
  const seconds = ratios.indexOf(1) * TICK_S;
  assert.ok(seconds > 30, `${seconds} s`);
});

describe("where one connection is nearly all of the load", () => {
  /** It is in the sample from this ratio on. */
  const lumpy = (from: number) => (ratio: number) => 0.05 + 0.03 * ratio + (ratio >= from ? 0.6 : 0);

  for (const from of [0.015, 0.1, 0.37, 0.9]) {
    it(`a growth that brings it back is undone, and tried ever more rarely: from ${from} on`, () => {
      const { ratios, uses } = simulate(new SampleController(0.2), 1800, lumpy(from));
      assert.ok(Math.max(...ratios.filter((ratio) => ratio < from)) > from / 1.5, "it comes near");
      const overloadedS = (begin: number, end: number) =>
        uses.slice(begin / TICK_S, end / TICK_S).filter((use) => use > 0.2).length * TICK_S;
      assert.ok(overloadedS(0, 900) <= 16, `${overloadedS(0, 900)} s of the first 900`);
      assert.ok(overloadedS(900, 1800) <= 8, `${overloadedS(900, 1800)} s of the next 900`);
    });
  }

  it("all connections are analysed again once it has gone", () => {
    const controller = new SampleController(0.2);
    simulate(controller, 1200, lumpy(0.37));
    assert.ok(controller.ratio < 0.37);
    const { ratios } = simulate(controller, 360, () => 0.05);
    assert.equal(ratios.at(-1), 1);
  });
});
