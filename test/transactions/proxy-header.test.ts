import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyHeaderBytes, UNSEEN_END } from "../../src/transactions/proxy-header.ts";
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
    assert.equal(proxyHeaderBytes(bytes, 2, bytes.length, 0), expected);
  });
}

const PAGE = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A client's first segment, how much of it the snaplen has left, and how many bytes of it are the header. */
const CUT: readonly (readonly [string, number, number])[] = [
  [LINE, 42, LINE.length],
  [LINE, 30, UNSEEN_END],
  [LINE + PAGE, 42, UNSEEN_END],
  [LINE + PAGE, LINE.length, LINE.length],
  [LINE + PAGE, LINE.length + 10, LINE.length],
  [BINARY, 20, BINARY.length],
  [BINARY + PAGE, 20, UNSEEN_END],
  [BINARY + PAGE, BINARY.length, BINARY.length],
  // Not the length that it says.
  [BINARY.slice(0, -1), 20, 0],
  [PAGE, 10, 0],
];

for (const [text, seen, expected] of CUT) {
  test(`of ${JSON.stringify(text.slice(0, 20))} (${text.length}), cut behind ${seen}, a proxy's header has ${expected} bytes`, () => {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(proxyHeaderBytes(bytes, 0, seen, text.length - seen), expected);
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

const ANSWER = "HTTP/1.1 204 No Content\r\n\r\n";

for (const protocol of ["auto", "http"]) {
  for (const [name, header] of Object.entries({ LINE, BINARY })) {
    test(`-p ${protocol}: a proxy's header (${name}) that the snaplen has cut, alone in its segment, is passed`, () => {
      const dialogue = new Dialogue({ selections: [{ name: protocol, ports: [] }] });
      dialogue.client(0, header, { cut: 5 }).client(50, PAGE).server(100, ANSWER).client(200, PAGE).server(250, ANSWER);
      assert.deepEqual(
        dialogue.told.map((told) => [told.text, told.times[0], told.flags]),
        [
          ["GET /", 50, []],
          ["GET /", 50, []],
        ],
      );
    });

    test(`-p ${protocol}: behind a header (${name}) that was cut with a request, no request is told until it is known which are`, () => {
      const dialogue = new Dialogue({ selections: [{ name: protocol, ports: [] }] });
      dialogue.client(0, header + PAGE, { cut: PAGE.length + 5 }).server(100, ANSWER);
      for (let n = 1; n <= 40; n++) dialogue.client(200 * n, PAGE).server(200 * n + 50, ANSWER);
      assert.ok(dialogue.told.length >= 20, `${dialogue.told.length} told`);
      for (const told of dialogue.told) assert.deepEqual([told.text, told.times[0]], ["GET /", 50]);
    });
  }
}
