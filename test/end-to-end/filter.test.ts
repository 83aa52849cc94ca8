import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startRedis, temporaryFolder } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;
const { folder, remove } = temporaryFolder();
const capture = join(folder, "capture.pcap");
let redis: RealServer;
/** All that was captured, told without a filter. */
let all: readonly JsonRecord[];
/** What a live capture with a filter told of the same. */
let live: Tcplat;

const EXPRESSION = 'command in ["GET", "MGET"] and key =~ "^user:" and client in 127.0.0.0/8 and not error';
const isTaken = (of: JsonRecord): boolean =>
  ["GET", "MGET"].includes(of.command) && of.key?.startsWith("user:") === true && of.error === null;

before(async () => {
  if (skip !== false) return;
  redis = await startRedis();
  live = await Tcplat.capturing(words("-i", "lo", "--json", "-w", capture, "--filter", EXPRESSION));
  const client = await RawClient.connect(redis.port, respReplyEnd);
  await client.send(resp("LPUSH", "user:list", "x"), 1);
  for (let i = 0; i < 20; i++) {
    const key = `${i % 2 === 0 ? "user" : "session"}:${i}`;
    await client.send(resp("SET", key, "x".repeat(i * 100)) + resp("GET", key) + resp("MGET", key, "user:list"), 3);
  }
  await client.send(resp("GET", "user:list"), 1);
  await client.send(resp("EVAL", "for i = 1, 3e6 do end return 1", "1", "user:slow"), 1);
  await client.close();
  await live.stop();
  all = (await runTcplat(["-r", capture, "--json"])).records;
});
after(async () => {
  await redis?.stop();
  remove();
});

function words(...more: readonly string[]): string[] {
  return [...more, ...NO_PORTS, "tcp", "port", `${redis.port}`];
}

describe("--filter", { skip }, () => {
  it("tells of a live capture what it takes, counts the rest, and hides nothing from the histograms", () => {
    assert.ok(all.length >= 63, `${all.length}`);
    const ids = all.filter(isTaken).map(({ id }) => id);
    assert.equal(ids.length, 20);
    assert.deepEqual(
      live.records.map(({ id }) => id),
      ids,
    );
    assert.equal(total(live.summary, "filtered"), all.length - ids.length);
    assert.equal(total(live.summary, "responses"), all.length);
    assert.equal(live.summary[`responses.redis.127.0.0.1:${redis.port}.SET.ok`], 20);
    assert.deepEqual(violations(live.summary), []);
  });

  const takes: readonly (readonly [string, (of: JsonRecord) => boolean])[] = [
    ["latency > 3ms", (of) => of.latency_us > 3000],
    ['status = "error" or response_bytes > 1k', (of) => of.status === "error" || of.response_bytes > 1000],
    ['flags = "pipelined" and queue >= 1us', (of) => of.flags.includes("pipelined") && of.queue_us >= 1],
    ['not (key =~ "^user:") and cause != "queue"', (of) => !of.key?.startsWith("user:") && of.cause !== "queue"],
    ["server_us > 10 and rtt", (of) => (of.server_us ?? 0) > 10 && (of.rtt_us ?? 0) > 0],
  ];
  for (const [expression, is] of takes) {
    it(`takes of a file what ${expression} says of the records`, async () => {
      const run = await runTcplat(["-r", capture, "--json", "--filter", expression]);
      assert.equal(run.status, 0, run.stderr);
      assert.deepEqual(run.records, all.filter(is));
      assert.equal(total(run.summary, "filtered"), all.length - run.records.length);
    });
  }

  it("chooses the lines, too, and the same ones with several workers", async () => {
    const one = await runTcplat(["-r", capture, "--filter", EXPRESSION]);
    assert.equal(one.lines.length, 20);
    assert.ok(
      one.lines.every((line) => / \| M?GET user:\d+/.test(line)),
      one.stdout,
    );
    assert.match(one.stderr, new RegExp(`^filtered {4}${all.length - 20} records withheld by --filter$`, "m"));
    const two = await runTcplat(["-r", capture, "--filter", EXPRESSION, "--workers", "2"]);
    // Who was waited for is not known to one of several.
    const plain = (lines: readonly string[]) => lines.map((line) => line.split(" | ").slice(0, 3));
    assert.deepEqual(plain(two.lines), plain(one.lines));
    assert.equal(two.stderr, one.stderr);
  });

  it("chooses the dumps of slow requests", async () => {
    const dumps = join(folder, "dumps");
    const isSlow = (of: JsonRecord) => of.latency_us >= 1 && of.key === "user:slow";
    const run = await runTcplat([
      "-r",
      capture,
      "-q",
      "-t",
      "1us",
      "--dump-slow",
      dumps,
      "--filter",
      'command = "EVAL" and key = "user:slow"',
    ]);
    assert.equal(run.status, 0, run.stderr);
    const slow = all.filter(isSlow);
    assert.equal(slow.length, 1);
    assert.deepEqual(
      readdirSync(dumps).map((name) => /_(\d+-\d+)\.pcap$/.exec(name)?.[1]),
      [slow[0]!.id],
    );
  });

  it("chooses what scripts are told, who may be all that print", async () => {
    const script = join(folder, "ids.mjs");
    writeFileSync(script, "export function transaction(t) {\n  console.log(t.id);\n}\n");
    const run = await runTcplat(["-r", capture, "-q", "-S", script, "--filter", EXPRESSION]);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(
      run.lines,
      all.filter(isTaken).map(({ id }) => id),
    );
  });

  it("refuses a wrong expression before anything is begun, the place marked", async () => {
    const file = join(folder, "none.pcap");
    const run = await runTcplat(words("-i", "lo", "-w", file, "--filter", "latency > 5 and key"));
    assert.equal(run.status, 2);
    assert.equal(
      run.stderr,
      "tcplat: --filter: this must be a duration with its unit: 500us, 1.5ms, 2s or 1m\n" +
        "  latency > 5 and key\n" +
        "            ^\n",
    );
    assert.equal(run.stdout, "");
    assert.ok(!readdirSync(folder).includes("none.pcap"));
  });

  it("names the configuration file's line where a wrong expression stands there", async () => {
    const file = join(folder, "wrong.yaml");
    writeFileSync(file, 'threshold: 10\ntransaction-filter: "latency >"\n');
    const run = await runTcplat(["--config", file, "-r", capture]);
    assert.equal(run.status, 2);
    assert.equal(
      run.stderr.replace(folder, ""),
      "tcplat: /wrong.yaml:2:21: transaction-filter: a value is missing at the end\n  latency >\n           ^\n",
    );
  });

  it("shows of a long expression the part that is wrong, without control characters", async () => {
    const expression = `${"key and ".repeat(40)}\u001b[2J${" and key".repeat(40)}`;
    const run = await runTcplat(["-r", capture, "--filter", expression]);
    assert.equal(run.status, 2);
    const [, shown = "", mark = ""] = run.stderr.split("\n");
    assert.ok(shown.length < 120, shown);
    assert.equal(shown.slice(mark.indexOf("^"), mark.length), "\\x1b");
  });

  for (const command of [
    ["-r", capture, "-q"],
    ["diff", capture, capture],
    ["explain", "-r", capture, "1-1"],
  ]) {
    it(`is refused with ${command.slice(0, 1)}${command.at(-1) === "-q" ? " -q" : ""}, where nothing would be chosen`, async () => {
      const run = await runTcplat([...command, "--filter", "key"]);
      assert.equal(run.status, 2);
      assert.match(run.stderr, /^tcplat: --filter [^\n]+\n$/);
    });
  }
});
