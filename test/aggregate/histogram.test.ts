import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BUCKET_BOUNDS_US, BUCKET_COUNT, Histogram } from "../../src/aggregate/histogram.ts";

const QUANTILES = [0, 0.5, 0.9, 0.99, 0.999, 1];
/** Times as they come: most short, some of hours. */
const timeUs = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 30_000_000 }),
  fc.integer({ min: 0, max: 2 ** 40 - 1 }),
);

function of(times: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const time of times) histogram.record(time);
  return histogram;
}

function exactQuantile(times: readonly number[], q: number): number {
  return times.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * times.length)) - 1]!;
}

describe("a histogram's buckets", () => {
  it("are README's, upper bounds inclusive", () => {
    const seconds = BUCKET_BOUNDS_US.map((us) => us / 1e6);
    assert.deepEqual(
      seconds,
      [
        0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5,
        10, 20,
      ],
    );
    for (const [index, bound] of BUCKET_BOUNDS_US.entries()) {
      assert.equal(of([bound]).buckets[index], 1, `${bound} µs`);
      assert.equal(of([bound + 1]).buckets[index + 1], 1, `${bound + 1} µs`);
    }
    assert.equal(of([0]).buckets[0], 1);
  });

  it("count exactly what a search counts", () => {
    fc.assert(
      fc.property(fc.array(timeUs), (times) => {
        const expected = new Array<number>(BUCKET_COUNT).fill(0);
        for (const time of times) {
          const index = BUCKET_BOUNDS_US.findIndex((bound) => time <= bound);
          expected[index < 0 ? BUCKET_COUNT - 1 : index]!++;
        }
        assert.deepEqual(Array.from(of(times).buckets), expected);
      }),
    );
  });
});

describe("a histogram", () => {
  it("tells quantiles within 1 % of the exact ones", () => {
    fc.assert(
      fc.property(fc.array(timeUs, { minLength: 1, maxLength: 300 }), (times) => {
        const histogram = of(times);
        for (const q of QUANTILES) {
          const exact = exactQuantile(times, q);
          assert.ok(
            Math.abs(histogram.quantile(q) - exact) <= exact * 0.01,
            `q ${q}: ${histogram.quantile(q)}, ${exact}`,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps count, sum and maximum exact, beyond the longest step too", () => {
    const histogram = of([3, 2 ** 45, 5]);
    assert.deepEqual([histogram.count, histogram.sumUs, histogram.maxUs], [3, 2 ** 45 + 8, 2 ** 45]);
    assert.equal(histogram.buckets[BUCKET_COUNT - 1], 1);
    assert.ok(histogram.quantile(1) > 2 ** 39);
  });

  it("has no quantile while it is empty", () => {
    assert.ok(Number.isNaN(new Histogram().quantile(0.5)));
  });

  it("merged with another is the histogram of both's times", () => {
    fc.assert(
      fc.property(fc.array(timeUs), fc.array(timeUs), (left, right) => {
        const merged = of(left);
        merged.merge(of(right));
        const both = of([...left, ...right]);
        assert.deepEqual(merged.buckets, both.buckets);
        assert.deepEqual([merged.count, merged.sumUs, merged.maxUs], [both.count, both.sumUs, both.maxUs]);
        for (const q of QUANTILES) assert.equal(merged.quantile(q), both.quantile(q));
      }),
    );
  });
});
