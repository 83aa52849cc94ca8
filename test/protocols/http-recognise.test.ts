import assert from "node:assert/strict";
import { test } from "node:test";
import { shownOf } from "../../src/protocols/http/target.ts";
import { http } from "../../src/protocols/http.ts";
import { Recognition } from "../../src/protocols/protocol.ts";
import { bytesOf } from "../support/transcript.ts";

type Verdict = keyof typeof Recognition;

/** First bytes of a client, and of a server. */
const REQUESTS: readonly (readonly [string, Verdict])[] = [
  ["GET / HTTP/1.1\\r\\n", "certain"],
  ["POST http://h/a?b HTTP/1.0\\r\\n", "certain"],
  ["OPTIONS * HTTP/1.1\\r\\n", "certain"],
  ["CONNECT h:443 HTTP/1.1\\r\\n", "certain"],
  ["M-SEARCH / HTTP/1.1\\r\\n", "certain"],
  ["\\r\\nGET / HTTP/1.1\\r\\n", "certain"],
  ["GET / HTTP/1.", "certain"],
  ["GET  /   HTTP/1.1\\r\\n", "certain"],
  ["GET  ", "undecided"],
  ["GET  /  ", "undecided"],
  ["GET /\\{600 a}", "certain"],
  ["THING /\\{600 a}", "possible"],
  ["", "undecided"],
  ["GE", "undecided"],
  ["GET /a", "undecided"],
  ["GET / HT", "undecided"],
  ["VERSION-CONTROL /a HTTP/1.1\\r\\n", "certain"],
  ["ABCDEFGHIJKLMNOPQRS / HTTP/1.1\\r\\n", "no"],
  ["PRI * HTTP/2.0\\r\\n", "no"],
  ["GET /\\r\\n", "no"],
  ["GET foo\\r\\n", "no"],
  ["SET foo bar\\r\\n", "no"],
  ["get foo bar\\r\\n", "no"],
  ["*1\\r\\n$4\\r\\nPING\\r\\n", "no"],
  ["OPTIONS * RTSP/1.0\\r\\n", "no"],
  ["EHLO example.org\\r\\n", "no"],
  ["SSH-2.0-OpenSSH_9.2\\r\\n", "no"],
  ["\\x16\\x03\\x01", "no"],
];
const RESPONSES: readonly (readonly [string, Verdict])[] = [
  ["HTTP/1.1 200 OK\\r\\n", "certain"],
  ["HTTP/1.0 404\\r\\n", "certain"],
  ["HTT", "undecided"],
  ["HTTP/2 200\\r\\n", "no"],
  ["RTSP/1.0 200 OK\\r\\n", "no"],
  ["+OK\\r\\n", "no"],
];

for (const [what, cases, recognise] of [
  ["a client", REQUESTS, http.recogniseRequest],
  ["a server", RESPONSES, http.recogniseResponse],
] as const) {
  for (const [text, expected] of cases) {
    test(`${JSON.stringify(text.slice(0, 30))} of ${what}: ${expected}`, () => {
      const bytes = Buffer.concat([Buffer.from("xx"), bytesOf(text), Buffer.from("HTTP/1.1 ")]);
      assert.equal(recognise(bytes, 2, bytes.length - 9), Recognition[expected]);
    });
  }
}

/** A target, --http-path-depth, and the key. */
const KEYS: readonly (readonly [string, number, string])[] = [
  ["/a/b/c?d/e", 1, "/a"],
  ["/a/b/c?d/e", 2, "/a/b"],
  ["/a/b/c?d/e", 3, "/a/b/c"],
  ["/a/b/c?d/e", 9, "/a/b/c"],
  ["/", 1, "/"],
  ["//a/b", 2, "//a"],
  ["/a/", 1, "/a"],
  ["http://h:1/a/b", 1, "http://h:1/a"],
  ["http://h", 1, "http://h"],
  ["h:443", 1, "h:443"],
];
for (const [target, depth, key] of KEYS) {
  test(`of ${target} ${depth} segments are ${key}`, () => {
    const bytes = Buffer.from(`xx${target} `);
    const shown = shownOf(bytes, 2, bytes.length - 1, false, depth);
    assert.equal(bytes.toString("latin1", 2, shown.end), key);
  });
}
