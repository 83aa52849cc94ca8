import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { FrameRing } from "../../src/evidence/frame-ring.ts";
import { BEGIN_US, batchOf, Dialogue, frameOf, recordOf, SERVER, type TestSegment } from "../support/segments.ts";

const SIZE = 4096;

/** A segment of connection `index` whose payload tells it from all others. */
function segmentOf(index: number, number: number, length: number, isFromClient: boolean): TestSegment {
  const dialogue = new Dialogue({ address: "10.0.0.1", port: 40_000 + index }, SERVER);
  const payload = `${number}.`.padEnd(length, "x");
  return isFromClient ? dialogue.client(number, payload) : dialogue.server(number, payload);
}

/** The records of a connection that the ring still has, the newest first. */
function recordsOf(ring: FrameRing, index: number): Buffer[] {
  return [...ring.chain(40_000 + index, SERVER.port)].map((at) => {
    const length = Buffer.from(ring.bytes.buffer).readUInt32LE(at + 8);
    return Buffer.from(ring.bytes.slice(at, at + RECORD_HEADER_BYTES + length));
  });
}

test("however it is filled, it holds each connection's last records, whole and in order, and nothing that was overwritten", () => {
  const frame = fc.record({
    index: fc.nat(3),
    length: fc.integer({ min: 8, max: 400 }),
    isFromClient: fc.boolean(),
    isLast: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 120, size: "max" }), (frames) => {
      const ring = new FrameRing(SIZE, 1);
      const kept: { readonly index: number; readonly record: Buffer }[] = [];
      let batch: Buffer[] = [];
      frames.forEach(({ index, length, isFromClient, isLast }, number) => {
        const record = Buffer.from(batchOf([segmentOf(index, number, length, isFromClient)]));
        kept.push({ index, record });
        batch.push(record);
        const isFull = batch.reduce((sum, each) => sum + each.length, 0) > SIZE / 4;
        if (!isLast && !isFull && number < frames.length - 1) return;
        const bytes = Buffer.concat([Buffer.from("before"), ...batch, Buffer.from("behind")]);
        ring.keep(bytes, 6, bytes.length - 6);
        batch = [];
      });
      for (let index = 0; index < 4; index++) {
        const all = kept.filter((each) => each.index === index).map(({ record }) => record);
        const found = recordsOf(ring, index);
        assert.deepEqual(found, all.reverse().slice(0, found.length));
      }
      // What a batch leaves free at the end is a quarter at most, and a frame.
      let free = (SIZE * 3) / 4 - 500;
      const recent = kept.toReversed().filter(({ record }) => {
        free -= record.length;
        return free > 0;
      });
      const count = [0, 1, 2, 3].reduce((sum, index) => sum + recordsOf(ring, index).length, 0);
      assert.ok(count >= recent.length, `${count} of ${kept.length}, where ${recent.length} must be there`);
    }),
    { numRuns: 200 },
  );
});

test("both directions are one chain, another pair of ports another", () => {
  const ring = new FrameRing(SIZE, 1);
  const segments = [segmentOf(0, 1, 10, true), segmentOf(1, 2, 10, true), segmentOf(0, 3, 10, false)];
  const batch = batchOf(segments);
  ring.keep(batch, 0, batch.length);
  assert.deepEqual(
    recordsOf(ring, 0).map((record) => record.toString("latin1").match(/\d\.x/)?.[0]),
    ["3.x", "1.x"],
  );
  assert.equal(recordsOf(ring, 1).length, 1);
  assert.deepEqual(recordsOf(ring, 2), []);
});

test("frames without ports take room, and are in no chain; a batch larger than the ring is not kept", () => {
  const ring = new FrameRing(1024, 1);
  // ARP.
  const request = recordOf(BEGIN_US, Buffer.from(`${"ff".repeat(12)}0806${"00".repeat(46)}`, "hex"));
  ring.keep(request, 0, request.length);
  assert.deepEqual(recordsOf(ring, 0), []);
  const large = recordOf(BEGIN_US, frameOf(segmentOf(0, 1, 1100, true)));
  ring.keep(large, 0, large.length);
  assert.deepEqual(recordsOf(ring, 0), []);
});

test("what leaves to make room is what would be overwritten, no more and no less, and is shown no more", () => {
  const step = fc.record({ index: fc.nat(1), length: fc.integer({ min: 8, max: 900 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
      const plain = new FrameRing(SIZE, 1);
      const ring = new FrameRing(SIZE, 1);
      steps.forEach(({ index, length }, number) => {
        const record = Buffer.from(batchOf([segmentOf(index, number, length, true)]));
        ring.release(record.length, (_, isOverwritten) => isOverwritten);
        const left = [0, 1].flatMap((each) => recordsOf(ring, each));
        plain.keep(record, 0, record.length);
        ring.keep(record, 0, record.length);
        const shown = [0, 1].map((each) => recordsOf(ring, each));
        assert.deepEqual(
          shown,
          [0, 1].map((each) => recordsOf(plain, each)),
        );
        assert.equal(shown.flat().length, left.length + 1);
      });
      ring.release(0, () => true);
      assert.deepEqual(
        [0, 1].flatMap((each) => recordsOf(ring, each)),
        [],
      );
    }),
  );
});
