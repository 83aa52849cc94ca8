import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { u32 } from "../../src/bytes/read.ts";
import { duplicateSackAt } from "../../src/connection/duplicate-sack.ts";
import { Segment } from "../../src/decode/segment.ts";

function acknowledging(acknowledgement: number, options: readonly number[]): Segment {
  const segment = new Segment();
  segment.bytes = Uint8Array.from([9, 9, ...new Array<number>(20).fill(0), ...options, 9]);
  segment.headerStart = 2;
  segment.payloadStart = 22 + options.length;
  segment.acknowledgement = acknowledgement;
  return segment;
}

const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const TIMESTAMPS = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

const CASES: readonly (readonly [string, number, readonly number[], number | null])[] = [
  ["no options", 500, [], null],
  ["a block below the acknowledgement", 500, [1, 1, 5, 10, ...word(400), ...word(500)], 400],
  ["behind time stamps", 500, [...TIMESTAMPS, 1, 1, 5, 10, ...word(400), ...word(450)], 400],
  [
    "before a block of what came out of order",
    500,
    [1, 1, 5, 18, ...word(400), ...word(450), ...word(700), ...word(800)],
    400,
  ],
  ["a block beyond it is an ordinary one", 500, [1, 1, 5, 10, ...word(600), ...word(700)], null],
  ["across the wrap", 16, [1, 1, 5, 10, ...word(0xffff_fff0), ...word(8)], 0xffff_fff0],
  ["behind the end of the options", 500, [0, 1, 5, 10, ...word(400), ...word(500)], null],
  ["cut off", 500, [1, 1, 5, 10, ...word(400)], null],
  ["of length 0", 500, [5, 0, 0, 0], null],
];

for (const [name, acknowledgement, options, from] of CASES) {
  test(`received twice: ${name}`, () => {
    const segment = acknowledging(acknowledgement, options);
    const at = duplicateSackAt(segment);
    assert.equal(at < 0 ? null : u32(segment.bytes, at) >>> 0, from);
  });
}

test("whatever stands in the options, what is found lies within them", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 }), fc.integer(), (options, number) => {
      const segment = acknowledging(number, options);
      const at = duplicateSackAt(segment);
      assert.ok(at === -1 || (at >= 24 && at + 8 <= segment.payloadStart));
    }),
  );
});
