import assert from "node:assert/strict";
import { test } from "node:test";
import { dropBefore } from "../../src/workers/drop-before.ts";
import { recordOf } from "../support/segments.ts";

/** A record whose frame is so many bytes of `fill`, stamped at this µs. */
function record(timeUs: number, fill: number, length: number): Buffer {
  return Buffer.from(recordOf(timeUs, Buffer.alloc(length, fill)));
}

test("frames stamped before all workers had joined leave the batch, those of that moment and later stay in order", () => {
  const since = 1_600_000_000_000_005;
  const old = [record(since - 1, 1, 40), record(since - 5, 2, 9)];
  const kept = [record(since, 3, 70), record(since + 1, 4, 5), record(since + 2_000_000, 5, 33)];
  const mixed = [old[0]!, kept[0]!, kept[1]!, old[1]!, kept[2]!];
  const batches: readonly (readonly [readonly Buffer[], readonly Buffer[]])[] = [
    [mixed, kept],
    [kept, kept],
    [old, []],
    [[], []],
  ];
  for (const [given, expected] of batches) {
    const batch = Buffer.concat([...given, Buffer.from("left of an earlier batch")]);
    const length = dropBefore(batch, Buffer.concat(given).length, since);
    assert.deepEqual(batch.subarray(0, length), Buffer.concat(expected));
  }
});
