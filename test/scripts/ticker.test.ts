import assert from "node:assert/strict";
import { test } from "node:test";
import { Ticker } from "../../src/scripts/ticker.ts";

test("of a file, a tick is due once a second of its own clock, however long that takes to read", () => {
  const ticker = new Ticker(false);
  const clock = [0, 5_000_000, 5_999_999, 6_000_000, 6_500_000, 9_000_000, 9_000_001];
  assert.deepEqual(
    clock.filter((clockUs) => ticker.isDue(clockUs)),
    [6_000_000, 9_000_000],
  );
});

test("what a tick is late does not delay those behind it", () => {
  const ticker = new Ticker(false);
  const clock = Array.from({ length: 101 }, (_, index) => 5_000_000 + index * 300_000);
  assert.equal(clock.filter((clockUs) => ticker.isDue(clockUs)).length, 30);
});

test("live, a jump of the capture's clock brings none", () => {
  const ticker = new Ticker(true);
  assert.equal(ticker.isDue(5_000_000), false);
  assert.equal(ticker.isDue(60_000_000), false);
});
