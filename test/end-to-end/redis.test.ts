import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { atMostUs, type Measured, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { missingProgram, type RealServer, startRedis, temporaryFolder } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

/** The JSON record's fields, in their order. */
const FIELDS =
  `type id protocol class side client server command key summary status error start end latency_us send_us wait_us
receive_us queue_us retransmit_us rtt_us request_bytes response_bytes request_seq response_seq server_us
zero_window_us cause cause_us retransmission behind flags`.split(/\s+/);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

function capture(...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing([...words, ...NO_PORTS, "tcp", "port", `${redis.port}`]);
}

function connect(): Promise<RawClient> {
  return RawClient.connect(redis.port, respReplyEnd);
}

function assertWithin(records: readonly JsonRecord[], measured: readonly Measured[]): void {
  assert.equal(records.length, measured.length);
  records.forEach((record, i) => {
    const { us } = measured[i]!;
    assert.ok(
      record.latency_us >= 0 && record.latency_us <= atMostUs(us),
      `${record.summary}: ${record.latency_us} within ${us}`,
    );
    assert.equal(record.latency_us, record.send_us + record.wait_us + record.receive_us);
  });
}

for (const device of ["lo", "any"]) {
  describe(`on ${device}, with a real redis-server`, { skip }, () => {
    it("each command sent is one record, and never slower than its client measured", async () => {
      const tcplat = await capture("-i", device, "--json", "-p", "redis");
      const clients = await Promise.all(Array.from({ length: 4 }, connect));
      const measured = await Promise.all(
        clients.map(async (client, c) => {
          const all: Measured[] = [];
          for (let i = 0; i < 100; i++) all.push(await client.ask(resp(...command(c, i))));
          return all;
        }),
      );
      const records = await tcplat.transactions(400);
      assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
      clients.forEach((client, c) => {
        const own = records.filter((record) => record.client === client.endpoint);
        assertWithin(own, measured[c]!);
        assert.deepEqual(
          own.map((record) => record.summary),
          Array.from({ length: 100 }, (_, i) => shown(c, i)),
        );
        assert.deepEqual(
          own.map((record) => record.response_bytes),
          measured[c]!.map(({ reply }) => reply.length),
        );
      });
      assert.equal(tcplat.records.length, 400);
      assert.equal(total(tcplat.summary, "requests"), 400);
      assert.equal(total(tcplat.summary, "capture_dropped_frames"), 0);
      assert.equal(tcplat.summary["connections.syn"], 4);
      assert.deepEqual(violations(tcplat.summary), []);
      for (const client of clients) await client.close();
    });

    it("DEBUG SLEEP 0.05 takes 50 ms and a bit, all of it waiting", async () => {
      const tcplat = await capture("-i", device, "--json");
      const client = await connect();
      const measured = await client.ask(resp("DEBUG", "SLEEP", "0.05"));
      const [record] = await tcplat.transactions(1);
      await tcplat.stop();
      assertWithin([record!], [measured]);
      assert.ok(record!.latency_us >= 50_000, `${record!.latency_us}`);
      assert.equal(record!.wait_us, record!.latency_us - record!.send_us - record!.receive_us);
      assert.ok(record!.wait_us >= 50_000);
      await client.close();
    });

    it("a pipeline is answered in order, at any depth, and says how long each request queued", async () => {
      const tcplat = await capture("-i", device, "--json");
      const client = await connect();
      const words = Array.from({ length: 1000 }, (_, i) => resp("ECHO", `n${i}`));
      const measured = await client.send(words.join(""), 1000);
      const records = await tcplat.transactions(1000);
      await tcplat.stop();
      assertWithin(records, measured);
      assert.deepEqual(
        measured.map(({ reply }) => reply),
        Array.from({ length: 1000 }, (_, i) => `$${`n${i}`.length}\r\nn${i}\r\n`),
      );
      assert.deepEqual(
        records.map((record) => record.id.split("-")[1]),
        Array.from({ length: 1000 }, (_, i) => `${i + 1}`),
      );
      assert.ok(records.slice(1).every((record) => record.flags.includes("pipelined")));
      assert.ok(records.every((record) => record.queue_us >= 0 && record.queue_us <= record.wait_us));
      assert.deepEqual(violations(tcplat.summary), []);
      await client.close();
    });
  });
}

describe("what is printed of live requests", { skip }, () => {
  it("a record holds its fields in their order, each of its kind", async () => {
    const tcplat = await capture("-i", "lo", "--json", "-p", "redis");
    const client = await connect();
    await client.ask(resp("set", "foo", "bar"));
    await client.ask(resp("LPUSH", "foo", "x"));
    const [set, push] = await tcplat.transactions(2);
    await tcplat.stop();
    for (const record of [set!, push!]) {
      assert.deepEqual(Object.keys(record), FIELDS);
      assert.match(record.start, TIME);
      assert.match(record.end, TIME);
      assert.ok(Math.abs(Date.parse(record.end) - Date.now()) < 60_000, "the clock's time");
    }
    const { start: _start, end: _end, latency_us: _us, send_us: _s, wait_us: _w, receive_us: _r, ...rest } = set!;
    assert.deepEqual(rest, {
      type: "transaction",
      id: "1-1",
      protocol: "redis",
      class: "normal",
      side: "local",
      client: client.endpoint,
      server: `127.0.0.1:${redis.port}`,
      command: "SET",
      key: "foo",
      summary: "set foo",
      status: "ok",
      error: null,
      queue_us: 0,
      retransmit_us: 0,
      rtt_us: rest.rtt_us,
      request_bytes: resp("set", "foo", "bar").length,
      response_bytes: 5,
      request_seq: rest.request_seq,
      response_seq: rest.response_seq,
      server_us: set!.wait_us,
      zero_window_us: 0,
      cause: "server",
      cause_us: set!.wait_us,
      retransmission: null,
      behind: null,
      flags: [],
    });
    assert.deepEqual([push!.id, push!.status, push!.error], ["1-2", "error", "WRONGTYPE"]);
    await client.close();
  });

  it("a line is tcpkit's: time, client, server, latency, request", async () => {
    const tcplat = await capture("-i", "lo", "-p", "redis");
    const client = await connect();
    await client.ask(resp("set", "foo", "hidden value"));
    await client.ask(resp("get", "a\u0001b"));
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    const head = `\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6} ${client.endpoint} => 127\\.0\\.0\\.1:${redis.port}`;
    assert.equal(tcplat.lines.length, 2);
    assert.match(tcplat.lines[0]!, new RegExp(`^${head} \\| \\d+\\.\\d{3} ms \\| set foo$`));
    assert.match(tcplat.lines[1]!, new RegExp(`^${head} \\| \\d+\\.\\d{3} ms \\| get a\\\\x01b$`));
    assert.match(tcplat.stderr, /requests +2 = 2 answered \+ 0 no reply \+ 0 pending \+ 0 unanswered/);
    await client.close();
  });

  it("-t prints only what is at least so slow, and counts the rest all the same", async () => {
    const tcplat = await capture("-i", "lo", "--json", "-t", "30");
    const client = await connect();
    for (const ms of [0, 100, 0, 0, 40]) {
      await client.ask(ms === 0 ? resp("PING") : resp("DEBUG", "SLEEP", ms / 1000));
    }
    await tcplat.stop();
    // A busy machine may make a PING slow, too.
    const sleeps = tcplat.records.filter((record) => record.command === "DEBUG");
    assert.equal(sleeps.length, 2);
    assert.ok(tcplat.records.length < 5 && tcplat.records.every((record) => record.latency_us >= 30_000));
    assert.equal(total(tcplat.summary, "requests"), 5);
    assert.equal(total(tcplat.summary, "slow_requests"), tcplat.records.length);
    await client.close();
  });

  it("passwords are never shown, even with --show-values; other values are", async () => {
    const tcplat = await capture("-i", "lo", "--show-values");
    const client = await connect();
    await client.ask(resp("AUTH", "user", "s3cret"));
    await client.ask(resp("CONFIG", "SET", "masterauth", "s3cret"));
    await client.ask(resp("ACL", "SETUSER", "nobody", ">s3cret"));
    await client.ask(resp("HELLO", "3", "AUTH", "default", "s3cret"));
    await client.ask("AUTH s3cret\r\n");
    await client.ask(resp("MIGRATE", "127.0.0.1", "1", "k", "0", "1", "AUTH2", "user", "s3cret"));
    await client.ask(resp("set", "foo", "shown"));
    await tcplat.stop();
    assert.equal(tcplat.lines.length, 7);
    assert.doesNotMatch(tcplat.stdout + tcplat.stderr, /s3cret/);
    assert.equal(tcplat.stdout.match(/\(redacted\)/g)?.length, 6);
    assert.match(tcplat.lines[6]!, /set foo shown/);
    await client.close();
  });

  it("-q prints none, and the summary at the end tells of all", async () => {
    const tcplat = await capture("-i", "lo", "-q");
    const client = await connect();
    for (let i = 0; i < 10; i++) await client.ask(resp("PING"));
    await tcplat.stop("SIGTERM");
    assert.equal(tcplat.stdout, "");
    assert.match(tcplat.stderr, /requests +10 = 10 answered/);
    await client.close();
  });

  it("a connection of TLS is counted as that, and nothing of it is parsed", async () => {
    const tcplat = await capture("-i", "lo", "--json", "-p", "redis");
    const client = await connect();
    client.socket.write(Buffer.concat([Buffer.from("160301020001", "hex"), Buffer.alloc(512, 0x41)]));
    await client.close();
    const plain = await connect();
    await plain.ask(resp("PING"));
    await tcplat.transactions(1);
    await tcplat.stop();
    assert.equal(tcplat.summary["connections_not_analysed.tls"], 1);
    assert.equal(total(tcplat.summary, "requests"), 1);
    await plain.close();
  });

  it("a configuration file gives the options, and the command line wins", async () => {
    const { folder, remove } = temporaryFolder();
    const config = join(folder, "tcplat.yaml");
    writeFileSync(config, "interface: nosuch0\nprotocol: [redis]\njson: true\nstats-port: 0\nmetrics-port: 0\n");
    const tcplat = await Tcplat.capturing(["--config", config, "-i", "lo", "tcp", "port", `${redis.port}`]);
    const client = await connect();
    await client.ask(resp("PING"));
    await tcplat.transactions(1);
    await tcplat.stop();
    assert.doesNotMatch(tcplat.stderr, /stats on|metrics on/);
    assert.equal(tcplat.records[0]!.protocol, "redis");
    await client.close();
    remove();
  });
});

function command(client: number, i: number): (string | number)[] {
  return [
    ["set", `key:${client}`, i],
    ["get", `key:${client}`],
    ["lrange", "nosuch", 0, -1],
    ["incr", `n:${client}`],
  ][i % 4]!;
}

function shown(client: number, i: number): string {
  return [`set key:${client}`, `get key:${client}`, "lrange nosuch", `incr n:${client}`][i % 4]!;
}
