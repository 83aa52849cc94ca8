import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { memcachedReplyEnd, RawClient, type ReplyEnd, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, frameOf, SERVER, sentAgain, type TestSegment } from "../support/segments.ts";
import { missingProgram, type RealServer, startMemcached, startRedis, temporaryFolder } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, runTcplat, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const { folder, remove } = temporaryFolder();
after(remove);

let captures = 0;

/** Writes a capture of these segments, in the order of their times; returns its path, and a folder for its dumps. */
function captureOf(...talks: readonly (readonly TestSegment[])[]): { file: string; dumps: string } {
  const frames = talks
    .flat()
    .toSorted((a, b) => a.timeUs - b.timeUs)
    .map((segment) => ({
      seconds: Math.floor(segment.timeUs / 1e6),
      nanoseconds: (segment.timeUs % 1e6) * 1000,
      bytes: frameOf(segment),
    }));
  const file = join(folder, `${++captures}.pcap`);
  writeFileSync(file, pcapFile(frames));
  return { file, dumps: join(folder, `dumps ${captures}`) };
}

const get = (key: string): string => resp("GET", key);

/** A client whose request `slow` of `requests`, one each 2 ms, takes `slowMs` instead of 0.3 ms. */
function talk(port: number, requests: number, slow: number, slowMs: number): Dialogue {
  const dialogue = new Dialogue({ address: "10.0.0.1", port }, SERVER);
  dialogue.syn(0);
  dialogue.synAck(200);
  dialogue.ack("client", 210);
  let at = 2000;
  for (let i = 1; i <= requests; i++) {
    dialogue.client(at, get(`k${i}`));
    at += i === slow ? slowMs * 1000 : 300;
    dialogue.server(at, "$3\r\nbar\r\n");
    at += 1700;
  }
  return dialogue;
}

/** A request that was lost, sent again after 200 ms and answered soon. */
function lostRequest(): Dialogue {
  const dialogue = talk(40_002, 10, 0, 0);
  const request = dialogue.client(30_000, get("lost"));
  dialogue.segments.push(sentAgain(request, 230_000));
  dialogue.server(230_300, "$3\r\nbar\r\n");
  dialogue.ack("client", 230_310);
  return dialogue;
}

/** A GET behind a KEYS, in the same segment. */
function queued(): Dialogue {
  const dialogue = talk(40_003, 3, 0, 0);
  dialogue.client(30_000, `${resp("KEYS", "*")}${get("behind")}`);
  dialogue.ack("server", 30_200);
  dialogue.server(71_200, "*1\r\n$3\r\nfoo\r\n");
  dialogue.server(71_300, "$3\r\nbar\r\n");
  dialogue.ack("client", 71_310);
  return dialogue;
}

/** What must be the same of a request in a run's record and in that of its dump. */
function essence(record: JsonRecord): unknown[] {
  const { start, end, summary, request_seq, latency_us, wait_us, queue_us, retransmit_us, cause, status } = record;
  return [start, end, summary, request_seq, latency_us, wait_us, queue_us, retransmit_us, cause, status];
}

/** Each file's name ends with the id of a slow record, and tells the same. Returns the names, as a listing sorts them. */
async function assertTold(dumps: string, records: readonly JsonRecord[], more: readonly string[]): Promise<string[]> {
  const names = readdirSync(dumps).sort();
  for (const name of names) {
    const own = records.find((record) => name.endsWith(`_${record.id}.pcap`));
    assert.ok(own !== undefined, `${name} of ${records.map(({ id }) => id).join(", ")}`);
    const again = await runTcplat(["-r", join(dumps, name), "--json", ...more]);
    assert.deepEqual([again.status, again.stderr.includes("warning")], [0, false], again.stderr);
    const same = again.records.filter(
      ({ start, request_seq }) => start === own.start && request_seq === own.request_seq,
    );
    assert.deepEqual(same.map(essence), [essence(own)], name);
    assert.deepEqual(violations(again.summary), []);
  }
  return names;
}

