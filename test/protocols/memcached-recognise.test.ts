import assert from "node:assert/strict";
import { test } from "node:test";
import { memcached } from "../../src/protocols/memcached.ts";
import { Recognition } from "../../src/protocols/protocol.ts";
import { bytesOf } from "../support/transcript.ts";

type Verdict = keyof typeof Recognition;

const REQUESTS: readonly (readonly [string, Verdict])[] = [
  ["get foo\\r\\n", "possible"],
  ["get foo", "possible"],
  ["ge", "undecided"],
  ["", "undecided"],
  ["gets foo\\r\\n", "certain"],
  ["gats 0 foo\\r\\n", "certain"],
  ["set foo 0 0 3\\r\\nbar\\r\\n", "certain"],
  ["set foo 0 0 3 noreply\\r\\n", "certain"],
  ["set foo 0 0", "possible"],
  ["set foo bar\\r\\n", "possible"],
  ["cas foo 0 0 3 17\\r\\n", "certain"],
  ["incr foo 1\\r\\n", "certain"],
  ["incr foo\\r\\n", "possible"],
  ["delete foo\\r\\n", "possible"],
  ["mg foo v\\r\\n", "certain"],
  ["ms foo 2 q\\r\\n", "certain"],
  ["mn\\r\\n", "certain"],
  ["stats\\r\\n", "possible"],
  ["quit\\r\\n", "possible"],
  ["GET / HTTP/1.1\\r\\n", "no"],
  ["GET foo\\r\\n", "no"],
  ["SET foo 0 0 3\\r\\n", "no"],
  ["getting\\r\\n", "no"],
  ["*1\\r\\n$4\\r\\nPING\\r\\n", "no"],
  ["\\x16\\x03\\x01\\x02\\0\\x01", "no"],
  ["\\x80", "undecided"],
  ["\\x80\\xff", "no"],
  ["\\x80\\x01\\0\\x03\\x08\\0\\0\\0\\0\\0\\0\\x0e\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\0", "certain"],
  ["\\x80\\x01\\x04\\x03\\x08\\0\\0\\0\\0\\0\\0\\x0e\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\0", "no"],
  ["\\x80\\x01\\0\\x03\\x08\\0\\0\\0\\0\\0\\0\\x01\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\0", "no"],
  ["\\xfe\\xed", "no"],
  ["STORED\\r\\n", "no"],
];

const RESPONSES: readonly (readonly [string, Verdict])[] = [
  ["STORED\\r\\n", "certain"],
  ["STO", "undecided"],
  ["VALUE foo 0 3\\r\\nbar\\r\\nEND\\r\\n", "certain"],
  ["VALUE foo", "possible"],
  ["VA 3\\r\\n", "certain"],
  ["END\\r\\n", "possible"],
  ["HD\\r\\n", "possible"],
  ["17\\r\\n", "possible"],
  ["CLIENT_ERROR bad data chunk\\r\\n", "certain"],
  ["STAT pid 1\\r\\n", "certain"],
  ["VERSION 1.6.18\\r\\n", "possible"],
  ["\\x81\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\x01", "certain"],
  ["+OK\\r\\n", "no"],
  ["HTTP/1.1 200 OK\\r\\n", "no"],
  ["get foo\\r\\n", "no"],
  ["\\x16\\x03\\x03", "no"],
];

function nameOf(recognition: Recognition): string {
  return Object.entries(Recognition).find(([, value]) => value === recognition)?.[0] ?? "?";
}

for (const [text, verdict] of REQUESTS) {
  test(`a client that begins with ${text || "nothing"} is memcached's: ${verdict}`, () => {
    const bytes = bytesOf(`??${text}??`);
    assert.equal(nameOf(memcached.recogniseRequest(bytes, 2, bytes.length - 2)), verdict);
  });
}

for (const [text, verdict] of RESPONSES) {
  test(`a server that begins with ${text} is memcached's: ${verdict}`, () => {
    const bytes = bytesOf(`??${text}??`);
    assert.equal(nameOf(memcached.recogniseResponse(bytes, 2, bytes.length - 2)), verdict);
  });
}

test("command names are in capitals, each once", () => {
  assert.equal(memcached.commands[0], "other");
  assert.equal(new Set(memcached.commands).size, memcached.commands.length);
  for (const name of memcached.commands.slice(1)) {
    assert.match(name, /^[A-Z_]+$/);
  }
});
