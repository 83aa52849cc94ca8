import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { memcached } from "../../src/protocols/memcached.ts";
import { RecordingExchange } from "../support/recording-exchange.ts";
import { bytesOf, play, type Step } from "../support/transcript.ts";

const WORDS = [
  ..."get gets gat set add append cas incr delete touch mg ms md ma me mn stats watch lru_crawler metadump".split(" "),
  ..."VALUE END STORED STAT HD VA EN NF MN ERROR CLIENT_ERROR SERVER_ERROR OK key= bad data chunk noreply".split(" "),
  ..."0 1 2 3 -1 4294967298 99999999999999999999 k q v O1 O2 kfoo foo b N0 sizes_enable version quit".split(" "),
  ...[" ", "\\r\\n", "\\r\\n", "\\n", "\\r", "\\x80\\x09\\0\\x01", "\\x81\\x09\\0\\0", "\\0\\0\\0\\0", "\\xff"],
].map(bytesOf);

/** Bytes that look like memcached's more often than chance would have it. */
const soup = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom("", " ", "\r\n")), { maxLength: 60 })
    .map((parts) => Buffer.concat(parts.flatMap(([word, end]) => [word, Buffer.from(end)]))),
);

const chunk: fc.Arbitrary<Step> = fc.record({
  direction: fc.constantFrom("client" as const, "server" as const),
  bytes: soup,
  missing: fc.constant(0),
  isResync: fc.constant(false),
});
const hole: fc.Arbitrary<Step> = fc.record({
  direction: fc.constantFrom("client" as const, "server" as const),
  bytes: fc.constant(new Uint8Array()),
  missing: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 0x7fffffff })),
  isResync: fc.constant(false),
});
const resync = hole.map((step) => ({ ...step, missing: 0, isResync: true }));

test("whatever comes, in whatever order: nothing is thrown, the contract is kept", () => {
  // The recording Exchange and play() throw where a session breaks the contract.
  const steps = fc.array(fc.oneof({ weight: 8, arbitrary: chunk }, hole, resync), { maxLength: 20 });
  fc.assert(
    fc.property(steps, (script) => {
      play(memcached, script, { text: true, values: true });
    }),
    { numRuns: 2000 },
  );
});

interface Exchanged {
  readonly client: string;
  readonly server: string;
  readonly requests: number;
}

const key = fc.stringMatching(/^[a-z0-9:]{1,40}$/);
const data = fc.string({ unit: "binary-ascii", maxLength: 60 });

/** Requests with the replies a server gives, text protocol. The quiet ones are told apart by their opaque or key. */
const textDialogue: fc.Arbitrary<Exchanged> = fc.oneof(
  fc.tuple(key, data).map(([k, d]) => said(`set ${k} 0 0 ${d.length}\r\n${d}\r\n`, "STORED\r\n")),
  fc.tuple(key, data).map(([k, d]) => said(`ms ${k} ${d.length} c\r\n${d}\r\n`, "HD c12\r\n")),
  fc.tuple(key, data).map(([k, d]) => said(`set ${k} 0 0 ${d.length} noreply\r\n${d}\r\n`, "")),
  fc.tuple(key, data).map(([k, d]) => said(`get ${k} x${k}\r\n`, `VALUE ${k} 0 ${d.length}\r\n${d}\r\nEND\r\n`)),
  fc.tuple(key, data).map(([k, d]) => said(`mg ${k} v\r\n`, `VA ${d.length}\r\n${d}\r\n`)),
  fc.tuple(key, data).map(([k, d]) => said(`mg ${k} v k q\r\n`, `VA ${d.length} k${k}\r\n${d}\r\n`)),
  key.map((k) => said(`mg miss-${k} v k q O1\r\n`, "")),
  key.map((k) => said(`incr ${k} 1\r\n`, "17\r\n")),
  key.map((k) => said(`delete ${k}\r\n`, "NOT_FOUND\r\n")),
  // Unknown lines behind a malformed data block are taken for more of its data, so a known command follows.
  key.map((k) => {
    const server = "CLIENT_ERROR bad data chunk\r\nERROR\r\nVERSION 1.6.18\r\n";
    return said(`set ${k} 0 0 1\r\nabc\r\nversion\r\n`, server, 2);
  }),
  fc.constant(said("stats\r\n", "STAT a b\r\nSTAT END 0\r\nEND\r\n")),
  fc.constant(said("nosuch\r\n", "ERROR\r\n")),
  fc.constant(said("lru_crawler metadump all\r\n", "key=a exp=-1\nkey=END exp=-1\nEND\r\n")),
);

function said(client: string, server: string, requests = 1): Exchanged {
  return { client, server, requests };
}

/** A stream cut at random places. */
function cutAt(direction: "client" | "server", text: string, cuts: readonly number[]): Step[] {
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => {
    return { direction, bytes: bytes.subarray(places[index], end), missing: 0, isResync: false };
  });
}

test("every request of a valid dialogue is settled once, however it is cut", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(textDialogue, { minLength: 1, maxLength: 15 }), cuts, cuts, (dialogue, one, other) => {
      // MN settles the last quiet ones.
      const all = [...dialogue, said("mn\r\n", "MN\r\n")];
      const client = all.map((each) => each.client).join("");
      const server = all.map((each) => each.server).join("");
      const wants = { text: true, values: false };
      const whole = play(memcached, [...cutAt("client", client, []), ...cutAt("server", server, [])], wants);
      const parts = play(memcached, [...cutAt("client", client, one), ...cutAt("server", server, other)], wants);
      assert.deepEqual(parts, whole);
      const heads = whole.map((event) => event.head);
      const requests = all.reduce((sum, each) => sum + each.requests, 0);
      assert.equal(heads.filter((head) => head.startsWith("request ")).length, requests);
      assert.equal(heads.filter((head) => /^(answer|settled|no reply) /.test(head)).length, requests);
      assert.deepEqual(
        heads.filter((head) => /^(unmatched|server|client)/.test(head)),
        [],
      );
    }),
    { numRuns: 500 },
  );
});

/** Keeps nothing of what it is told but the pending requests. */
class ForgetfulExchange extends RecordingExchange {
  override note(): void {}
}

test("memory stays flat, whatever is announced and however long a line is", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const exchange = new ForgetfulExchange(memcached, { text: false, values: false });
  const { requests, responses } = memcached.createSession(exchange);
  const feed = (text: string, direction: "requests" | "responses") => {
    const bytes = Buffer.from(text, "latin1");
    exchange.pushing(0, bytes.length, 0);
    return (direction === "requests" ? requests : responses).push(bytes, 0, bytes.length);
  };
  const get = `get ${"key ".repeat(16_000)}`;
  const round = () => {
    for (let index = 0; index < 100; index++) {
      assert.equal(feed(index === 0 ? get : "key ".repeat(16_000), "requests"), true);
    }
    assert.equal(feed("\r\nset foo 0 0 2147483000\r\n", "requests"), true);
    assert.equal(feed(`VALUE k 0 2147483000\r\n${"x".repeat(1_000_000)}`, "responses"), true);
    assert.equal(requests.gap(2147483000), true);
    assert.equal(responses.gap(2147483002 - 1_000_000), true);
    assert.equal(feed("\r\n", "requests"), true);
    assert.equal(feed("END\r\nSTORED\r\n", "responses"), true);
  };
  round();
  collect();
  const before = process.memoryUsage();
  for (let count = 0; count < 5; count++) round();
  collect();
  const after = process.memoryUsage();
  assert.ok(after.heapUsed - before.heapUsed < 1_000_000, `heap grew by ${after.heapUsed - before.heapUsed} bytes`);
});
