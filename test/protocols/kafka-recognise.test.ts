import assert from "node:assert/strict";
import { test } from "node:test";
import { replyKindOf } from "../../src/protocols/kafka/frame.ts";
import { isWholeResponses } from "../../src/protocols/kafka/recognise.ts";
import { kafka } from "../../src/protocols/kafka.ts";
import { type Exchange, NONE_PENDING, Recognition } from "../../src/protocols/protocol.ts";
import { PROTOCOLS } from "../../src/protocols/registry.ts";
import { bytesOf } from "../support/transcript.ts";

type Row = readonly [what: string, bytes: string, verdict: keyof typeof Recognition];

const METADATA = "\\0\\0\\0\\x12\\0\\x03\\0\\x01\\0\\0\\0\\x01\\0\\x04kcat\\xff\\xff\\xff\\xff";
const NAMELESS = "\\0\\0\\0\\x0e\\0\\x03\\0\\x01\\0\\0\\0\\x01\\xff\\xff\\xff\\xff\\xff\\xff";

const CLIENTS: readonly Row[] = [
  ["Metadata of a client with a name", METADATA, "certain"],
  ["two of them", METADATA + METADATA, "certain"],
  ["the beginning of one", METADATA.slice(0, 28), "undecided"],
  ["one without a name whose body can be read to its end", NAMELESS, "certain"],
  ["one without a name that goes on", NAMELESS.slice(0, -8), "possible"],
  ["an api that Kafka has not", METADATA.replace("\\0\\x03", "\\0\\xf3"), "no"],
  ["a version that no api has", METADATA.replace("\\0\\x01", "\\x01\\x01"), "no"],
  ["a newer version of an api", METADATA.replace("\\0\\x01", "\\0\\x20"), "certain"],
  ["a name of no text", METADATA.replace("kcat", "kc\\x01t"), "no"],
  ["a name longer than its frame", METADATA.replace("\\x04kcat", "\\x40kcat"), "no"],
  [
    "the end of a request that was cut, taken for a header with a name of 28,777 letters",
    "\\x03abc\\0\\0\\0\\x01\\0\\x05topic",
    "possible",
  ],
  ["a body that cannot be", METADATA.replace("\\xff\\xff\\xff\\xff", "\\x7f\\xff\\xff\\xff"), "no"],
  ["a frame of more than 100 MiB", `\\x07${METADATA.slice(2)}`, "no"],
  ["a frame that has no room for a header", METADATA.replace("\\x12", "\\x08"), "no"],
  // Others that begin with a length: PostgreSQL's start, its TLS request, ZooKeeper's connect, DNS over TCP.
  ["PostgreSQL", "\\0\\0\\0\\x2a\\0\\x03\\0\\0user\\0postgres\\0database\\0postgres\\0\\0", "no"],
  ["PostgreSQL before TLS", "\\0\\0\\0\\x08\\x04\\xd2\\x16/", "no"],
  ["ZooKeeper", "\\0\\0\\0-\\{16 \\0}u0\\{8 \\0}\\0\\0\\0\\x10\\{16 \\0}\\0", "no"],
  ["DNS over TCP", "\\0\\x1d\\0\\x07\\0\\0\\0\\x01\\{6 \\0}\\x03www\\x07example\\x03com\\0\\0\\x01\\0\\x01", "no"],
  ["Redis", "*1\\r\\n$4\\r\\nPING\\r\\n", "no"],
  ["HTTP", "GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n", "no"],
  ["memcached's binary protocol", "\\x80\\{23 \\0}", "no"],
  ["TLS", "\\x16\\x03\\x01\\x02\\0\\x01\\0\\x01\\xfc\\x03\\x03", "no"],
];

for (const [what, text, verdict] of CLIENTS) {
  test(`a client that begins with ${what} is Kafka's: ${verdict}`, () => {
    // Not at the buffer's ends: what stands there is not looked at.
    const bytes = Buffer.concat([bytesOf("\\n\\n"), bytesOf(text), bytesOf("\\n\\n")]);
    assert.equal(kafka.recogniseRequest(bytes, 2, bytes.length - 2), Recognition[verdict]);
  });
}

const SERVERS: readonly Row[] = [
  ["a frame that ends where the segment does", "\\0\\0\\0\\x06\\0\\0\\0\\x01\\0\\0", "possible"],
  ["a frame that does not", "\\0\\0\\0\\x07\\0\\0\\0\\x01\\0\\0", "no"],
  ["a few bytes", "\\0\\0\\0", "undecided"],
  ["text", "+OK\\r\\n", "no"],
];

