import assert from "node:assert/strict";
import { test } from "node:test";
import { memcached } from "../../src/protocols/memcached.ts";
import { Recognition } from "../../src/protocols/protocol.ts";
import { bytesOf } from "../support/transcript.ts";

type Verdict = keyof typeof Recognition;

/** A request's header, as a transcript writes bytes. */
function header(opcode: number, key: number, extras: number, vbucket: number, body: number): string {
  const bytes = Buffer.alloc(24);
  bytes[0] = 0x80;
  bytes[1] = opcode;
  bytes.writeUInt16BE(key, 2);
  bytes[4] = extras;
  bytes.writeUInt16BE(vbucket, 6);
  bytes.writeUInt32BE(body, 8);
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

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
  // A header: opcode, key, extras, vbucket, body
  [header(0x00, 0, 0, 0, 0x1000_0000), "no"], // SCCP
  [header(0x02, 2, 0, 0x53, 0x0d), "no"], // SPDY
  [header(0x00, 3, 0, 0, 3), "certain"],
  [header(0x00, 0, 0, 0, 0), "no"],
  [header(0x00, 3, 0, 0, 4), "no"],
  [header(0x11, 3, 8, 1, 20), "certain"],
  [header(0x04, 3, 4, 0, 7), "no"],
  [header(0x15, 3, 20, 0, 23), "certain"],
  [header(0x15, 3, 20, 0, 24), "no"],
  [header(0x19, 3, 0, 0, 9), "certain"],
  [header(0x1d, 3, 4, 0, 7), "certain"],
  [header(0x1d, 3, 0, 0, 3), "no"],
  [header(0x0a, 0, 0, 0, 0), "certain"],
  [header(0x0a, 3, 0, 0, 3), "no"],
  [header(0x08, 0, 0, 0, 0), "certain"],
  [header(0x18, 0, 4, 0, 4), "certain"],
  [header(0x10, 0, 0, 0, 0), "certain"],
  [header(0x10, 5, 0, 0, 5), "certain"],
  [header(0x1b, 0, 4, 0, 4), "certain"],
  [header(0x21, 5, 0, 0, 15), "certain"],
  [header(0x1f, 0, 0, 0, 4), "certain"],
  [header(0x20, 0, 0, 0, 0), "certain"],
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
  ["\\x81\\x01\\0\\0\\0\\0\\0\\x86\\0\\0\\0\\0\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\x01", "certain"],
  ["\\x81\\x01\\0\\0\\0\\0\\x1a\\0\\0\\0\\0\\0\\0\\0\\0\\x07\\0\\0\\0\\0\\0\\0\\0\\x01", "no"],
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
