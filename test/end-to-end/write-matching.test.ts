import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, frameOf, SERVER } from "../support/segments.ts";
import { missingProgram, startRedis, temporaryFolder } from "../support/servers.ts";
import { CLI, type JsonRecord, NO_PORTS, runTcplat, Tcplat } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const { folder, remove } = temporaryFolder();
after(remove);

const SLOW_EVERY = 200;
const REQUESTS = 1000;

/** A client that has just connected. */
function connected(port: number): Dialogue {
  const dialogue = new Dialogue({ address: "10.0.0.1", port }, SERVER);
  dialogue.syn(0);
  dialogue.synAck(200);
  dialogue.ack("client", 210);
  return dialogue;
}

/** Sends a request each so many µs, of which one of SLOW_EVERY takes 12 ms. */
function talk(port: number, gapUs: number, requests: number, value: string): Dialogue {
  const dialogue = connected(port);
  let at = 1000 + (port % 100) * 37;
  for (let i = 1; i <= requests; i++) {
    dialogue.client(at, resp("GET", `client:${port}:${i}`));
    at += i % SLOW_EVERY === 0 ? 12_000 : 80 + (i % 7);
    dialogue.server(at, value);
    dialogue.ack("client", at + 5);
    at += gapUs;
  }
  return dialogue;
}

function capture(name: string, talks: readonly Dialogue[]): string {
  const path = join(folder, `${name}.pcap`);
  const frames = talks
    .flatMap(({ segments }) => segments)
    .toSorted((a, b) => a.timeUs - b.timeUs)
    .map((segment) => ({
      seconds: Math.floor(segment.timeUs / 1e6),
      nanoseconds: (segment.timeUs % 1e6) * 1000,
      bytes: frameOf(segment),
    }));
  writeFileSync(path, pcapFile(frames));
  return path;
}

/** The records of a file, in its order, header and bytes. */
function framesIn(path: string): string[] {
  const file = readFileSync(path);
  const frames: string[] = [];
  for (let at = 24; at < file.length; ) {
    const end = at + 16 + file.readUInt32LE(at + 8);
    frames.push(file.toString("latin1", at, end));
    at = end;
  }
  return frames;
}

/** What of a record does not depend on what else was captured. */
function told({ client, server, command, key, status, start, end, latency_us, request_seq }: JsonRecord) {
  return { client, server, command, key, status, start, end, latency_us, request_seq };
}

