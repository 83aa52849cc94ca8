import assert from "node:assert/strict";
import { test } from "node:test";
import { kafka } from "../../src/protocols/kafka.ts";
import { Recognition } from "../../src/protocols/protocol.ts";
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
