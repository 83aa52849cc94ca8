import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { get, listenTo, series } from "../support/http.ts";
import { captureObstacle } from "../support/live.ts";
import { ipIn, makeNamespace, namespaceObstacle } from "../support/namespaces.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startRedis } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

const CLIENTS = 16;
/** Of each client: so many pipelines of so many requests, and as many single ones. */
const ROUNDS = 10;
const DEPTH = 20;
const REQUESTS = CLIENTS * ROUNDS * (DEPTH + 1);

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis({ words: ["--bind", "127.0.0.1", "-::1"] });
});
after(() => redis?.stop());

function words(...more: readonly string[]): string[] {
  return ["-i", "lo", "--workers", "2", ...more, "tcp", "port", `${redis.port}`];
}

/** Clients of both kinds of addresses, all at once; returns where each of them sat. */
async function talk(): Promise<string[]> {
  const hosts = Array.from({ length: CLIENTS }, (_, index) => (index % 2 === 0 ? "127.0.0.1" : "::1"));
  const clients = await Promise.all(hosts.map((host) => RawClient.connect(redis.port, respReplyEnd, host)));
  const one = async (client: RawClient) => {
    for (let round = 0; round < ROUNDS; round++) {
      await client.send(resp("SET", "key", "value").repeat(DEPTH), DEPTH);
      await client.ask(resp("GET", "key"));
    }
    await client.close();
  };
  await Promise.all(clients.map(one));
  return clients.map(({ endpoint }) => endpoint);
}

async function ask(count: number): Promise<void> {
  const client = await RawClient.connect(redis.port, respReplyEnd);
  for (let i = 0; i < count; i++) await client.ask(resp("PING"));
  await client.close();
}

function byConnection(records: readonly JsonRecord[]): Map<string, JsonRecord[]> {
  const found = new Map<string, JsonRecord[]>();
  for (const record of records) {
    const connection = record.id.slice(0, record.id.indexOf("-"));
    found.set(connection, [...(found.get(connection) ?? []), record]);
  }
  return found;
}

