import assert from "node:assert/strict";
import { test } from "node:test";
import { Recognition } from "../../src/protocols/protocol.ts";
import { redis } from "../../src/protocols/redis.ts";
import { bytesOf } from "../support/transcript.ts";

const CLIENTS: readonly (readonly [bytes: string, verdict: keyof typeof Recognition])[] = [
  ["MONITOR\\r\\n", "certain"],
  ["monitor\\n", "certain"],
  ["MONITOR\\r\\nPING\\r\\n", "certain"],
  ["MONITOR\\r", "possible"],
  ["MONITO", "undecided"],
  // IRC's
  ["MONITOR + nick\\r\\n", "possible"],
  ["MONITORS\\r\\n", "no"],
  ["PING\\r\\n", "possible"],
  ["GET / HTTP/1.1\\r\\n", "possible"],
  ["*1\\r\\n$7\\r\\nMONITOR\\r\\n", "certain"],
];

for (const [text, verdict] of CLIENTS) {
  test(`a client that begins with ${text} is Redis': ${verdict}`, () => {
    // Not at the buffer's ends: what stands there is not looked at.
    const bytes = Buffer.concat([bytesOf("\\n\\n"), bytesOf(text), bytesOf("\\n\\n")]);
    assert.equal(redis.recogniseRequest(bytes, 2, bytes.length - 2), Recognition[verdict]);
  });
}
