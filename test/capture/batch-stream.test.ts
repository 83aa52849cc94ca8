import assert from "node:assert/strict";
import { test } from "node:test";
import { microsecondsToNanoseconds } from "../../src/capture/batch-stream.ts";
import { pcapFile } from "../support/pcap-file.ts";

test("a batch in microseconds becomes the same batch in nanoseconds", () => {
  const frames = [0, 1, 999_999].map((micros, i) => ({
    seconds: i,
    nanoseconds: micros * 1000,
    bytes: Buffer.alloc(i * 7, 1),
  }));
  const batch = pcapFile(frames, { hasNanoseconds: false }).subarray(24);
  microsecondsToNanoseconds(batch, batch.length);
  assert.deepEqual(batch, pcapFile(frames).subarray(24));
});
