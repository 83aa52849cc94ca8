import assert from "node:assert/strict";
import { test } from "node:test";
import { PROTOCOLS } from "../../src/protocols/registry.ts";
import { ProtocolSelector } from "../../src/transactions/selector.ts";
import { answer, question } from "../support/dns.ts";

const GET = Buffer.from("\0\x01\0\0\0\x01\0\0get foo\r\n", "latin1");
const GETS = Buffer.from("\0\x01\0\0\0\x01\0\0gets foo bar\r\n", "latin1");
const VALUE = Buffer.from("\0\x01\0\0\0\x01\0\0VALUE foo 0 3\r\nbar\r\nEND\r\n", "latin1");
const ASKED = question(7, "www.example.com");
const ANSWERED = answer(7, "www.example.com");
const ODD_TYPE = question(7, "www.example.com", 65280);
const REFUSED = Buffer.from([0, 7, 0x81, 0x85, 0, 0, 0, 0, 0, 0, 0, 0]);
const NOISE = Buffer.from("\xc3\0\0\0\x01\x08 no protocol, as QUIC's first bytes are none", "latin1");
const QUIET_HOURS = Buffer.from([0x23, ...Buffer.alloc(47)]);

function selectorOf(...names: readonly string[]): ProtocolSelector {
  const selections = names.map((each) => {
    const [name = "", port] = each.split(":");
    return { name, ports: port === undefined ? [] : [Number(port)] };
  });
  return new ProtocolSelector(selections, PROTOCOLS);
}

/** -p, the server's port and the client's, the datagram, what it is taken for, and who sent it. */
const CASES: readonly (readonly [string, number, number, Buffer, string | null, string | null])[] = [
  ["auto", 53, 40_000, ASKED, "dns", "client"],
  ["auto", 53, 40_000, ANSWERED, "dns", "server"],
  ["auto", 5300, 40_000, ASKED, "dns", "client"],
  ["auto", 53, 53, ANSWERED, "dns", "server"],
  // Only a usual port, or -p, tells what may be something else.
  ["auto", 53, 40_000, ODD_TYPE, "dns", "client"],
  ["auto", 5300, 40_000, ODD_TYPE, null, "client"],
  ["auto", 53, 40_000, REFUSED, "dns", "server"],
  ["auto", 5300, 40_000, REFUSED, null, "server"],
  ["dns:5300", 5300, 40_000, ODD_TYPE, "dns", "client"],
  // Multicast DNS, LLMNR and NetBIOS ask alike; a client's port may be any.
  ["auto", 5353, 5353, ASKED, null, null],
  ["auto", 5355, 40_000, ASKED, null, null],
  ["auto", 137, 137, ASKED, null, null],
  ["auto", 53, 5353, ASKED, "dns", "client"],
  ["dns", 5353, 5353, ASKED, null, null],
  ["dns", 5355, 40_000, ASKED, null, null],
  ["dns", 5353, 53, ASKED, "dns", "client"],
  ["dns:5353", 5353, 5353, ASKED, "dns", "client"],
  ["auto", 11_211, 40_000, GET, "memcached", "client"],
  ["auto", 11_211, 40_000, VALUE, "memcached", "server"],
  ["auto", 9000, 40_000, GETS, "memcached", "client"],
  ["auto", 9000, 40_000, GET, null, "client"],
  ["auto", 443, 40_000, NOISE, null, null],
  ["auto", 123, 123, QUIET_HOURS, null, null],
  ["redis", 53, 40_000, ASKED, null, null],
  ["memcached", 53, 40_000, ASKED, null, null],
  ["memcached", 11_211, 40_000, NOISE, "memcached", null],
  ["memcached", 9000, 40_000, GET, "memcached", "client"],
  ["dns", 5300, 40_000, ODD_TYPE, "dns", "client"],
  ["dns", 443, 40_000, NOISE, null, null],
  ["dns:443", 443, 40_000, NOISE, "dns", null],
];

for (const [wanted, serverPort, clientPort, bytes, expected, speaker] of CASES) {
  const what = JSON.stringify(bytes.toString("latin1", 0, 16));
  test(`-p ${wanted}: ${what} between ports ${serverPort} and ${clientPort} is ${expected ?? "nobody's"}`, () => {
    const selector = selectorOf(wanted);
    const chosen = selector.recogniseDatagram(serverPort, clientPort, bytes, 0, bytes.length);
    assert.equal(chosen?.name ?? null, expected);
    assert.equal(selector.datagramSpeaker(serverPort, clientPort, bytes, 0, bytes.length), speaker);
  });
}

test("UDP is wanted where a protocol that is spoken in it may come", () => {
  for (const [names, wants] of [
    [["auto"], true],
    [["redis"], false],
    [["redis", "dns:53"], true],
    [["http", "kafka"], false],
    [["memcached"], true],
  ] as const) {
    assert.equal(selectorOf(...names).wantsDatagrams, wants, names.join(" "));
  }
});
