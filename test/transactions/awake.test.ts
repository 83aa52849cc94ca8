import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Awake } from "../../src/transactions/awake.ts";

const PLACES = 512;

/** A number of sleepers, and which of them were put to sleep, in order. */
function sleepers(count: number): { readonly all: { sleep(): void }[]; readonly asleep: number[] } {
  const asleep: number[] = [];
  return { all: Array.from({ length: count }, (_, n) => ({ sleep: () => void asleep.push(n) })), asleep };
}

describe("what is awake", () => {
  it("stays so while there are places", () => {
    const { all, asleep } = sleepers(PLACES);
    const awake = new Awake();
    assert.equal(new Set(all.map((each) => awake.add(each))).size, PLACES);
    assert.deepEqual(asleep, []);
  });

  it("is put to sleep by whoever wakes up when there are none, the one that woke up first before the others", () => {
    const { all, asleep } = sleepers(PLACES + 3);
    const awake = new Awake();
    for (const each of all) awake.add(each);
    assert.deepEqual(asleep, [0, 1, 2]);
  });

  it("is left alone by those that come and go", () => {
    const { all, asleep } = sleepers(PLACES + 1000);
    const awake = new Awake();
    for (const each of all.slice(0, PLACES - 1)) awake.add(each);
    for (const each of all.slice(PLACES - 1)) awake.leave(awake.add(each));
    assert.deepEqual(asleep, []);
  });
});
