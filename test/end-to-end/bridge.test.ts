import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connectNamespaces, enter, ipIn, leave, makeNamespace, namespaceObstacle } from "../support/namespaces.ts";
import { atMostUs, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = namespaceObstacle("redis-server") ?? false;

/** Two containers and the host whose bridge joins them, as Docker does it. */
const CLIENT = "10.77.2.1";
const SERVER = "10.77.2.2";

let host = "";
let clientSide = "";
let serverSide = "";
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  [host, clientSide, serverSide] = ["bridge", "client", "server"].map(makeNamespace) as [string, string, string];
  ipIn(host, "link", "add", "br0", "type", "bridge");
  ipIn(host, "link", "set", "br0", "up");
  for (const [namespace, port, address] of [
    [clientSide, "port1", CLIENT],
    [serverSide, "port2", SERVER],
  ] as const) {
    connectNamespaces(host, port, namespace, "eth0");
    ipIn(host, "link", "set", port, "master", "br0");
    ipIn(namespace, "addr", "add", `${address}/24`, "dev", "eth0");
  }
  const words = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
  redis = await startRedis({ namespace: serverSide, host: SERVER, words });
});
after(() => redis?.stop());

/** A tcplat on one port of the bridge, where each segment passes once, and one on `any`, where each is seen several times. */
class BothViews {
  readonly port: Tcplat;
  readonly any: Tcplat;

  private constructor(port: Tcplat, any: Tcplat) {
    this.port = port;
    this.any = any;
  }

  static async start(...filter: readonly string[]): Promise<BothViews> {
    const words = ["--json", "-p", "redis", ...NO_PORTS, ...filter];
    const [port, any] = await Promise.all(
      ["port1", "any"].map((device) => Tcplat.capturing(["-i", device, ...words], { namespace: host })),
    );
    return new BothViews(port!, any!);
  }

  async transactions(count: number): Promise<void> {
    await Promise.all([this.port.transactions(count), this.any.transactions(count)]);
  }

  /** Resolves when both have told of this client. */
  async told(client: string): Promise<void> {
    const isTold = (view: Tcplat) => view.records.some((record) => record.client === client);
    await until(`a record of ${client}`, () => isTold(this.port) && isTold(this.any));
  }

  /** Ends both; asserts that they tell of the same requests and counts. Returns the transactions. */
  async same(): Promise<readonly JsonRecord[]> {
    await Promise.all([this.port.stop(), this.any.stop()]);
    const { port, any } = this;
    assert.deepEqual(any.records.map(withoutTimes), port.records.map(withoutTimes));
    const names = ["requests", "responses", "no_reply_requests", "pushes", "unanswered_requests"];
    for (const name of [...names, "unmatched_responses", "connections.syn", "connections.midstream", "parser_errors"]) {
      assert.equal(total(any.summary, name), total(port.summary, name), name);
    }
    assert.equal(total(any.summary, "tcp_retransmitted_segments"), total(port.summary, "tcp_retransmitted_segments"));
    const decoded = total(any.summary, "capture_decoded_frames");
    const duplicates = total(any.summary, "capture_duplicate_frames");
    assert.ok(duplicates >= decoded / 2 && duplicates > 0, `${duplicates} duplicates of ${decoded} frames`);
    assert.equal(total(port.summary, "capture_duplicate_frames"), 0);
    for (const { summary } of [port, any]) assert.deepEqual(violations(summary), []);
    return any.records;
  }
}

/** Two vantage points stamp each for itself. */
function withoutTimes(record: JsonRecord): Partial<JsonRecord> {
  const { id, class: of, client, command, key, status, error, request_bytes, response_bytes, side } = record;
  return { id, class: of, client, command, key, status, error, request_bytes, response_bytes, side };
}

async function connect(): Promise<RawClient> {
  enter(clientSide);
  try {
    return await RawClient.connect(redis.port, respReplyEnd, SERVER);
  } finally {
    leave();
  }
}

function named(records: readonly JsonRecord[]): string[] {
  return records.map((record) => `${record.command} ${record.class} ${record.status}`);
}