describe("--write-matching", () => {
  const gapsUs = [300, 1500, 20_000, 150_000];
  const talks = gapsUs.map((gapUs, i) => talk(40_000 + i, gapUs, REQUESTS, "$3\r\nbar\r\n"));
  const all = capture("all", talks);
  for (const [name, words] of [
    ["-t", ["-t", "10"]],
    ["--filter", ["--filter", 'key =~ ":[0-9]+00$" and client in 10.0.0.0/8 and latency > 10ms']],
    ["both, and nothing printed", ["-q", "-t", "10", "--filter", "not error"]],
  ] as const) {
    it(`with ${name} writes the frames of what is told: few, each once, in order; and they tell the same again`, async () => {
      const file = join(folder, `matching ${name}.pcap`);
      const run = await runTcplat(["-r", all, "--json", "-w", file, "--write-matching", ...words]);
      assert.equal(run.status, 0, run.stderr);
      const slow = (await runTcplat(["-r", all, "--json", "-t", "10"])).records;
      assert.equal(slow.length, (REQUESTS / SLOW_EVERY) * 4);
      if (!words.includes("-q" as never)) assert.deepEqual(run.records, slow);
      const [kept, captured] = [framesIn(file), framesIn(all)];
      assert.match(run.stderr, new RegExp(`--write-matching: ${kept.length} frames of 20 transactions were written\n`));
      assert.ok(kept.length < captured.length / 8, `${kept.length} of ${captured.length}`);
      assert.equal(new Set(kept).size, kept.length);
      assert.deepEqual(
        kept,
        captured.filter((frame) => kept.includes(frame)),
      );
      const again = await runTcplat(["-r", file, "--json", "-p", "redis", "-t", "10"]);
      assert.deepEqual(again.records.map(told), slow.map(told));
    });
  }

  it("counts what was overwritten before it was known to be wanted, and says what helps", async () => {
    // While one request waits for 12 ms, 2 MB of another client's pass.
    const slow = connected(40_000);
    slow.client(2000, resp("GET", "overwritten"));
    slow.server(14_000, "$3\r\nbar\r\n");
    slow.client(20_000, resp("GET", "kept"));
    slow.server(34_000, "$3\r\nbar\r\n");
    const large = capture("large", [slow, talk(40_001, 20, 120, `$16000\r\n${"v".repeat(16_000)}\r\n`)]);
    const file = join(folder, "small buffer.pcap");
    const words = ["-r", large, "--json", "-w", file, "--write-matching", "-t", "10", "--dump-slow-buffer", "1"];
    const run = await runTcplat(words);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(
      run.records.map(({ key }) => key),
      ["overwritten", "kept"],
    );
    assert.equal(run.summary["records_dropped.write_matching"], 1);
    assert.match(
      run.stderr,
      /--write-matching: a transaction of 10\.0\.0\.1:40000 .* is not in the file: .*--dump-slow-buffer holds more\n/,
    );
    assert.match(run.stderr, /of 2 transactions were written; of 1 it has not all/);
    assert.ok(framesIn(file).some((frame) => frame.includes("kept")));
  });

  it("does not say that frames were written where the disk was full", (t) => {
    if (process.platform !== "linux") return t.skip("needs a limit to the size of files");
    const words = ["-q", "-r", all, "-w", join(folder, "full.pcap"), "--write-matching", "-t", "10"];
    const run = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", process.execPath, CLI, ...words];
    const { status, stderr } = spawnSync(run[0]!, run.slice(1), { encoding: "utf8", timeout: 20_000 });
    assert.match(stderr, /^tcplat: \S*full\.pcap cannot be written: [^\n]+\n$/m);
    assert.doesNotMatch(stderr, /were written/);
    assert.equal(status, 1, stderr);
    return undefined;
  });

  it("is refused without -w, and where everything would match", async () => {
    for (const [words, message] of [
      [["--write-matching", "-t", "10"], /--write-matching: .*give -w FILE, too/],
      [["--write-matching", "-w", join(folder, "x")], /--write-matching: everything matches: give -t or --filter, too/],
      [["--dump-slow-buffer", "1", "-w", join(folder, "x")], /give --dump-slow DIR, too/],
    ] as const) {
      const run = await runTcplat(["-r", all, ...words]);
      assert.equal(run.status, 2);
      assert.match(run.stderr, message);
    }
  });

  it("is not needed for all: -w alone writes every frame, whatever is told", async () => {
    const file = join(folder, "copy.pcap");
    await runTcplat(["-r", all, "-t", "10", "--filter", "error", "--dump-slow", join(folder, "dumps"), "-w", file]);
    assert.deepEqual(framesIn(file), framesIn(all));
  });
});

describe("--write-matching of a live capture", {
  skip: captureObstacle() ?? missingProgram("redis-server") ?? false,
}, () => {
  it("writes what matches while it goes on, not only at its end", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const file = join(folder, "live.pcap");
    const tcplat = await Tcplat.capturing([
      ...["-i", "lo", ...NO_PORTS, "--json", "-w", file, "--write-matching", "--filter", 'command = "SET"'],
      ...["--request-timeout", "1ms", "tcp", "port", `${redis.port}`],
    ]);
    const client = await RawClient.connect(redis.port, respReplyEnd);
    for (let i = 0; i < 300; i++) await client.send(resp("GET", `k${i}`), 1);
    await client.send(resp("SET", "wanted", "1"), 1);
    await tcplat.transactions(1);
    // Five seconds after, nothing can ask for its frames any more.
    const isWritten = () => framesIn(file).some((frame) => frame.includes("wanted"));
    await until("the request is in the file", isWritten);
    assert.ok(framesIn(file).length < 100);
    await client.send(resp("SET", "last", "1"), 1);
    await tcplat.transactions(2);
    await client.close();
    await tcplat.stop();
    assert.ok(framesIn(file).some((frame) => frame.includes("last")));
    const again = await runTcplat(["-r", file, "--json", "-p", `redis:${redis.port}`, "--filter", 'command = "SET"']);
    assert.deepEqual(again.records.map(told), tcplat.records.map(told));
  });
});
