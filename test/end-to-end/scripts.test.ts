import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, frameOf } from "../support/segments.ts";
import { missingProgram, type RealServer, startRedis, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const { folder, remove } = temporaryFolder();
after(remove);

const EXCHANGES = 400;

/** A connection with so many GETs, 100 µs each, one a millisecond. */
function dialogue(): Dialogue {
  const made = new Dialogue();
  made.open();
  for (let i = 0; i < EXCHANGES; i++) {
    made.client(1000 + i * 1000, resp("GET", `key:${i}`));
    made.server(1100 + i * 1000, `$500\r\n${"x".repeat(500)}\r\n`);
  }
  made.fin("client", 1000 + EXCHANGES * 1000);
  return made;
}

const frames = dialogue().segments.map((segment) => ({
  seconds: Math.floor(segment.timeUs / 1e6),
  nanoseconds: (segment.timeUs % 1e6) * 1000,
  bytes: frameOf(segment),
}));
const capture = pcapFile(frames);
const file = join(folder, "capture.pcap");
writeFileSync(file, capture);

function script(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

const sequences = script("sequences.lua", "function process(p) if p.size > 0 then print('packet', p.seq) end end");
const both = script(
  "both.mjs",
  `export function packet(p) { if (p.size > 0) console.log("packet", p.seq); }
   export function transaction(t) { console.log("transaction", t.id, t.key, t.latency_us); }
   export function tick(now) { console.log("tick", typeof now.counters["requests.redis.10.0.0.2:6379.GET"], Object.keys(now.servers)); }
   export async function end() { await null; console.log("end"); }`,
);

describe("a script on a file", () => {
  it("prints in its place: behind the packets before, and before what comes of its own", async () => {
    const run = await runTcplat(["-r", file, "-S", both]);
    assert.equal(run.status, 0, run.stderr);
    const { lines } = run;
    assert.deepEqual(
      lines.slice(0, 2).map((line) => line.split(" ")[0]),
      ["packet", "packet"],
    );
    assert.match(lines[2]!, /0\.100 ms \| GET key:0$/);
    assert.deepEqual(lines.slice(3, 4), ["transaction 1-1 key:0 100"]);
    const kinds = lines.map((line) => /^[a-z]+/.exec(line)?.[0] ?? "record");
    const exchange = ["packet", "packet", "record", "transaction"];
    assert.deepEqual(kinds, [...Array.from({ length: EXCHANGES }, () => exchange).flat(), "end"]);
  });

  it("prints the same each time, and out of a pipe", async () => {
    const runs = [
      await runTcplat(["-r", file, "-S", sequences]),
      await runTcplat(["-r", file, "-S", sequences]),
      await runTcplat(["-r", "-", "-S", sequences], { input: capture }),
    ];
    assert.equal(runs[0]!.lines.length, EXCHANGES * 3);
    for (const run of runs) assert.equal(run.stdout, runs[0]!.stdout);
  });

  it("ticks once a second of the file's clock, however little comes in one", async () => {
    const quiet = new Dialogue();
    quiet.open(0);
    for (let half = 1; half <= 12; half++) {
      quiet.client(half * 500_000, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
      quiet.server(half * 500_000 + 100, "$-1\r\n");
    }
    const bytes = pcapFile(
      quiet.segments.map((segment) => ({
        seconds: Math.floor(segment.timeUs / 1e6),
        nanoseconds: (segment.timeUs % 1e6) * 1000,
        bytes: frameOf(segment),
      })),
    );
    const path = join(folder, "quiet.pcap");
    writeFileSync(path, bytes);
    const ticks = script(
      "ticks.mjs",
      `export function tick({ time_us, counters }) { console.log(time_us % 60e6, counters["requests.redis.10.0.0.2:6379.GET"]); }`,
    );
    // The request that makes it due is in its numbers.
    const expected = [1, 2, 3, 4, 5, 6].map((second) => `${second * 1e6} ${second * 2}`);
    assert.deepEqual((await runTcplat(["-r", path, "-q", "-S", ticks])).lines, expected);
    assert.deepEqual((await runTcplat(["-r", "-", "-q", "-S", ticks], { input: bytes })).lines, expected);
  });

  it("stands among the lines of -p raw, each behind its packet's words", async () => {
    const { lines } = await runTcplat(["-r", file, "-p", "raw", "-S", sequences]);
    assert.equal(lines.length, frames.length + EXCHANGES * 2);
    for (const [index, line] of lines.entries()) {
      if (line.startsWith("packet")) assert.match(lines[index + 1]!, /length [1-9]/);
    }
  });

  it("with --json prints objects", async () => {
    const run = await runTcplat(["-r", file, "--json", "-S", sequences]);
    const records = run.records.map(({ type }) => type);
    assert.deepEqual(records.slice(0, 3), ["print", "print", "transaction"]);
    assert.equal(total(run.summary, "script_calls.packet"), frames.length);
    assert.equal(total(run.summary, "requests"), EXCHANGES);
  });

  it("gets the transactions that -t and --filter let through, whatever -q keeps from being printed", async () => {
    for (const [words, expected] of [
      [["-t", "100us"], EXCHANGES],
      [["-t", "101us"], 0],
      [["--filter", 'key == "key:7"'], 1],
    ] as const) {
      const { lines } = await runTcplat(["-r", file, "-q", ...words, "-S", both]);
      assert.equal(lines.filter((line) => line.startsWith("transaction")).length, expected, words.join(" "));
    }
  });

  it("gets transactions with the fields that types/script.d.ts names", async () => {
    const keys = script("keys.mjs", "export function transaction(t) { console.log(JSON.stringify(t)); }");
    const { lines } = await runTcplat(["-r", file, "-q", "--details", "-S", keys]);
    const [, shipped = ""] = /interface Transaction \{(.+?)\n\}/s.exec(readFileSync("types/script.d.ts", "utf8")) ?? [];
    const names = [...shipped.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(Object.keys(JSON.parse(lines[0]!)).sort(), names.sort());
  });

  it("that fails is told of once, with the place, and counted; latencies go on", async () => {
    const bad = script("bad.lua", "function process(p)\n  if p.size > 0 then local x = p.nosuch.y end\nend");
    const run = await runTcplat(["-r", file, "--json", "-S", bad]);
    assert.equal(run.status, 0);
    assert.equal(run.stderr.split("bad.lua:2: attempt to index field 'nosuch'").length - 1, 1, run.stderr);
    assert.equal(run.summary.script_errors, EXCHANGES * 2);
    assert.equal(run.records.length, EXCHANGES);
    assert.deepEqual(violations(run.summary), []);
  });

  it("whose thread has ended is left alone, and counted; latencies go on", async () => {
    const bad = script("exits.mjs", "let n = 0;\nexport function packet() { if (++n === 10) process.exit(3); }");
    const run = await runTcplat(["-r", file, "--json", "-S", bad]);
    assert.equal(run.status, 0);
    assert.match(run.stderr, /exits\.mjs: stopped: the script ended its own thread; capture goes on/);
    assert.equal(run.records.length, EXCHANGES);
    assert.equal(run.summary["script_skipped.frames"], frames.length);
  });

  it("works beside another", async () => {
    const { lines } = await runTcplat(["-r", file, "-q", "-S", sequences, "-S", both]);
    assert.equal(lines.filter((line) => line.startsWith("packet")).length, EXCHANGES * 4);
  });

  it("sees all in one order: there is one worker", async () => {
    const run = await runTcplat(["-r", file, "--workers", "2", "-S", sequences]);
    assert.match(run.stderr, /one worker: scripts see the frames and transactions of all in one order/);
    assert.equal(run.lines.length, EXCHANGES * 3);
  });

  const refused: readonly [string, string, RegExp][] = [
    ["wrong.lua", "x = = 1", /^tcplat: --script \S+wrong\.lua:1: unexpected symbol near '='$/],
    ["wrong.mjs", "\nexport function packet( {", /^tcplat: --script \S+wrong\.mjs:2: SyntaxError: .+$/],
    [
      "empty.mjs",
      "export const a = 1;",
      /^tcplat: --script \S+empty\.mjs: it exports none of packet, transaction, tick, end/,
    ],
  ];
  for (const [name, source, expected] of refused) {
    it(`that cannot be loaded is refused in one line: ${name}`, async () => {
      const run = await runTcplat(["-r", file, "-S", script(name, source)]);
      assert.equal(run.status, 2);
      assert.match(run.stderr.trimEnd(), expected);
      assert.equal(run.stdout, "");
    });
  }

  it("that is not there is refused", async () => {
    const run = await runTcplat(["-r", file, "-S", join(folder, "nothing.lua")]);
    assert.equal(run.status, 2);
    assert.match(run.stderr, /^tcplat: --script \S+nothing\.lua: there is no such file\n$/);
  });

  it("in TypeScript runs where Node strips types, and is else refused with the remedy", async () => {
    const typed = script(
      "typed.mts",
      "export function packet(p: { size: number }): void { console.log(p.size as number); }",
    );
    const run = await runTcplat(["-r", file, "-q", "-S", typed]);
    if ("typescript" in process.features && process.features.typescript) assert.equal(run.lines.length, frames.length);
    else {
      assert.equal(run.status, 2);
      assert.match(run.stderr, /runs no TypeScript: give JavaScript, as tsc makes it, or use Node 22\.18 or newer/);
    }
  });
});

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

describe("a script on live traffic", { skip }, () => {
  let redis: RealServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  function words(...more: readonly string[]): string[] {
    return ["-i", "lo", ...NO_PORTS, ...more, "tcp", "port", `${redis.port}`];
  }

  it("is called for packets, transactions and each second, and at the end", async () => {
    const tcplat = await Tcplat.capturing(words("-q", "-S", both));
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.ask(resp("SET", "k", "v"));
    await until("a tick comes", () => tcplat.lines.some((line) => line.startsWith("tick")));
    await client.close();
    assert.equal((await tcplat.stop()).status, 0);
    const kinds = tcplat.lines.map((line) => line.split(" ")[0]);
    // The second may be over at any time.
    const others = kinds.filter((kind) => kind !== "tick");
    assert.deepEqual(others, ["packet", "packet", "transaction", "end"]);
    assert.equal(kinds.at(-1), "end");
  });

  it("that is slow is passed by and counted, and no frame or transaction is lost for it", async () => {
    const slow = script(
      "slow.mjs",
      "export function packet() { const end = performance.now() + 20; while (performance.now() < end); }",
    );
    const tcplat = await Tcplat.capturing(words("--json", "-S", slow));
    const client = await RawClient.connect(redis.port, respReplyEnd);
    const value = "x".repeat(60_000);
    // 13 MB: more than may wait.
    for (let i = 0; i < 220; i++) await client.ask(resp("SET", `k${i}`, value));
    await client.close();
    await tcplat.transactions(220);
    await tcplat.stop();
    const { summary } = tcplat;
    assert.ok(total(summary, "script_skipped.frames") > 0, JSON.stringify(summary));
    assert.equal(total(summary, "capture_dropped_frames"), 0);
    // All of these frames hold a TCP segment.
    assert.equal(
      total(summary, "script_skipped.frames") + total(summary, "script_calls.packet"),
      total(summary, "capture_frames"),
    );
    assert.deepEqual(violations(summary), []);
  });
});
