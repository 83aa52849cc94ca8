import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { passName, readName } from "../../src/protocols/dns/name.ts";

/** Labels of likely and unlikely lengths, ends, pointers that may lead anywhere, and what is no length at all. */
const PIECE = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 63 }).map((label) => [label.length, ...label]) },
  fc.constant([0]),
  fc.tuple(fc.integer({ min: 0xc0, max: 0xff }), fc.nat(255)),
  fc.integer({ min: 0x40, max: 0xbf }).map((byte) => [byte]),
  fc.constant([63, ...Buffer.alloc(63, "a")]),
);

test("a name is passed to where it is read to, whatever bytes it has and wherever they end", () => {
  fc.assert(
    fc.property(fc.array(PIECE, { maxLength: 8 }), fc.nat(16), fc.nat(70), (pieces, at, missing) => {
      const bytes = Uint8Array.from([...Buffer.alloc(at, 1), ...pieces.flat()]);
      const end = Math.max(at, bytes.length - missing);
      const passed = passName(bytes, 0, at, end);
      assert.equal(passed, readName(bytes, 0, at, end));
    }),
    { numRuns: 3000 },
  );
});
