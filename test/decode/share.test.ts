import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SHARES, SharedOut } from "../../src/decode/share.ts";
import { runs } from "../properties/plans.ts";

const someShares = fc.uniqueArray(fc.nat({ max: SHARES - 1 }), { minLength: 1 });
const workers = fc.integer({ min: 1, max: 8 });

describe("a file's connections, shared out among workers", () => {
  it("are as many for each worker, to within one, where they are alike, in whatever order they come", () => {
    const property = fc.property(someShares, workers, (shares, of) => {
      const sharedOut = new SharedOut(of);
      const has = new Array<number>(of).fill(0);
      for (const share of shares) has[sharedOut.ownerOf(share)]!++;
      assert.ok(Math.max(...has) - Math.min(...has) <= 1, has.join(" "));
    });
    fc.assert(property, runs(200));
  });

  it("stay with the worker who has them, and all workers know whose they are", () => {
    const frames = fc.array(fc.nat({ max: SHARES - 1 }), { minLength: 1, maxLength: 2000 });
    const property = fc.property(frames, workers, (shares, of) => {
      const [one, other] = [new SharedOut(of), new SharedOut(of)];
      const owners = new Map<number, number>();
      for (const share of shares) {
        const owner = one.ownerOf(share);
        assert.equal(other.ownerOf(share), owner);
        assert.equal(owners.get(share) ?? owner, owner);
        owners.set(share, owner);
      }
    });
    fc.assert(property, runs(100));
  });

  it("leave alone whoever is busy with one of them", () => {
    const sharedOut = new SharedOut(2);
    const busy = sharedOut.ownerOf(0);
    for (let frame = 0; frame < 100_000; frame++) sharedOut.ownerOf(0);
    for (let share = 1; share < 20; share++) assert.notEqual(sharedOut.ownerOf(share), busy);
  });
});