for (const [what, text, verdict] of SERVERS) {
  test(`a server that begins with ${what} is Kafka's: ${verdict}`, () => {
    const bytes = bytesOf(text);
    assert.equal(kafka.recogniseResponse(bytes, 0, bytes.length), Recognition[verdict]);
  });
}

test("no other protocol is certain of Kafka's first bytes", () => {
  for (const text of [METADATA, NAMELESS]) {
    const bytes = bytesOf(text);
    for (const protocol of PROTOCOLS) {
      if (protocol !== kafka)
        assert.notEqual(protocol.recogniseRequest(bytes, 0, bytes.length), Recognition.certain, protocol.name);
    }
  }
});

/** Big-endian, in so many bytes each. */
function integers(...values: readonly (readonly [size: number, value: number])[]): Buffer {
  return Buffer.concat(
    values.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      if (size > 0) bytes.writeUIntBE(value, Math.max(0, size - 6), Math.min(size, 6));
      return bytes;
    }),
  );
}

/** A response to the only request that is pending: its id is 6. */
function response(body: Uint8Array, id = 6): Buffer {
  return Buffer.concat([integers([4, body.length + 4], [4, id]), body]);
}

/** Of Fetch 13, with a topic's id in place of its name, to records that begin so. */
function fetched(records: Uint8Array): Buffer {
  const partition = integers([4, 0], [2, 0], [8, 7], [8, 7], [8, 0], [1, 1], [4, 0]);
  // Records come behind their length, in a varint, plus one: 3000.
  const size = Buffer.from([0xb9, 0x17]);
  const topic = Buffer.concat([integers([1, 2]), Buffer.alloc(16, 0x5a), integers([1, 2]), partition, size]);
  const rest = Buffer.alloc(3000 - records.length);
  return response(Buffer.concat([integers([1, 0], [4, 0], [2, 0], [4, 0]), topic, records, rest, Buffer.alloc(3)]));
}

const batch = (magic: number) => integers([8, 7], [4, 2900], [4, 1], [1, magic], [4, 0x12345678]);
const offsets = integers([4, 1], [2, 6]);
const named = Buffer.concat([offsets, Buffer.from("orders"), integers([4, 1], [4, 0], [2, 0], [8, 0], [8, 7])]);
const listed = response(named);
/** What Metadata has of a partition whose leader is 6: its number, that, the replicas, and those in sync; many of them. */
const partitions = Buffer.concat(
  Array.from({ length: 200 }, (_, at) =>
    integers([4, 1500 + at], [4, 6], [4, 2], [4, 0], [4, 1], [4, 2], [4, 0], [4, 1], [2, 0]),
  ),
);
const heartbeat = response(integers([2, 0]));

const BOUNDARIES: readonly (readonly [
  what: string,
  api: number,
  version: number,
  bytes: Uint8Array,
  begins: boolean,
])[] = [
  ["a response that ends with it", 2, 1, listed, true],
  ["two of them", 2, 1, Buffer.concat([listed, listed]), true],
  ["one that ends there, though its body does not", 2, 1, response(named.subarray(0, -4)), false],
  ["one with another id", 2, 1, response(named, 7), false],
  ["one that goes on behind it, with a topic's name", 2, 1, listed.subarray(0, -12), true],
  ["one that goes on before that", 2, 1, listed.subarray(0, 14), false],
  ["one of a few bytes", 12, 0, heartbeat, true],
  ["one that goes on, of which only integers are seen", 12, 0, heartbeat.subarray(0, -1), false],
  ["one with the beginning of another behind it", 12, 0, Buffer.concat([heartbeat, heartbeat.subarray(0, 6)]), false],
  ["partitions of another response, taken for one", 2, 1, partitions.subarray(0, 1448), false],
  ["a name of no text", 2, 1, Buffer.concat([listed.subarray(0, 14), Buffer.alloc(6, 1)]), false],
  ["records without a topic's name", 1, 13, fetched(batch(2)).subarray(0, 1448), true],
  ["bytes in their place that begin no batch", 1, 13, fetched(batch(0)).subarray(0, 1448), false],
  ["ApiVersions that were refused, in the oldest form", 18, 3, response(integers([2, 35], [4, 0])), true],
];

for (const [what, api, version, bytes, begins] of BOUNDARIES) {
  test(`behind a loss, a segment with ${what} ${begins ? "begins" : "does not begin"} a response`, () => {
    const exchange = { replyKindOf: (id: number) => (id === 6 ? replyKindOf(api, version, 0) : NONE_PENDING) };
    assert.equal(isWholeResponses(exchange as Exchange, bytes, 0, bytes.length), begins);
  });
}
