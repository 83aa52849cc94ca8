import assert from "node:assert/strict";
import { test } from "node:test";
import { DuplicateFilter } from "../../src/connection/duplicates.ts";
import { Segment } from "../../src/decode/segment.ts";

/** An acknowledgement, the same each time but for this. The network card would make its checksum: it does not cover what differs. */
function acknowledgement(change: Partial<Pick<Segment, "ipId" | "window" | "timeLow">>): Segment {
  const numbers = { sequence: 1000, acknowledgement: 5000, flags: 16, checksum: 0x2a51 };
  return Object.assign(new Segment(), numbers, change);
}

const CASES = [
  ["without identification, all the same", { ipId: 0, window: 64 }, { ipId: 0, window: 64 }, true],
  ["without identification, a window that opens again", { ipId: 0, window: 0 }, { ipId: 0, window: 64 }, false],
  ["one identification", { ipId: 7, window: 64 }, { ipId: 7, window: 64 }, true],
  ["two identifications", { ipId: 7, window: 64 }, { ipId: 8, window: 64 }, false],
] as const;

for (const [name, first, second, isCopy] of CASES) {
  test(`${name}: ${isCopy ? "one packet, captured twice" : "two packets"}`, () => {
    const filter = new DuplicateFilter();
    assert.equal(filter.isDuplicate(acknowledgement({ ...first, timeLow: 100 })), false);
    assert.equal(filter.isDuplicate(acknowledgement({ ...second, timeLow: 150 })), isCopy);
    assert.equal(filter.duplicates, isCopy ? 1 : 0);
  });
}
