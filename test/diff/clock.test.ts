import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Clock, ClockSamples, estimateClock, offsetAt } from "../../src/diff/clock.ts";
import { BEGIN_US } from "../support/segments.ts";

/** A request on its way: when it was sent, and how long it and its response took, in µs. */
interface Trip {
  readonly at: number;
  readonly thereUs: number;
  readonly backUs: number;
}

/** What the trips tell when the server's clock is off by `offset` at a time. */
function clockOf(trips: readonly Trip[], offset: (at: number) => number): Clock {
  const samples = new ClockSamples();
  for (const { at, thereUs, backUs } of trips) {
    samples.add(BEGIN_US + at, Math.round(offset(at) - backUs), Math.round(offset(at) + thereUs));
  }
  const clock = estimateClock(samples);
  assert.ok(clock !== null);
  return clock;
}

/** One a millisecond; each way 100 µs and, by a rhythm of its own, up to `jitterUs` more. */
function tripsOf(count: number, jitterUs: number): Trip[] {
  return Array.from({ length: count }, (_, i) => ({
    at: i * 1000,
    thereUs: 100 + ((i * 7919) % 101) * (jitterUs / 100),
    backUs: 100 + ((i * 104_729) % 103) * (jitterUs / 100),
  }));
}

describe("The clocks' offset", () => {
  for (const offsetUs of [0, 1, -350, 2_500_000, -7_200_000_000]) {
    it(`of ${offsetUs} µs is found where both ways take the same`, () => {
      const clock = clockOf(tripsOf(50, 0), () => offsetUs);
      assert.deepEqual([clock.offsetUs, clock.uncertaintyUs, clock.isSteady], [offsetUs, 100, true]);
    });
  }

  it("is found to a few µs under a jitter a hundred times larger", () => {
    const clock = clockOf(tripsOf(1000, 500), () => 2_500_000);
    assert.ok(Math.abs(clock.offsetUs - 2_500_000) <= 10, `${clock.offsetUs}`);
    assert.deepEqual([clock.driftPpm, clock.isSteady], [0, true]);
  });

  it("lies within what is stated, whatever the ways take", () => {
    const trip = fc.record({
      thereUs: fc.integer({ min: 1, max: 90_000 }),
      backUs: fc.integer({ min: 1, max: 90_000 }),
    });
    const few = fc.array(trip, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(few, fc.integer({ min: -1e9, max: 1e9 }), (trips, offsetUs) => {
        const timed = trips.map((each, index) => ({ ...each, at: index * 1000 }));
        const clock = clockOf(timed, () => offsetUs);
        return clock.isSteady && Math.abs(clock.offsetUs - offsetUs) <= clock.uncertaintyUs + 1e-6;
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  for (const ppm of [50, -12]) {
    it(`grows by ${ppm} µs a second, and is right at both ends`, () => {
      const trips = tripsOf(60_000, 300);
      const truth = (at: number) => 1000 + (ppm * at) / 1e6;
      const clock = clockOf(trips, truth);
      assert.ok(Math.abs(clock.driftPpm - ppm) < 1, `${clock.driftPpm}`);
      assert.ok(clock.isSteady);
      for (const at of [0, 59_999_000]) {
        const error = offsetAt(clock, BEGIN_US + at) - truth(at);
        assert.ok(Math.abs(error) < 30, `${error} at ${at}`);
      }
    });
  }

  it("of a clock set while the captures run is no single one", () => {
    const clock = clockOf(tripsOf(2000, 100), (at) => (at < 1_000_000 ? 0 : 40_000));
    assert.equal(clock.isSteady, false);
    assert.equal(clock.driftPpm, 0);
    assert.ok(clock.uncertaintyUs >= 20_000);
  });

  it("does not heed a request that was joined with another", () => {
    const trips = tripsOf(100, 100);
    const right = clockOf(trips, () => 5000);
    const wrong = clockOf(trips, (at) => (at === 50_000 ? 60_000_000 : 5000));
    assert.deepEqual(wrong, { ...right, samples: 99 });
  });

  it("is unknown without requests", () => {
    assert.equal(estimateClock(new ClockSamples()), null);
  });
});