describe("between two hosts on a bridge, seen on one port and several times on any", { skip }, () => {
  it("plain requests and pipelines give the same records and counts, never slower than their client measured", async () => {
    const views = await BothViews.start("tcp", "port", `${redis.port}`);
    const client = await connect();
    const measured = [];
    for (let i = 0; i < 50; i++) measured.push(await client.ask(resp("SET", `k${i}`, "x".repeat(i * 100))));
    measured.push(...(await client.send(resp("GET", "k49").repeat(200), 200)));
    await views.transactions(250);
    const records = await views.same();
    assert.equal(records.length, 250);
    for (const [i, { us }] of measured.entries()) {
      assert.ok(records[i]!.latency_us >= 0 && records[i]!.latency_us <= atMostUs(us), records[i]!.summary);
    }
    assert.ok(records.every((record) => record.side === "transit" && record.status === "ok"));
    await client.close();
  });

  it("a queued command, a blocking one and what waits behind it are of their own classes", async () => {
    const views = await BothViews.start("tcp", "port", `${redis.port}`);
    const client = await connect();
    await client.send(resp("MULTI") + resp("INCR", "n") + resp("INCR", "n") + resp("EXEC"), 4);
    await client.send(resp("BLPOP", "nosuch", "0.05") + resp("PING"), 2);
    await client.ask(resp("XREAD", "BLOCK", "20", "STREAMS", "s", "$"));
    await client.ask(resp("WAIT", "0", "10"));
    await views.transactions(8);
    const records = await views.same();
    assert.deepEqual(named(records), [
      "MULTI normal ok",
      "INCR queued ok",
      "INCR queued ok",
      "EXEC normal ok",
      "BLPOP blocking ok",
      "PING normal ok",
      "XREAD blocking ok",
      "WAIT blocking ok",
    ]);
    assert.ok(records[5]!.flags.includes("behind_blocking"));
    await client.close();
  });

  it("messages of a subscription and lines of MONITOR are pushes, and shift no pair", async () => {
    const views = await BothViews.start("tcp", "port", `${redis.port}`);
    const [subscriber, monitor, publisher] = [await connect(), await connect(), await connect()];
    await subscriber.send(resp("SUBSCRIBE", "news", "weather"), 2);
    await monitor.ask(resp("MONITOR"));
    for (let i = 0; i < 20; i++) {
      assert.equal((await publisher.ask(resp("PUBLISH", "news", `message ${i}`))).reply, ":1\r\n");
    }
    await views.transactions(22);
    const records = await views.same();
    assert.deepEqual(named(records).slice(0, 3), ["SUBSCRIBE stream ok", "MONITOR stream ok", "PUBLISH normal ok"]);
    assert.equal(records.length, 22);
    assert.equal(total(views.any.summary, "pushes"), 40);
    assert.equal(total(views.any.summary, "unmatched_responses"), 0);
    for (const client of [subscriber, monitor, publisher]) client.socket.destroy();
  });

  it("requests that CLIENT REPLY OFF and SKIP silence have no reply, and what follows pairs", async () => {
    const views = await BothViews.start("tcp", "port", `${redis.port}`);
    const client = await connect();
    const silent = resp("CLIENT", "REPLY", "OFF") + resp("SET", "a", "1").repeat(3);
    const skipped = resp("CLIENT", "REPLY", "SKIP") + resp("SET", "b", "1");
    const replies = await client.send(`${silent}${resp("CLIENT", "REPLY", "ON")}${skipped}${resp("GET", "b")}`, 2);
    assert.deepEqual(
      replies.map(({ reply }) => reply),
      ["+OK\r\n", "$1\r\n1\r\n"],
    );
    await views.transactions(2);
    const records = await views.same();
    assert.deepEqual(
      records.map((record) => [record.command, record.response_bytes]),
      [
        ["CLIENT", 5],
        ["GET", 7],
      ],
    );
    assert.equal(total(views.any.summary, "requests"), 8);
    assert.equal(total(views.any.summary, "no_reply_requests"), 6);
    await client.close();
  });

  it("a replica's link is of class stream: what the primary sends and the replica acknowledges is never paired", async () => {
    const views = await BothViews.start("tcp", "port", `${redis.port}`);
    const words = ["--replicaof", SERVER, `${redis.port}`, "--repl-diskless-load", "disabled"];
    const replica = await startRedis({ namespace: clientSide, host: CLIENT, words });
    try {
      const client = await connect();
      await untilReplicating(client);
      const sets = 100;
      for (let i = 0; i < sets; i++) await client.ask(resp("SET", `r${i}`, "x"));
      assert.match((await client.ask(resp("WAIT", "1", "5000"))).reply, /^:1/);
      await untilPinged(client);
      await client.close();
      // While the link lives, one view would see an acknowledgement more than the other.
      await replica.stop();
      const last = await connect();
      await last.ask(resp("ECHO", "over"));
      await views.told(last.endpoint);
      await last.close();
      const own = (record: JsonRecord) => [client.endpoint, last.endpoint].includes(record.client);
      const records = await views.same();
      assert.equal(records.filter((record) => own(record) && record.command === "SET").length, sets);
      const link = records.filter((record) => !own(record) && record.command !== "INFO");
      // No more: a PING of the primary, paired with an acknowledgement of the replica, would stand here, too.
      assert.match(named(link).join(), /^PING normal ok,(REPLCONF connect ok,)+PSYNC stream ok$/);
      const pushes = total(views.any.summary, "pushes");
      assert.ok(pushes >= sets, `${pushes} pushes`);
      assert.equal(total(views.any.summary, "unmatched_responses"), 0);
    } finally {
      await replica.stop();
    }
  });
});

/** Resolves once the primary says that its replica is online. */
async function untilReplicating(client: RawClient): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { reply } = await client.ask(resp("INFO", "replication"));
    if (/slave0:.*state=online/.test(reply)) return;
    if (performance.now() > deadline) throw new Error(`the replica does not come: ${reply}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Resolves once the primary has sent its replica two PINGs more, of 14 bytes each. */
async function untilPinged(client: RawClient): Promise<void> {
  const offset = async () =>
    Number(/master_repl_offset:(\d+)/.exec((await client.ask(resp("INFO", "replication"))).reply)![1]);
  const before = await offset();
  while ((await offset()) < before + 28) await new Promise((resolve) => setTimeout(resolve, 100));
}
