import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kafka } from "../../src/protocols/kafka.ts";
import { parseTranscript, play, type Step, testTranscript } from "../support/transcript.ts";

testTranscript(kafka, "kafka.md");

/** One byte at a time. */
function crumbs(step: Step): Step[] {
  if (step.bytes.length === 0) return [step];
  return Array.from(step.bytes, (byte) => ({ ...step, bytes: Uint8Array.of(byte) }));
}

// Without --details other steps are taken, and a request's end where its key does.
for (const { name, steps } of parseTranscript(readFileSync(join("test", "protocols", "kafka.md"), "utf8"))) {
  test(`without --details: ${name}`, () => {
    for (const values of [steps, steps.flatMap(crumbs)]) {
      const told = play(kafka, values, { text: true, values: false, details: false });
      const expected = play(kafka, values, { text: true, values: false });
      assert.deepEqual(
        told,
        expected.filter(({ head }) => !head.startsWith("detail")),
      );
    }
  });
}
