import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyHeaderBytes } from "../../src/transactions/proxy-header.ts";
import { command, Dialogue } from "./dialogue.ts";

const LINE = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const BINARY = `${SIGNATURE}\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\xdc\x04\x01\xbb`;
const LOCAL = `${SIGNATURE}\x20\0\0\0`;

/** A client's first bytes, and how many of them are the header. */
const CASES: readonly (readonly [string, number])[] = [
  [LINE, LINE.length],
  [`${LINE}GET / HTTP/1.1\r\n`, LINE.length],
  ["PROXY UNKNOWN\r\n", 15],
  [BINARY, BINARY.length],
  [`${BINARY}get a\r\n`, BINARY.length],
  [LOCAL, LOCAL.length],
  // Not whole, too long, another version, none at all.
  [LINE.slice(0, -1), 0],
  [`PROXY ${"x".repeat(101)}\r\n`, 0],
  ["PROXY \n", 0],
  [BINARY.slice(0, -1), 0],
  [SIGNATURE, 0],
  [LOCAL.replace("\x20", "\x10"), 0],
  ["PROX", 0],
  ["", 0],
];

for (const [text, expected] of CASES) {
  test(`of ${JSON.stringify(text.slice(0, 30))} (${text.length}) a proxy's header has ${expected} bytes`, () => {
    const bytes = Buffer.from(`??${text}`, "latin1");
    assert.equal(proxyHeaderBytes(bytes, 2, bytes.length), expected);
  });
}

for (const [name, header] of Object.entries({ LINE, BINARY })) {
  for (const protocol of ["auto", "redis"]) {
    test(`-p ${protocol}: what a proxy puts in front of a connection (${name}) is no request, in a segment of its own or not`, () => {
      const [get, set] = [command("GET", "a"), command("SET", "b", "c")];
      const [own, shared] = [0, 1].map(() => new Dialogue({ selections: [{ name: protocol, ports: [] }] })) as [
        Dialogue,
        Dialogue,
      ];
      own.client(0, header).client(50, get).server(100, "$-1\r\n").client(200, set).server(250, "+OK\r\n");
      shared
        .client(0, header + get)
        .server(100, "$-1\r\n")
        .client(200, set)
        .server(250, "+OK\r\n");
      for (const [dialogue, latencyUs] of [
        [own, 50],
        [shared, 100],
      ] as const) {
        assert.deepEqual(
          dialogue.told.map((told) => [told.text, told.requestBytes, told.times[0], told.flags]),
          [
            ["GET a", get.length, latencyUs, []],
            ["SET b", set.length, 50, []],
          ],
        );
        assert.deepEqual(dialogue.ledger.unmatchedReasons, []);
      }
    });
  }
}
