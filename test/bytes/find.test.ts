import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findLineFeed } from "../../src/bytes/find.ts";

/** Those next to LF, with its high bit, and around 0: where four at once could go wrong. */
const BYTES = fc.constantFrom(0x0a, 0x0b, 0x09, 0x8a, 0x8b, 0x00, 0x01, 0x80, 0xff, 0x41);

test("the first LF is found wherever it stands, whatever stands before and behind it", () => {
  fc.assert(
    fc.property(fc.array(BYTES, { maxLength: 24 }), fc.nat(8), fc.nat(8), fc.nat(3), (list, skip, spare, offset) => {
      // A part of a larger buffer, too.
      const bytes = new Uint8Array(offset + list.length).subarray(offset);
      bytes.set(list);
      const from = Math.min(skip, bytes.length);
      const end = Math.max(from, bytes.length - spare);
      const at = bytes.subarray(from, end).indexOf(0x0a);
      assert.equal(findLineFeed(bytes, from, end), at < 0 ? end : from + at);
    }),
    { numRuns: 5000 },
  );
});