describe("two workers on lo, beside a real server", { skip }, () => {
  it("pair every request, each connection in one worker; scrape and stats port add them up", async () => {
    const [stats, metrics] = [await freePort(), await freePort()];
    const tcplat = await Tcplat.capturing(words("--json", "-P", `${stats}`, "--metrics-port", `${metrics}`));
    const endpoints = await talk();
    const records = await tcplat.transactions(REQUESTS);
    assert.equal(records.length, REQUESTS);
    const connections = byConnection(records);
    assert.deepEqual([...connections.values()].map(([first]) => first!.client).sort(), endpoints.sort());
    for (const own of connections.values()) {
      assert.equal(own.length, REQUESTS / CLIENTS);
      // Both directions were seen by whoever paired them, from the handshake on, and nothing was printed twice or out of order.
      assert.deepEqual(
        own.filter(({ status, flags }) => status !== "ok" || flags.includes("midstream")),
        [],
      );
      own.forEach(({ id }, index) => void assert.equal(id.slice(id.indexOf("-") + 1), `${index + 1}`));
      own.forEach(({ end }, index) => void assert.ok(index === 0 || end >= own[index - 1]!.end));
    }
    const text = await scrapeOf(metrics, REQUESTS);
    const document = JSON.parse(await listenTo(stats)) as Record<string, Record<string, unknown>>;
    for (const server of [`127.0.0.1:${redis.port}`, `[::1]:${redis.port}`]) {
      const labels = `{protocol="redis",server="${server}",command="SET",class="normal"}`;
      const sets = (CLIENTS / 2) * ROUNDS * DEPTH;
      assert.equal(series(text, `tcplat_request_duration_seconds_count${labels}`), sets);
      assert.equal(series(text, `tcplat_request_duration_seconds_bucket${labels.replace("{", '{le="+Inf",')}`), sets);
      assert.deepEqual([document[server]!.requests, document[server]!.responses], [REQUESTS / 2, REQUESTS / 2]);
      assert.equal(inBuckets(document[server]!.latency), REQUESTS / 2);
    }
    assert.equal(series(text, 'tcplat_connections_total{origin="syn"}'), CLIENTS);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    const { summary } = tcplat;
    assert.equal(total(summary, "requests"), REQUESTS);
    assert.equal(total(summary, "responses"), REQUESTS);
    assert.equal(total(summary, "capture_dropped_frames"), 0);
    assert.equal(total(summary, "unanswered_requests") + total(summary, "unmatched_responses"), 0);
    assert.deepEqual(violations(summary), []);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`end on ${signal} with the summary and status 0, and what came just before is not lost`, async () => {
      const tcplat = await Tcplat.capturing(words("--json", ...NO_PORTS));
      await ask(200);
      assert.deepEqual(await tcplat.stop(signal), { status: 0, signal: null });
      assert.equal(tcplat.records.length, 200);
      assert.equal(total(tcplat.summary, "requests"), 200);
      assert.deepEqual(violations(tcplat.summary), []);
    });
  }

  it("print the summary of both on SIGUSR1, and go on", async () => {
    const tcplat = await Tcplat.capturing(words("--json", ...NO_PORTS));
    for (let client = 0; client < 8; client++) await ask(3);
    await tcplat.transactions(24);
    // Of a worker that is too busy the last numbers stand: then it is asked again.
    const both = /^connections 8 \(syn 8\)[^\n]*\nrequests +24 = 24 answered/m;
    await tcplat.askUntil("the summary of both", (summary) => both.test(summary));
    await ask(2);
    await tcplat.transactions(26);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
  });

  it("tell a request that waits when the capture ends as unanswered, and one that waits behind another as that", async () => {
    const tcplat = await Tcplat.capturing(words("--json", ...NO_PORTS));
    const client = await RawClient.connect(redis.port, respReplyEnd);
    await client.send(resp("DEBUG", "SLEEP", "0.05") + resp("GET", "key"), 2);
    client.socket.write(resp("BLPOP", "nosuch", "0"));
    // Others follow it on the wire: it has been captured.
    await ask(1);
    await tcplat.transactions(3);
    await tcplat.stop();
    const own = tcplat.records.filter((record) => record.client === client.endpoint);
    const [sleep, get_, waiting] = own;
    assert.deepEqual([get_!.behind?.id, get_!.behind?.command], [sleep!.id, "DEBUG"]);
    assert.deepEqual([waiting!.command, waiting!.status, waiting!.error], ["BLPOP", "unanswered", "end"]);
    assert.deepEqual(violations(tcplat.summary), []);
    const closed = once(client.socket, "close");
    client.socket.destroy();
    await closed;
  });

  it("leave -c to one worker, which counts exactly", async () => {
    const tcplat = await Tcplat.capturing(words("--json", "-c", "7", ...NO_PORTS));
    assert.match(tcplat.stderr, /^tcplat: one worker: -c counts the frames of all$/m);
    await ask(20);
    assert.deepEqual(await tcplat.ended(), { status: 0, signal: null });
    assert.equal(tcplat.summary["capture_frames.lo"], 7);
  });
});

const noNamespace = namespaceObstacle() ?? false;

describe("two workers on an interface that goes and comes back", { skip: noNamespace }, () => {
  it("both take it up again, the same one and a new one of its name, and each time it is said once", async () => {
    const namespace = makeNamespace("workers");
    const make = () => {
      ipIn(namespace, "link", "add", "near", "type", "veth", "peer", "name", "far");
      ipIn(namespace, "link", "set", "far", "up");
      ipIn(namespace, "link", "set", "near", "up");
    };
    make();
    const tcplat = await Tcplat.capturing(["-i", "near", "--workers", "2", ...NO_PORTS, "tcp"], { namespace });
    const said = (text: RegExp) => tcplat.stderr.match(text)?.length ?? 0;
    const outages = [
      {
        begin: () => ipIn(namespace, "link", "set", "near", "down"),
        end: () => ipIn(namespace, "link", "set", "near", "up"),
      },
      { begin: () => ipIn(namespace, "link", "del", "near"), end: make },
    ];
    for (const [index, { begin, end }] of outages.entries()) {
      begin();
      await until("it is said to be down", () => said(/near is down/g) === index + 1);
      end();
      await until("it is said to be up", () => said(/near is up again/g) === index + 1);
    }
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.deepEqual([said(/is down/g), said(/is up again/g)], [2, 2]);
  });
});

/** Scrapes until so many requests are told: of a worker that is too busy the last numbers stand. */
async function scrapeOf(port: number, requests: number): Promise<string> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const text = (await get(port, "/metrics")).body;
    const told = [...text.matchAll(/^tcplat_requests_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
    if (told.reduce((all, count) => all + count, 0) >= requests || performance.now() > deadline) return text;
  }
}

function inBuckets(latency: unknown): number {
  return (latency as Record<string, number>[]).reduce((all, bucket) => all + Object.values(bucket)[0]!, 0);
}
