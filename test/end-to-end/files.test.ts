import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { atMostUs, type Measured, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startRedis, temporaryFolder } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

/** Their records fit into what waits for a reader (8 MiB): this process, which is busy sending them. */
const REQUESTS = 9600;
const { folder, remove } = temporaryFolder();
const capture = join(folder, "capture.pcap");
let redis: RealServer;
/** What was said live of the capture that is read again here. */
let live: Tcplat;

before(async () => {
  if (skip !== false) return;
  redis = await startRedis();
  live = await Tcplat.capturing(words("--json", "-w", capture));
  const clients = await Promise.all(Array.from({ length: 8 }, connect));
  const requests = Array.from(
    { length: 50 },
    (_, i) => resp("SET", `key:${i}`, "x".repeat(100)) + resp("GET", "key:0"),
  );
  for (let sent = 0; sent < REQUESTS; sent += 800) {
    await Promise.all(clients.map((client) => client.send(requests.join(""), 100)));
  }
  for (const client of clients) await client.close();
  await live.stop();
});
after(async () => {
  await redis?.stop();
  remove();
});

function words(...more: readonly string[]): string[] {
  return ["-i", "lo", ...NO_PORTS, ...more, "tcp", "port", `${redis.port}`];
}

function connect(): Promise<RawClient> {
  return RawClient.connect(redis.port, respReplyEnd);
}

