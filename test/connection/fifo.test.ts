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

test("what is not retained is gone, and the rest keeps its order", () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 3000; i++) fifo.push(i);
  for (let i = 0; i < 10; i++) fifo.shift();
  fifo.retain((item) => item % 2 === 0);
  assert.equal(fifo.length, 1495);
  assert.deepEqual([fifo.shift(), fifo.shift()], [10, 12]);
});
