import assert from "node:assert/strict";
import { test } from "node:test";
import { Fifo } from "../../src/connection/fifo.ts";

test("what comes in first goes out first, however many pass through", () => {
  const fifo = new Fifo<number>();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1000; i++) fifo.push(next++);
    for (let i = 0; i < 900; i++) {
      assert.equal(fifo.first, expected);
      assert.equal(fifo.shift(), expected++);
    }
    assert.equal(fifo.length, next - expected);
  }
  while (fifo.length > 0) assert.equal(fifo.shift(), expected++);
  assert.equal(expected, next);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.first, undefined);
});

test("places are given back when nearly all of them are empty, and nothing is lost by it", () => {
  const fifo = new Fifo<number>();
  for (let n = 0; n < 100_000; n++) fifo.push(n);
  for (let n = 0; n < 99_990; n++) assert.equal(fifo.shift(), n);
  const { places } = fifo as unknown as { places: readonly unknown[] };
  assert.ok(places.length <= 1024, `${places.length} places for 10 items`);
  for (let n = 100_000; n < 100_100; n++) fifo.push(n);
  assert.deepEqual(
    Array.from({ length: 110 }, () => fifo.shift()),
    Array.from({ length: 110 }, (_, n) => 99_990 + n),
  );
});
