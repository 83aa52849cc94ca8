import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { u8, u16, u32, u32le } from "../../src/bytes/read.ts";

test("integers are read as DataView reads them, at any place, and never below 0", () => {
  const place = fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 12 }), fc.nat());
  fc.assert(
    fc.property(place, ([bytes, seed]) => {
      const at = seed % (bytes.length - 3);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      assert.equal(u8(bytes, at), view.getUint8(at));
      assert.equal(u16(bytes, at), view.getUint16(at));
      assert.equal(u32(bytes, at), view.getUint32(at));
      assert.equal(u32le(bytes, at), view.getUint32(at, true));
    }),
  );
  assert.equal(u32(Uint8Array.of(255, 255, 255, 255), 0), 4294967295);
});
