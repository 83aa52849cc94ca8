import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { redis } from "../../src/protocols/redis.ts";
import { RecordingExchange } from "../support/recording-exchange.ts";
import { bytesOf, parseTranscript, play, type Step } from "../support/transcript.ts";

const WORDS = [
  ..."GET SET EVAL XREAD STREAMS BLOCK GROUP MIGRATE KEYS AUTH HELLO CONFIG ACL SETUSER SENTINEL CLIENT REPLY OFF".split(
    " ",
  ),
  ..."SKIP ON MULTI EXEC RESET SUBSCRIBE UNSUBSCRIBE MONITOR PSYNC SYNC REPLCONF ACK message pmessage subscribe".split(
    " ",
  ),
  ..."*1 *2 *3 *-1 *0 *? $3 $0 $-1 $? ;3 ;0 . _ #t ,1.5 (12 !3 =4 %1 ~2 |1 >3 +OK -ERR :1 $EOF: 1 2 0".split(" "),
  ..."*2000000000 $536870912 $9999999999999 %4000000000 +FULLRESYNC +CONTINUE".split(" "),
  ...['"', "'", "\\\\", "\\\\x4", "\\r\\n", "\\r\\n", "\\n", "\\r", "\\0", "\\xff", " "],
].map(bytesOf);

const ends = fc.constantFrom("", "\r\n", "\r\n", "\r\n");

/** Bytes that look like Redis' more often than chance would have it. */
const soup = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(fc.tuple(fc.constantFrom(...WORDS), ends), { maxLength: 60 })
    .map((parts) => Buffer.concat(parts.flatMap(([word, end]) => [word, Buffer.from(end)]))),
  // Whole commands, so that modes change.
  fc
    .array(fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5 }), { maxLength: 12 })
    .map((commands) => Buffer.concat(commands.flatMap(command))),
);

function command(words: readonly Uint8Array[]): Buffer[] {
  return [
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), Buffer.from(word), Buffer.from("\r\n")]),
  ];
}

const direction = fc.constantFrom("client" as const, "server" as const);
const chunk: fc.Arbitrary<Step> = fc.record({
  direction,
  bytes: soup,
  missing: fc.constant(0),
  isResync: fc.constant(false),
});
const hole: fc.Arbitrary<Step> = fc.record({
  direction,
  bytes: fc.constant(new Uint8Array()),
  missing: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 0x7fffffff })),
  isResync: fc.constant(false),
});
const resync = hole.map((step) => ({ ...step, missing: 0, isResync: true }));

test("whatever comes, in whatever order: nothing is thrown, the contract is kept", () => {
  // The recording Exchange and play() throw where a session breaks the contract.
  const steps = fc.array(fc.oneof({ weight: 8, arbitrary: chunk }, hole, resync), { maxLength: 20 });
  fc.assert(
    fc.property(steps, fc.boolean(), (script, values) => {
      play(redis, script, { text: true, values });
    }),
    { numRuns: 3000 },
  );
});

const recorded = readdirSync(join("test", "protocols"))
  .filter((file) => /^redis.*\.md$/.test(file))
  .flatMap((file) => parseTranscript(readFileSync(join("test", "protocols", file), "utf8")))
  .map((each) => each.steps)
  .filter((steps) => steps.reduce((sum, step) => sum + step.bytes.length, 0) < 5000);

const change = fc.record({
  what: fc.constantFrom("flip", "drop", "repeat", "insert", "hole", "resync"),
  step: fc.nat(),
  at: fc.nat(),
  length: fc.nat(30),
  bytes: soup,
});

function changed(steps: readonly Step[], { what, step, at, length, bytes }: ReturnType<typeof sample>): Step[] {
  const index = step % steps.length;
  const old = steps[index]!;
  const from = at % (old.bytes.length + 1);
  const before = old.bytes.subarray(0, from);
  const behind = old.bytes.subarray(from);
  const part = behind.subarray(0, length);
  const middle: Record<string, Step[]> = {
    flip: [{ ...old, bytes: Uint8Array.from(part, (byte) => byte ^ (1 << (length & 7))) }],
    drop: [],
    repeat: [
      { ...old, bytes: part },
      { ...old, bytes: part },
    ],
    insert: [
      { ...old, bytes },
      { ...old, bytes: part },
    ],
    hole: [{ ...old, bytes: new Uint8Array(), missing: length + 1 }],
    resync: [
      { ...old, bytes: new Uint8Array(), missing: 0, isResync: true },
      { ...old, bytes: part },
    ],
  };
  const rest = { ...old, bytes: behind.subarray(part.length) };
  return [...steps.slice(0, index), { ...old, bytes: before }, ...middle[what]!, rest, ...steps.slice(index + 1)];
}
const sample = () => fc.sample(change, 1)[0]!;