describe("--dump-slow with a file", () => {
  it("each slow request has a file of its connection's frames, from which the same is told", async () => {
    const { file, dumps } = captureOf(
      talk(40_001, 50, 40, 30).segments,
      talk(40_004, 60, 0, 0).segments,
      lostRequest().segments,
      queued().segments,
    );
    const run = await runTcplat(["-r", file, "--json", "-t", "10", "--dump-slow", dumps]);
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(run.records.map(({ cause }) => cause).sort(), ["queue", "retransmission", "server", "server"]);
    const names = await assertTold(dumps, run.records, ["-t", "10"]);
    assert.equal(names.length, 4);
    assert.match(run.stderr, /--dump-slow: 4 of 4 slow requests are in /);
    assert.equal(run.summary["records_dropped.dump_slow"], 0);
  });

  it("of a long connection the last part is enough", async () => {
    const { file, dumps } = captureOf(talk(40_001, 4000, 3990, 30).segments);
    const run = await runTcplat(["-r", file, "--json", "-t", "10", "--dump-slow", dumps]);
    const [name] = await assertTold(dumps, run.records, ["-t", "10"]);
    const whole = await runTcplat(["-r", join(dumps, name!), "--json"]);
    const requests = total(whole.summary, "requests");
    assert.ok(requests > 500 && requests < 3000, `${requests}`);
  });

  it("-q writes them, too; the slowest stay, and those left out are counted", async () => {
    const talks = [20, 40, 30, 25].map((ms, i) => talk(40_010 + i, 10, 5, ms).segments);
    const { file, dumps } = captureOf(...talks);
    const words = ["-r", file, "-q", "-t", "10", "--dump-slow", dumps, "--dump-slow-count", "2"];
    const run = await runTcplat(words);
    assert.deepEqual(
      readdirSync(dumps)
        .sort()
        .map((name) => name.replace(/.*Z_/, "")),
      ["30.000ms_3-5.pcap", "40.000ms_2-5.pcap"],
    );
    assert.match(run.stderr, /2 of 4 slow requests are in .*; 2 less slow ones are left out/);
    assert.equal((await runTcplat(words)).status, 0);
    assert.equal(readdirSync(dumps).length, 2, "the same names once more");
  });

  it("a request that was never answered has one, once its time has run out", async () => {
    const silent = talk(40_001, 5, 0, 0);
    silent.client(50_000, get("silent"));
    silent.ack("server", 90_000);
    const other = talk(40_002, 1500, 0, 0);
    const { file, dumps } = captureOf(silent.segments, other.segments);
    const words = ["--json", "-t", "10", "--request-timeout", "500ms"];
    const run = await runTcplat(["-r", file, ...words, "--dump-slow", dumps]);
    assert.deepEqual(
      run.records.map(({ id, error }) => [id, error]),
      [["1-6", "timeout"]],
    );
    const [name] = readdirSync(dumps);
    const again = await runTcplat(["-r", join(dumps, name!), "--json"]);
    assert.deepEqual(
      [total(again.summary, "capture_frames"), total(again.summary, "requests")],
      [silent.segments.length, 6],
    );
  });

  it("a request whose first frames are gone has none, and is counted", async () => {
    const slow = talk(40_001, 10, 5, 500);
    const busy = new Dialogue({ address: "10.0.0.1", port: 40_002 }, SERVER);
    busy.open();
    for (let i = 0; i < 1000; i++) {
      busy.client(20_000 + i * 400, get("x"));
      busy.server(20_200 + i * 400, `$1300\r\n${"v".repeat(1300)}\r\n`);
    }
    const { file, dumps } = captureOf(slow.segments, busy.segments);
    const words = ["-r", file, "--json", "-t", "100", "--dump-slow", dumps];
    const small = await runTcplat([...words, "--dump-slow-buffer", "1"]);
    assert.deepEqual(readdirSync(dumps), []);
    assert.match(
      small.stderr,
      /_1-5\.pcap is not there: its first frames were overwritten: --dump-slow-buffer holds more/,
    );
    assert.equal(small.summary["records_dropped.dump_slow"], 1);
    const enough = await runTcplat([...words, "--dump-slow-buffer", "4"]);
    assert.equal((await assertTold(dumps, enough.records, ["-t", "100"])).length, 1);
  });

  it("is refused where it cannot be done, with status 2 and a word", async () => {
    const { file, dumps } = captureOf(talk(40_001, 3, 0, 0).segments);
    for (const [words, reason] of [
      [["--dump-slow", dumps], /Give -t, too/],
      [["-t", "1", "--dump-slow-count", "5"], /give --dump-slow DIR, too/],
      [["-t", "1", "--dump-slow-buffer", "5"], /give --dump-slow DIR, too/],
      [["-t", "1", "--dump-slow", dumps, "--dump-slow-count", "0"], /from 1 to 10000/],
      [["-t", "1", "--dump-slow", dumps, "--dump-slow-buffer", "0"], /from 1 to 4096/],
      [["-t", "1", "--dump-slow", file], /the folder .* of --dump-slow cannot be written/],
    ] as const) {
      const run = await runTcplat(["-r", file, ...words]);
      assert.equal(run.status, 2, run.stderr);
      assert.match(run.stderr, reason);
      assert.deepEqual([run.stdout, run.stderr.trim().split("\n").length, existsSync(dumps)], ["", 1, false]);
    }
  });

  it("leaves no folder behind where the run does not begin", async () => {
    const { file, dumps } = captureOf(talk(40_001, 3, 0, 0).segments);
    const words = ["-t", "1", "--dump-slow", dumps];
    for (const [why, status] of [
      [["-r", `${file}.gone`], 2],
      [["-r", file, "tcp", "prot", "1"], 2],
    ] as const) {
      const run = await runTcplat([...words, ...why]);
      assert.deepEqual([run.status, existsSync(dumps)], [status, false], run.stderr);
    }
  });

  it("takes one worker, and says so", async () => {
    const { file, dumps } = captureOf(talk(40_001, 10, 5, 20).segments);
    const run = await runTcplat(["-r", file, "-t", "10", "--dump-slow", dumps, "--workers", "2"]);
    assert.match(run.stderr, /one worker: --dump-slow keeps the frames of all in one order/);
    assert.equal(readdirSync(dumps).length, 1);
  });
});

