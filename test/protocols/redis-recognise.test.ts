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
  // Written argument by argument
  ["*3\\r\\n", "certain"],
  ["*3\\r\\n$3\\r", "certain"],
  ["*3\\r", "undecided"],
  ["*0\\r\\n", "undecided"],
  ["*-1\\r\\n", "undecided"],
  ["*3\\r\\n:1\\r\\n", "no"],
  // What a subscriber is sent
  ["*3\\r\\n$7\\r\\nmessage\\r\\n$1\\r\\na\\r\\n$2\\r\\nhi\\r\\n", "no"],
  ["*4\\r\\n$8\\r\\npmessage\\r\\n$2\\r\\na*\\r\\n", "no"],
  ["*3\\r\\n$8\\r\\nsmessage\\r\\n", "no"],
  ["*2\\r\\n$4\\r\\npong\\r\\n$0\\r\\n\\r\\n", "no"],
  ["*3\\r\\n$7\\r\\nmessages\\r\\n", "certain"],
];

const SERVERS: readonly (readonly [bytes: string, verdict: keyof typeof Recognition])[] = [
  ["*3\\r\\n$7\\r\\nmessage\\r\\n$1\\r\\na\\r\\n$2\\r\\nhi\\r\\n", "certain"],
  ["*2\\r\\n$4\\r\\npong\\r\\n$0\\r\\n\\r\\n", "certain"],
  // A list of values, as LRANGE brings it; its first may be a command's name, or cut off.
  ["*2\\r\\n$3\\r\\nfoo\\r\\n", "certain"],
  ["*2\\r\\n$-1\\r\\n$1\\r\\na\\r\\n", "certain"],
  ["*2\\r\\n$0\\r\\n\\r\\n", "certain"],
  ["*2\\r\\n$400\\r\\nabc", "certain"],
  ["*2\\r\\n$4\\r\\ntype\\r\\n", "possible"],
  ["*2\\r\\n$5\\r\\nfoo", "possible"],
  ["*2\\r\\n", "possible"],
];

for (const [text, verdict] of SERVERS) {
  test(`a server that begins with ${text} is Redis': ${verdict}`, () => {
    const bytes = Buffer.concat([bytesOf("\\n\\n"), bytesOf(text), bytesOf("\\n\\n")]);
    assert.equal(redis.recogniseResponse(bytes, 2, bytes.length - 2), Recognition[verdict]);
  });
}

for (const [text, verdict] of CLIENTS) {
  test(`a client that begins with ${text} is Redis': ${verdict}`, () => {
    // Not at the buffer's ends: what stands there is not looked at.
    const bytes = Buffer.concat([bytesOf("\\n\\n"), bytesOf(text), bytesOf("\\n\\n")]);
    assert.equal(redis.recogniseRequest(bytes, 2, bytes.length - 2), Recognition[verdict]);
  });
}