test("recorded dialogues, damaged: nothing is thrown, the contract is kept", () => {
  fc.assert(
    fc.property(fc.constantFrom(...recorded), fc.array(change, { minLength: 1, maxLength: 6 }), (steps, changes) => {
      play(redis, changes.reduce<readonly Step[]>(changed, steps), { text: true, values: true });
    }),
    { numRuns: 3000 },
  );
});

interface Exchanged {
  readonly client: string;
  readonly server: string;
}

const word = fc.string({ unit: "binary-ascii", maxLength: 40 });
const reply: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    word.map((text) => `$${text.length}\r\n${text}\r\n`),
    fc.constantFrom("+OK\r\n", ":17\r\n", "$-1\r\n", "*-1\r\n", "_\r\n", "#f\r\n", ",inf\r\n", "*0\r\n", "-ERR x\r\n"),
    word.map((text) => `$?\r\n${text.length > 0 ? `;${text.length}\r\n${text}\r\n` : ""};0\r\n`),
    fc.array(tie("value"), { maxLength: 4 }).map((values) => `*${values.length}\r\n${values.join("")}`),
    fc.array(tie("value"), { maxLength: 4 }).map((values) => `~?\r\n${values.join("")}.\r\n`),
    fc
      .array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join("")}`),
    fc.tuple(tie("value"), tie("value")).map(([key, value]) => `|1\r\n${key}${value}+OK\r\n`),
  ),
})).value;

const exchanged: fc.Arbitrary<Exchanged> = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 5 }), reply, fc.array(reply, { maxLength: 2 }))
  .map(([words, answer, pushes]) => ({
    // A name that is in no table, so that no mode changes.
    client: Buffer.concat(command(["X", ...words].map((each) => Buffer.from(each, "latin1")))).toString("latin1"),
    server: `${pushes.map((push) => `>2\r\n+invalidate\r\n${push}`).join("")}${answer}`,
  }));

/** A stream cut at random places. */
function cutAt(from: "client" | "server", text: string, cuts: readonly number[]): Step[] {
  const bytes = Buffer.from(text, "latin1");
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => {
    return { direction: from, bytes: bytes.subarray(places[index], end), missing: 0, isResync: false };
  });
}

test("every request is answered by one value of whatever shape, pushes apart, however the streams are cut", () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(exchanged, { minLength: 1, maxLength: 12 }), cuts, cuts, (dialogue, one, other) => {
      const client = dialogue.map((each) => each.client).join("");
      const server = dialogue.map((each) => each.server).join("");
      const wants = { text: true, values: false };
      const whole = play(redis, [...cutAt("client", client, []), ...cutAt("server", server, [])], wants);
      const parts = play(redis, [...cutAt("client", client, one), ...cutAt("server", server, other)], wants);
      assert.deepEqual(parts, whole);
      const heads = whole.map((event) => event.head);
      const bytes = whole.filter((event) => /^(answer|push)/.test(event.head)).map((event) => event.details[0]);
      assert.equal(heads.filter((head) => head.startsWith("request ")).length, dialogue.length);
      assert.equal(heads.filter((head) => head.startsWith("answer ")).length, dialogue.length);
      assert.deepEqual(
        heads.filter((head) => /^(unmatched|server|client)/.test(head)),
        [],
      );
      assert.equal(
        bytes.reduce((sum, each) => sum + Number.parseInt(each ?? "", 10), 0),
        server.length,
      );
    }),
    { numRuns: 1000 },
  );
});

test("no secret is ever shown, wherever the bytes are cut and holes are made", () => {
  const secret = "hunter-two";
  const commands = fc.constantFrom(
    ["AUTH", secret],
    ["AUTH", "bob", secret],
    ["HELLO", "3", "AUTH", "bob", secret],
    ["CONFIG", "SET", "requirepass", secret],
    ["CONFIG", "SET", "maxmemory", "1gb", "masterauth", secret],
    ["ACL", "SETUSER", "bob", "on", `>${secret}`],
    ["MIGRATE", "h", "1", "k", "0", "50", "COPY", "AUTH", secret],
    ["MIGRATE", "h", "1", "", "0", "50", "AUTH2", "bob", secret, "KEYS", "a"],
    ["SENTINEL", "SET", "mypass", "auth-pass", secret],
    ["SENTINEL", "CONFIG", "SET", "sentinel-pass", secret],
  );
  const place = fc.nat(200);
  fc.assert(
    fc.property(
      commands,
      fc.boolean(),
      place,
      fc.nat(12),
      fc.array(fc.nat(), { maxLength: 6 }),
      (words, values, at, hidden, cuts) => {
        const bytes = Buffer.concat(command(words.map((each) => Buffer.from(each)))).toString("latin1");
        const from = at % bytes.length;
        const steps = [
          ...cutAt("client", bytes.slice(0, from), cuts),
          { direction: "client" as const, bytes: new Uint8Array(), missing: hidden, isResync: false },
          ...cutAt("client", bytes.slice(from + hidden), cuts),
        ].filter((step) => step.missing > 0 || step.bytes.length > 0);
        const shown = play(redis, steps, { text: true, values }).flatMap((event) => [event.head, ...event.details]);
        // Four letters of it in a row are too many.
        for (let i = 0; i + 4 <= secret.length; i++)
          assert.ok(!shown.join("\n").includes(secret.slice(i, i + 4)), shown.join("\n"));
      },
    ),
    { numRuns: 5000 },
  );
});

test("an inline command may have 64 KiB, no more", () => {
  for (const [length, isTaken] of [
    [65_530, true],
    [65_533, false],
  ] as const) {
    const bytes = Buffer.from(`get ${"x".repeat(length)}\r\n`);
    const steps = cutAt("client", bytes.toString("latin1"), [4, 1000, 65_000]);
    const heads = play(redis, steps, { text: false, values: false }).map((event) => event.head);
    assert.deepEqual(heads, isTaken ? ["request GET normal"] : ["client refused", "request GET normal"]);
  }
});

/** Keeps nothing of what it is told but the pending requests. */
class ForgetfulExchange extends RecordingExchange {
  override note(): void {}
}

test("memory stays flat, whatever is announced and however long a line is", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const exchange = new ForgetfulExchange(redis, { text: false, values: false });
  const { requests, responses } = redis.createSession(exchange);
  const feed = (text: string, isClient: boolean) => {
    const bytes = Buffer.from(text, "latin1");
    exchange.pushing(0, bytes.length, 0);
    return (isClient ? requests : responses).push(bytes, 0, bytes.length);
  };
  const megabyte = "x".repeat(1_000_000);
  const round = () => {
    assert.ok(feed("*2000000000\r\n$3\r\nGET\r\n$536870912\r\n", true));
    for (let i = 0; i < 20; i++) assert.ok(feed(megabyte, true));
    requests.resync();
    exchange.dropped("client");
    assert.ok(feed("PING\r\n", true));
    assert.ok(feed("*2000000000\r\n%1000000000\r\n$536870912\r\n", false));
    for (let i = 0; i < 20; i++) assert.ok(feed(megabyte, false));
    responses.resync();
    exchange.dropped("server");
    assert.ok(feed("*2\r\n+", false));
    for (let i = 0; i < 20; i++) assert.ok(feed(megabyte, false));
    assert.ok(feed("\r\n:1\r\n", false));
    assert.equal(exchange.pendingCount, 0);
  };
  round();
  collect();
  const before = process.memoryUsage();
  for (let count = 0; count < 5; count++) round();
  collect();
  const after = process.memoryUsage();
  assert.ok(after.heapUsed - before.heapUsed < 1_000_000, `heap grew by ${after.heapUsed - before.heapUsed} bytes`);
});