const obstacle = captureObstacle();

/** Captures on loopback, in a fresh folder for dumps. */
async function capture(server: RealServer, ...words: readonly string[]): Promise<{ tcplat: Tcplat; dumps: string }> {
  const dumps = join(folder, `dumps ${++captures}`, "made");
  const all = ["-i", "lo", "--json", ...words, "--dump-slow", dumps, ...NO_PORTS, "tcp", "port", `${server.port}`];
  return { tcplat: await Tcplat.capturing(all), dumps };
}

/** Connections that a failed test left open would keep its process from ending. */
const clients: RawClient[] = [];
after(() => {
  for (const { socket } of clients) socket.destroy();
});

async function connect(server: RealServer, replyEnd: ReplyEnd): Promise<RawClient> {
  const client = await RawClient.connect(server.port, replyEnd);
  clients.push(client);
  return client;
}

/** `T` is stopped (`proc_pid_stat(5)`). */
function threadStates(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "";
  });
}

function filesIn(dumps: string): string[] {
  return readdirSync(dumps).filter((name) => !name.startsWith("."));
}

describe("--dump-slow, live, with a real redis-server", {
  skip: obstacle ?? missingProgram("redis-server") ?? false,
}, () => {
  let redis: RealServer;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());
  const spin = `local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
    local e = now() + 40000 repeat until now() > e return 1`;

  it("a slow command's file is there a moment later, tells the same, and Wireshark opens it", async (t) => {
    const { tcplat, dumps } = await capture(redis, "-p", "redis", "-t", "20");
    const client = await connect(redis, respReplyEnd);
    for (let i = 0; i < 20; i++) await client.ask(resp("SET", `k${i}`, "v"));
    await client.ask(resp("DEBUG", "SLEEP", "0.06"));
    await client.ask(resp("EVAL", spin, 0));
    await client.ask(resp("GET", "k1"));
    // A busy machine may make others slow, too.
    const ours = () => tcplat.records.filter(({ command }) => ["DEBUG", "EVAL"].includes(command));
    await until("files of both", () => ours().length === 2 && filesIn(dumps).length === tcplat.records.length);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.deepEqual(
      ours().map(({ command }) => command),
      ["DEBUG", "EVAL"],
    );
    const names = await assertTold(dumps, tcplat.records, ["-p", "redis", "-t", "20", "--side", "server"]);
    const all = tcplat.records.length;
    assert.ok(tcplat.stderr.includes(`--dump-slow: ${all} of ${all} slow requests are in `), tcplat.stderr);
    await client.close();
    if (missingProgram("tshark") !== null) return t.diagnostic("tshark is not installed");
    const name = names.find((each) => each.endsWith(`_${ours()[0]!.id}.pcap`))!;
    const words = ["-r", join(dumps, name), "-T", "fields", "-e", "tcp.flags.syn", "-e", "tcp.payload"];
    const { stdout, status } = spawnSync("tshark", words, { encoding: "utf8" });
    assert.equal(status, 0);
    const lines = stdout.trim().split("\n");
    assert.match(lines[0]!, /^(1|True)/, "it begins with the handshake");
    assert.ok(stdout.includes(Buffer.from("SLEEP").toString("hex")), "the request is in it");
  });

  it("goes on, and says so once, where a file cannot be written", async () => {
    const { tcplat, dumps } = await capture(redis, "-t", "20");
    rmSync(dumps, { recursive: true });
    const client = await connect(redis, respReplyEnd);
    for (let i = 0; i < 2; i++) await client.ask(resp("DEBUG", "SLEEP", "0.03"));
    await until("a warning", () => tcplat.stderr.includes("is not there"));
    mkdirSync(dumps);
    await client.ask(resp("DEBUG", "SLEEP", "0.04"));
    await until("a file", () => filesIn(dumps).length === 1);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.equal(tcplat.records.length, 3);
    assert.equal(tcplat.stderr.match(/is not there: ENOENT/g)?.length, 1);
    assert.equal(Number(tcplat.summary["records_dropped.dump_slow"]) + filesIn(dumps).length, 3);
    await client.close();
  });
});

