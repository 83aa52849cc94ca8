import assert from "node:assert/strict";
import { test } from "node:test";
import { Slowest } from "../../src/evidence/slowest.ts";

const item = (name: string, latencyUs: number) => ({ name, latencyUs });
const names = (items: Iterable<{ readonly name: string }>): string => [...items].map(({ name }) => name).join(" ");

test("of equally slow ones the first stays, and what is dropped is given back", () => {
  const slowest = new Slowest(2);
  assert.deepEqual(slowest.add(item("a", 5)), []);
  assert.deepEqual(slowest.add(item("b", 5)), []);
  assert.deepEqual([slowest.wants(5), slowest.wants(6)], [false, true]);
  assert.equal(names(slowest.add(item("c", 6))), "b");
  assert.equal(names(slowest), "a c");
});

test("what has the same name is replaced, whatever it took", () => {
  const slowest = new Slowest(2);
  for (const each of [item("a", 5), item("b", 7), item("a", 9)]) assert.deepEqual(slowest.add(each), []);
  assert.equal(names(slowest), "b a");
  assert.equal(slowest.size, 2);
});

test("what is due is taken, the slowest first, and the others stay", () => {
  const slowest = new Slowest(5);
  for (const each of [item("a", 5), item("b", 7), item("c", 6), item("d", 1)]) slowest.add(each);
  assert.equal(names(slowest.take(({ latencyUs }) => latencyUs > 4)), "b c a");
  assert.equal(names(slowest), "d");
});
