import assert from "node:assert/strict";
import { test } from "node:test";
import { heartbeat, heartbeatResponse } from "../support/kafka-frames.ts";
import { command, Dialogue } from "./dialogue.ts";

const PORT = 7000;
const HTTP = "GET /a HTTP/1.1\r\nHost: b\r\n\r\n";
const HTTP_OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** On a port that is nobody's: a request and its response. */
const EXCHANGES: readonly (readonly [string, string, string])[] = [
  ["Redis", command("GET", "a"), "$1\r\nx\r\n"],
  ["HTTP", HTTP, HTTP_OK],
  ["memcached's set", "set a 0 0 1\r\nx\r\n", "STORED\r\n"],
  ["memcached's get", "get a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n"],
  ["memcached's get of what is not there", "get a\r\n", "END\r\n"],
  ["an inline command of Redis", "PING\r\n", "+PONG\r\n"],
  ["Kafka", heartbeat(1), heartbeatResponse(1)],
];

for (const [what, request, response] of EXCHANGES) {
  test(`${what} on any port is the same wherever its first request is cut`, () => {
    const pinned = ["redis", "memcached", "http", "kafka"].map((name) =>
      new Dialogue({ port: PORT, selections: [{ name, ports: [] }] })
        .client(1000, request)
        .server(1600, response)
        .client(2000, request)
        .server(2700, response)
        .end("closed"),
    );
    const right = pinned.filter(({ ledger, told }) => ledger.parserErrors.length === 0 && told.length === 2);
    for (let at = 1; at < request.length; at++) {
      const dialogue = new Dialogue({ port: PORT })
        .client(1000, request.slice(0, at))
        .client(1100, request.slice(at))
        .server(1600, response)
        .client(2000, request)
        .server(2700, response)
        .end("closed");
      assert.ok(
        right.some(({ outcome }) => String(outcome) === String(dialogue.outcome)),
        `${at}: ${dialogue.outcome}`,
      );
      assert.deepEqual(dialogue.refused, { tls: 0, unknown_protocol: 0, unknown_udp: 0 });
    }
  });
}

test("a first request in single bytes is told whole, from its first byte's time on", () => {
  const dialogue = new Dialogue({ port: PORT });
  for (const [index, byte] of [...HTTP].entries()) dialogue.client(1000 + index, byte);
  dialogue.server(2000, HTTP_OK);
  assert.deepEqual(dialogue.outcome, ["GET /a 1000"]);
});

test("requests that several protocols have wait for an answer that only one has, and are told with it", () => {
  const dialogue = new Dialogue({ port: PORT }).client(1000, "get a\r\n").client(1200, "get b\r\n");
  assert.deepEqual(dialogue.outcome, []);
  dialogue.server(1500, "END\r\nEND\r\n");
  assert.deepEqual(dialogue.outcome, ["get a 500", "get b 300"]);
});

test("behind a server's greeting nothing is taken for a request that only may be one: POP3, FTP", () => {
  const unknown = { tls: 0, unknown_protocol: 1, unknown_udp: 0 };
  const pop3 = new Dialogue({ port: PORT })
    .server(1, "+OK POP3 ready\r\n")
    .client(2, "AUTH\r\n")
    .server(3, "-ERR Unrecognized authentication type\r\n")
    .client(4, "AUTH PLAIN\r\n")
    .server(5, "+\r\n")
    .client(6, "c2VjcmV0\r\n")
    .end("closed");
  assert.deepEqual([pop3.outcome, pop3.refused, pop3.ledger.unmatchedReasons], [[], unknown, []]);
  const ftp = new Dialogue({ port: PORT }).server(1, "220 ready\r\n").client(2, "QUIT\r\n").end("closed");
  assert.deepEqual([ftp.outcome, ftp.refused], [[], unknown]);
});

test("what no answer explains, what never is answered, and what is too long to be kept are unknown", () => {
  const unknown = { tls: 0, unknown_protocol: 1, unknown_udp: 0 };
  const smtp = new Dialogue({ port: PORT }).client(1, "EXISTS\r\n").server(2, "250 fine\r\n");
  assert.deepEqual([smtp.refused, smtp.connection.isIgnored], [unknown, true]);
  const silent = new Dialogue({ port: PORT }).client(1, "get a\r\n");
  assert.deepEqual([silent.refused.unknown_protocol, silent.connection.isIgnored], [0, false]);
  assert.deepEqual(silent.end("closed").refused, unknown);
  const long = new Dialogue({ port: PORT }).client(1, "get a").client(2, " key".repeat(1000));
  assert.deepEqual([long.refused, long.told], [unknown, []]);
  const lost = new Dialogue({ port: PORT }).client(1, "get a").clientLoses(2).server(3, "END\r\n");
  assert.deepEqual([lost.refused, lost.told], [unknown, []]);
});