describe("--dump-slow, live, with a real memcached", { skip: obstacle ?? missingProgram("memcached") ?? false }, () => {
  it("a request to a server that stood still has a file, on a connection older than the capture", async (t) => {
    const memcached = await startMemcached();
    t.after(() => memcached.stop());
    const client = await connect(memcached, memcachedReplyEnd);
    await client.ask("set foo 0 0 3\r\nbar\r\n");
    const { tcplat, dumps } = await capture(memcached, "-p", "memcached", "-t", "20");
    for (let i = 0; i < 10; i++) await client.ask("get foo\r\n");
    process.kill(memcached.pid, "SIGSTOP");
    // The signal is on its way when `kill` returns: a thread of it may still answer.
    await until("all its threads stand still", () => threadStates(memcached.pid).every((state) => state === "T"));
    const answer = client.ask("get foo\r\n");
    await new Promise((resolve) => setTimeout(resolve, 60));
    process.kill(memcached.pid, "SIGCONT");
    await answer;
    const stood = () => tcplat.records.filter(({ latency_us }) => latency_us >= 55_000).length > 0;
    await until("its file", () => stood() && filesIn(dumps).length === tcplat.records.length);
    await tcplat.stop();
    await assertTold(dumps, tcplat.records, ["-p", "memcached", "-t", "20", "--side", "server"]);
  });
});
