import assert from "node:assert/strict";
import { test } from "node:test";
import { http } from "../../src/protocols/http.ts";
import { memcached } from "../../src/protocols/memcached.ts";
import { redis } from "../../src/protocols/redis.ts";
import { ProtocolSelector } from "../../src/transactions/selector.ts";
import { command } from "./dialogue.ts";

const KNOWN = [redis, memcached, http];
const TLS = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";
const HTTP = "GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n";
const CLUSTER_BUS = "RCmb\0\0\x09\x40\0\x01\x42\x6d";
const RESP = command("GET", "k");
const BINARY = "\x80\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0k";

function bytesOf(text: string): Uint8Array {
  return Buffer.from(`??${text}`, "latin1");
}

/** -p, the server's port, the client's first bytes, and what they are taken for. */
const CASES: readonly (readonly [string, number, string, string])[] = [
  ["auto", 6379, RESP, "redis"],
  ["auto", 7000, RESP, "redis"],
  ["auto", 11211, RESP, "redis"],
  ["auto", 6379, "PING\r\n", "redis"],
  ["auto", 6379, "get foo\r\n", "redis"],
  ["auto", 11211, "get foo\r\n", "memcached"],
  ["auto", 11211, BINARY, "memcached"],
  ["auto", 9000, BINARY, "memcached"],
  // Without a usual port only what nothing else can be.
  ["auto", 7000, "get foo\r\n", "unknown_protocol"],
  ["auto", 7000, "PING\r\n", "unknown_protocol"],
  ["auto", 80, HTTP, "http"],
  ["auto", 6379, HTTP, "http"],
  ["auto", 11211, HTTP, "http"],
  ["auto", 9000, "POST / HTTP/1.1\r\n", "http"],
  ["auto", 80, "G", "http"],
  ["auto", 8080, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unknown_protocol"],
  ["auto", 80, "OPTIONS * RTSP/1.0\r\n", "unknown_protocol"],
  ["auto", 6379, "GET /foo bar\r\n", "redis"],
  ["auto", 25, "EHLO example.org\r\n", "unknown_protocol"],
  ["auto", 22, "SSH-2.0-OpenSSH_9.2\r\n", "unknown_protocol"],
  ["auto", 9092, "\0\0\0\x1b\0\x12\0\x03\0\0\0\x01", "unknown_protocol"],
  ["auto", 443, TLS, "tls"],
  ["auto", 6379, TLS, "tls"],
  // Named: its grammar is not asked.
  ["redis", 6379, RESP, "redis"],
  ["redis", 7000, "get foo\r\n", "redis"],
  ["redis", 11211, "get foo\r\n", "redis"],
  ["redis", 80, HTTP, "redis"],
  ["redis", 6380, TLS, "tls"],
  // The bus between the nodes of a cluster: no RESP, whatever is published through it.
  ["redis", 16379, CLUSTER_BUS, "unknown_protocol"],
  ["redis:16379", 16379, CLUSTER_BUS, "unknown_protocol"],
  ["auto", 16379, CLUSTER_BUS, "unknown_protocol"],
  ["memcached", 6379, RESP, "memcached"],
  // Pinned to ports.
  ["redis:7000,7001", 7001, "get foo\r\n", "redis"],
  ["redis:7000 memcached:7001", 7001, "get foo\r\n", "memcached"],
  ["redis:7000 memcached:7001", 7000, "get foo\r\n", "redis"],
  ["redis:11211 auto", 11211, "get foo\r\n", "redis"],
  ["redis:11211 auto", 6379, "get foo\r\n", "redis"],
  ["redis:11211 auto", 9000, BINARY, "memcached"],
  // Two by name: their bytes decide between them.
  ["redis memcached", 9000, RESP, "redis"],
  ["redis http", 6379, HTTP, "http"],
  ["redis memcached", 9000, BINARY, "memcached"],
  ["redis memcached", 11211, "get foo\r\n", "memcached"],
];

function selectorOf(words: string): ProtocolSelector {
  const selections = words.split(" ").map((word) => {
    const [name = "", ports = ""] = word.split(":");
    return { name, ports: ports === "" ? [] : ports.split(",").map(Number) };
  });
  return new ProtocolSelector(selections, KNOWN);
}

for (const [selection, port, text, expected] of CASES) {
  test(`-p ${selection}, port ${port}: ${JSON.stringify(text.slice(0, 20))} is ${expected}`, () => {
    const bytes = bytesOf(text);
    const found = selectorOf(selection).recognise(port, bytes, 2, bytes.length);
    assert.equal(typeof found === "string" ? found : found.name, expected);
  });
}

/** -p, the server's port, the client's first bytes, and whether they are another protocol's than the one they are taken for. */
const OTHERS: readonly (readonly [string, number, string, boolean])[] = [
  ["redis", 80, "POST / HTTP/1.1\r\n", true],
  ["redis", 6379, "POST / HTTP/1.1\r\n", true],
  ["redis:7000", 7000, "POST / HTTP/1.1\r\n", true],
  // A command of Redis by its name: its port decides, where it has one.
  ["redis", 80, HTTP, true],
  ["redis", 6379, HTTP, false],
  ["redis:7000", 7000, HTTP, false],
  ["redis", 80, RESP, false],
  ["redis", 80, "GET /foo bar\r\n", false],
  ["redis", 11211, "get foo\r\n", false],
  ["memcached", 80, HTTP, true],
  ["memcached", 9000, RESP, true],
  ["redis", 16379, CLUSTER_BUS, true],
  ["redis:16379", 16379, CLUSTER_BUS, true],
];

for (const [selection, port, text, expected] of OTHERS) {
  const what = JSON.stringify(text.slice(0, 20));
  test(`-p ${selection}, port ${port}: ${what} is ${expected ? "" : "not "}another's`, () => {
    const bytes = bytesOf(text);
    const selector = selectorOf(selection);
    assert.equal(selector.isAnothers(selector.byPort(port)!, port, bytes, 2, bytes.length), expected);
  });
}

test("connections to other ports are not looked at when only ports were named", () => {
  const selector = selectorOf("redis:7000 memcached:7001");
  assert.deepEqual(
    [7000, 7001, 6379].map((port) => selector.wants(port)),
    [true, true, false],
  );
  assert.deepEqual([...selector.ports], [7000, 7001]);
  assert.equal(selectorOf("redis:7000 memcached").wants(6379), true);
  assert.equal(selectorOf("redis:7000 auto").wants(1), true);
});

test("the port alone tells where one was named, or only one protocol was", () => {
  assert.equal(selectorOf("auto").byPort(6379), null);
  assert.equal(selectorOf("redis").byPort(1), redis);
  assert.equal(selectorOf("redis memcached").byPort(6379), null);
  assert.equal(selectorOf("redis:7000 memcached").byPort(7000), redis);
});

/** Who speaks, by the bytes alone: where no handshake was seen. */
const SPEAKERS: readonly (readonly [string, "client" | "server" | null])[] = [
  [RESP, "client"],
  ["+OK\r\n", "server"],
  ["-ERR no\r\n", "server"],
  ["$5\r\nhello\r\n", "server"],
  [":1\r\n", "server"],
  ["*2\r\n:1\r\n:2\r\n", "server"],
  // A list of values, or a command that is not known.
  [command("job:17", "payload"), null],
  ["STORED\r\n", "server"],
  ["VALUE k 0 1\r\nx\r\nEND\r\n", "server"],
  [BINARY, "client"],
  [BINARY.replace("\x80", "\x81"), "server"],
  ["\xff\xfe\xfd\xfc", null],
  ["x", null],
];

for (const [text, expected] of SPEAKERS) {
  test(`${JSON.stringify(text.slice(0, 20))} is spoken by ${expected ?? "nobody known"}`, () => {
    const bytes = bytesOf(text);
    assert.equal(selectorOf("auto").speaker(bytes, 2, bytes.length), expected);
  });
}

test("bytes outside the range do not matter, and none are needed", () => {
  const selector = selectorOf("auto");
  const bytes = bytesOf(TLS);
  assert.equal(selector.recognise(81, bytes, 0, 2), "unknown_protocol");
  assert.equal(selector.recognise(81, bytes, 2, 3), "unknown_protocol");
  assert.equal(selector.recognise(81, bytes, 2, 2), "unknown_protocol");
});