describe("a file that -w wrote", { skip }, () => {
  it("gives the transactions of the live capture again, to the microsecond", async () => {
    assert.equal(live.records.length, REQUESTS, JSON.stringify(live.summary));
    const read = await runTcplat(["-r", capture, "--json"]);
    assert.equal(read.status, 0, read.stderr);
    assert.deepEqual(read.records.map(withoutSide), live.records.map(withoutSide));
    assert.equal(total(read.summary, "requests"), total(live.summary, "requests"));
    assert.deepEqual(violations(read.summary), []);
  });

  it("is one that tcpdump reads, with every frame in it", (t) => {
    const missing = missingProgram("tcpdump");
    if (missing !== null) return t.skip(missing);
    const { stdout, status } = spawnSync("tcpdump", ["-r", capture, "-nn", "-q"], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    assert.equal(status, 0);
    assert.equal(stdout.trimEnd().split("\n").length, live.summary["capture_frames.lo"]);
    return undefined;
  });

  it("says the same bytes each time, to a fast reader and through a slow pipe, and loses none", async () => {
    const first = (await runTcplat(["-r", capture, "--json"])).stdout;
    for (let i = 0; i < 3; i++) assert.ok((await runTcplat(["-r", capture, "--json"])).stdout === first, `run ${i}`);
    assert.ok((await readSlowly(["-r", capture, "--json"])) === first, "through a slow pipe");
    const given = await runTcplat(["-r", "-", "--json"], { input: readFileSync(capture) });
    assert.ok(withoutNames(given.stdout) === withoutNames(first), "from standard input");
    const lines = (await runTcplat(["-r", capture])).stdout;
    assert.ok((await readSlowly(["-r", capture])) === lines, "lines of text");
    assert.equal(lines.split("\n").length, REQUESTS + 1);
  });

  it("is read through a filter, and with -c to exactly so many frames", async () => {
    const { client } = live.records[0]!;
    const port = client.slice(client.lastIndexOf(":") + 1);
    const filtered = await runTcplat(["-r", capture, "--json", "tcp", "port", port]);
    assert.deepEqual(
      filtered.records.map((record) => record.start),
      live.records.filter((record) => record.client === client).map((record) => record.start),
    );
    const counted = await runTcplat(["-r", capture, "--json", "-c", "101"]);
    assert.deepEqual([counted.status, total(counted.summary, "capture_frames")], [0, 101]);
  });

  it("cut in the middle of a frame: what came before is told, a warning, status 0", async () => {
    const cut = join(folder, "cut.pcap");
    copyFileSync(capture, cut);
    truncateSync(cut, Math.floor(statSync(capture).size / 2));
    const read = await runTcplat(["-r", cut, "--json"]);
    assert.equal(read.status, 0);
    assert.match(read.stderr, /^tcplat: [^\n]*cut\.pcap[^\n]*(truncated|ends? in the middle|cut)[^\n]*$/m);
    const answered = read.records.filter((record) => record.status === "ok");
    assert.ok(answered.length > REQUESTS / 4, `${answered.length}`);
    assert.deepEqual(violations(read.summary), []);
  });

  it("broken in the middle: what came before is told, then one line, status 1", async () => {
    const broken = join(folder, "broken.pcap");
    const bytes = readFileSync(capture);
    bytes.fill(0xff, startOfFrame(bytes, 200), bytes.length);
    writeFileSync(broken, bytes);
    const read = await runTcplat(["-r", broken, "--json"]);
    assert.equal(read.status, 1);
    assert.match(read.stderr, /^tcplat: [^\n]*broken\.pcap[^\n]*$/m);
    assert.equal(total(read.summary, "capture_frames"), 200);
    assert.ok(read.records.length > 0);
    assert.deepEqual(violations(read.summary), []);
  });
});

describe("a capture of 96 bytes a frame", { skip }, () => {
  it("has the same latencies as a whole one", async () => {
    const whole = join(folder, "whole.pcap");
    const [cut, tcplat] = await Promise.all([
      Tcplat.capturing(words("--json", "-s", "96", "-w", join(folder, "live-96.pcap"))),
      Tcplat.capturing(words("--json", "-w", whole)),
    ]);
    const client = await connect();
    const measured: Measured[] = [];
    for (let i = 0; i < 50; i++) {
      measured.push(await client.ask(resp("SET", `k${i}`, "x".repeat(i * 997))));
      measured.push(await client.ask(resp("GET", `k${i}`)));
      measured.push(await client.ask(resp("SET", `a key longer than what is captured of it ${i}`, "value")));
    }
    await tcplat.transactions(150);
    for (const of of [cut, tcplat]) await of.stop();
    await client.close();
    // Two captures of lo stamp each frame for themselves, so the live one is held to what the client measured.
    assert.equal(cut.records.length, 150);
    for (const [i, { us }] of measured.entries()) assert.ok(cut.records[i]!.latency_us <= atMostUs(us));
    const bytes = cutFrames(readFileSync(whole), 96);
    const read = await runTcplat(["-r", "-", "--json"], { input: bytes });
    const uncut = await runTcplat(["-r", whole, "--json"]);
    assert.deepEqual(read.records.map(withoutText), uncut.records.map(withoutText));
    assert.equal(read.records.filter((record) => record.flags.includes("truncated")).length, 50);
    const cutFile = readFileSync(join(folder, "live-96.pcap"));
    assert.ok(cutFile.equals(cutFrames(cutFile, 96)), "no frame of -s 96 is longer");
    for (const { summary } of [cut, read]) {
      assert.ok(total(summary, "capture_truncated_frames") >= 100);
      assert.deepEqual(violations(summary), []);
    }
  });
});

/** In a file nobody knows which host is this one, and so not what of the wait is the network's. */
function withoutSide(record: JsonRecord): Partial<JsonRecord> {
  const {
    side: _side,
    rtt_us: _rtt,
    server_us: _server,
    cause: _cause,
    cause_us: _causeUs,
    behind: _behind,
    ...rest
  } = record;
  return rest;
}

/** What a cut of the frames must not change; where the command itself was cut, its text and length are what is left of it. */
function withoutText(record: JsonRecord): Omit<JsonRecord, "summary" | "key" | "flags" | "request_bytes"> {
  const { summary: _summary, key: _key, flags: _flags, request_bytes: _bytes, ...rest } = record;
  return rest;
}

/** A pcap file as a smaller snaplen would have made it (`pcap-savefile(5)`). */
function cutFrames(bytes: Buffer, snaplen: number): Buffer {
  const parts = [bytes.subarray(0, 24)];
  for (let at = 24; at < bytes.length; ) {
    const captured = bytes.readUInt32LE(at + 8);
    const header = Buffer.from(bytes.subarray(at, at + 16));
    header.writeUInt32LE(Math.min(captured, snaplen), 8);
    parts.push(header, bytes.subarray(at + 16, at + 16 + Math.min(captured, snaplen)));
    at += 16 + captured;
  }
  return Buffer.concat(parts);
}

/** The summary's counters of the source bear its name. */
function withoutNames(stdout: string): string {
  return stdout.replaceAll(capture, "").replaceAll("standard input", "");
}

/** Reads what tcplat says a piece at a time, with a pause between. */
async function readSlowly(of: readonly string[]): Promise<string> {
  const { child } = new Tcplat(of, { isUnread: true });
  const parts: Buffer[] = [];
  for await (const part of child.stdout!) {
    parts.push(part as Buffer);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Buffer.concat(parts).toString();
}

/** Where the frame of this number begins in a pcap file (`pcap-savefile(5)`). */
function startOfFrame(bytes: Buffer, index: number): number {
  let at = 24;
  for (let i = 0; i < index; i++) at += 16 + bytes.readUInt32LE(at + 8);
  return at;
}
