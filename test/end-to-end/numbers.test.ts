import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { get, listenTo, series } from "../support/http.ts";
import { captureObstacle } from "../support/live.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startPrometheus, startRedis } from "../support/servers.ts";
import { Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

let redis: RealServer;
let statsPort = 0;
let metricsPort = 0;
before(async () => {
  if (skip === false) redis = await startRedis();
  statsPort = await freePort();
  metricsPort = await freePort();
});
after(() => redis?.stop());

function capture(...words: readonly string[]): Promise<Tcplat> {
  const ports = ["-P", `${statsPort}`, "--metrics-port", `${metricsPort}`];
  return Tcplat.capturing(["-i", "lo", "--json", ...ports, ...words, "tcp", "port", `${redis.port}`]);
}

function connectRedis(): Promise<RawClient> {
  return RawClient.connect(redis.port, respReplyEnd);
}

/** tcpkit's labels and the upper bound in seconds of each. */
const LABELS: readonly (readonly [string, string])[] = [
  ["<0.1ms", "0.0001"],
  ["0.1ms~0.2ms", "0.0002"],
  ["0.2~0.5ms", "0.0005"],
  ["0.5ms~1ms", "0.001"],
  ["1ms~5ms", "0.005"],
  ["5ms~10ms", "0.01"],
  ["10ms~20ms", "0.02"],
  ["20ms~50ms", "0.05"],
  ["50ms~100ms", "0.1"],
  ["100ms~200ms", "0.2"],
  ["200ms~500ms", "0.5"],
  ["0.5s~1s", "1"],
  ["1s~2s", "2"],
  ["2s~3s", "3"],
  ["3s~5s", "5"],
  ["5s~10s", "10"],
  ["10s~20s", "20"],
  ["+inf", "+Inf"],
];

/** Sends commands of very different durations; resolves once tcplat has told of all 304. */
async function makeLoad(tcplat: Tcplat): Promise<void> {
  const client = await connectRedis();
  for (let i = 0; i < 300; i++) await client.ask(i % 2 === 0 ? resp("SET", "k", i) : resp("GET", "k"));
  for (const seconds of [0.003, 0.012, 0.12]) await client.ask(resp("DEBUG", "SLEEP", seconds));
  await client.ask(resp("LPUSH", "k", "x"));
  await tcplat.transactions(304);
  await client.close();
}

interface ServerStats {
  readonly [name: string]: unknown;
  readonly latency: readonly Readonly<Record<string, number>>[];
  readonly commands: Readonly<Record<string, { readonly count: number; readonly errors: number }>>;
}

describe("the numbers of a live capture", { skip }, () => {
  it("the stats port gives whoever connects one JSON document, and its buckets agree with Prometheus' to the digit", async () => {
    const tcplat = await capture("-p", "redis");
    await makeLoad(tcplat);
    const server = `127.0.0.1:${redis.port}`;
    const text = await listenTo(statsPort);
    const { [server]: stats } = JSON.parse(text) as Record<string, ServerStats>;
    const { body: metrics } = await get(metricsPort, "/metrics");
    assert.equal((await get(metricsPort, "/stats")).body, text);
    await tcplat.stop();
    assert.deepEqual(
      [stats!.requests, stats!.responses, stats!.errors, stats!.unanswered, stats!.side, stats!.protocol],
      [304, 304, 1, 0, "local", "redis"],
    );
    assert.deepEqual(
      [stats!.request_bytes, stats!.response_bytes],
      ["request_bytes", "response_bytes"].map((name) =>
        tcplat.records.reduce((sum, record) => sum + Number(record[name as "request_bytes"]), 0),
      ),
    );
    assert.deepEqual(stats!.latency, expectedBuckets(tcplat));
    let below = 0;
    for (const [label, bound] of LABELS) {
      below += stats!.latency.find((bucket) => label in bucket)?.[label] ?? 0;
      assert.equal(cumulative(metrics, bound), below, label);
    }
    assert.deepEqual(
      Object.entries(stats!.commands).map(([name, { count, errors }]) => [name, count, errors]),
      [
        ["GET", 150, 0],
        ["SET", 150, 0],
        ["DEBUG", 3, 0],
        ["LPUSH", 1, 1],
      ],
    );
    const longest = Math.max(...tcplat.records.map((record) => record.latency_us));
    assert.equal(stats!.max_ms, longest / 1000);
    assert.ok(Number(stats!.p50_ms) > 0 && Number(stats!.p50_ms) <= Number(stats!.p99_ms));
  });

  it("the metrics pass promtool without a word, and hold no key, client or argument", async (t) => {
    const missing = missingProgram("promtool");
    if (missing !== null) return t.skip(missing);
    const tcplat = await capture("-p", "redis");
    const client = await connectRedis();
    for (const words of [
      ["SET", "secretkey", "secretvalue"],
      ["NOSUCH", "secretargument"],
      ["BLPOP", "q", "0.01"],
    ]) {
      await client.ask(resp(...words));
    }
    await tcplat.transactions(3);
    const { status, body } = await get(metricsPort, "/metrics");
    await tcplat.stop();
    assert.equal(status, 200);
    const {
      status: verdict,
      stdout,
      stderr,
    } = spawnSync("promtool", ["check", "metrics"], {
      input: body,
      encoding: "utf8",
    });
    assert.deepEqual([verdict, stdout, stderr], [0, "", ""]);
    assert.doesNotMatch(body, /secret|nosuch/i);
    assert.doesNotMatch(body, new RegExp(client.endpoint));
    const labels = `protocol="redis",server="127.0.0.1:${redis.port}"`;
    assert.equal(series(body, `tcplat_request_duration_seconds_count{${labels},command="BLPOP",class="blocking"}`), 1);
    assert.equal(series(body, `tcplat_requests_total{${labels},command="other"}`), 1);
    assert.equal(series(body, 'tcplat_capture_up{interface="lo"}'), 1);
    assert.match(body, /^tcplat_build_info\{version="[^"]+",node="v[^"]+",libpcap="[^"]+",engine="libpcap"\} 1$/m);
    await client.close();
    return undefined;
  });

  it("a real Prometheus scrapes them, and its query returns the count", async (t) => {
    const missing = missingProgram("prometheus");
    if (missing !== null) return t.skip(missing);
    const tcplat = await capture("-p", "redis");
    await makeLoad(tcplat);
    const prometheus = await startPrometheus(`127.0.0.1:${metricsPort}`);
    try {
      const sets = `tcplat_requests_total{command="SET",server="127.0.0.1:${redis.port}"}`;
      assert.equal(await query(prometheus.port, sets), 150);
      assert.equal(await query(prometheus.port, "sum(tcplat_request_duration_seconds_count)"), 304);
      const slow = 'sum(tcplat_request_duration_seconds_bucket{le="0.1"})';
      assert.equal(await query(prometheus.port, slow), tcplat.records.filter((of) => of.latency_us <= 100_000).length);
      assert.equal(await query(prometheus.port, 'max_over_time(up{job="tcplat"}[1m])'), 1);
    } finally {
      await prometheus.stop();
    }
    await tcplat.stop();
    return undefined;
  });

  it("silent, slow and garbage-sending readers delay neither capture nor each other", async () => {
    const tcplat = await capture("-p", "redis");
    const readers: Socket[] = [];
    for (const port of [statsPort, metricsPort]) {
      for (let i = 0; i < 30; i++) {
        const reader = connect({ port, host: "127.0.0.1" });
        reader.on("error", () => {});
        reader.pause();
        if (i % 3 === 1) reader.write("GET /metrics HTT");
        if (i % 3 === 2) reader.write(Buffer.alloc(20_000, i));
        readers.push(reader);
      }
    }
    await makeLoad(tcplat);
    const { body } = await get(metricsPort, "/metrics");
    assert.equal(series(body, 'tcplat_capture_dropped_frames_total{interface="lo",by="kernel"}'), 0);
    assert.equal((await get(metricsPort, "/healthz")).body, "ok\n");
    assert.equal((await get(metricsPort, "/nosuch")).status, 404);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.equal(total(tcplat.summary, "requests"), 304);
    assert.deepEqual(violations(tcplat.summary), []);
    for (const reader of readers) reader.destroy();
  });

  it("only class normal enters the latencies of the stats port; the others have their counts", async () => {
    const tcplat = await capture("-p", "redis");
    const client = await connectRedis();
    await client.ask(resp("BLPOP", "q", "0.02"));
    await client.ask(resp("CLIENT", "SETNAME", "x"));
    await client.ask(resp("HELLO", "2"));
    await client.send(resp("MULTI") + resp("SET", "k", "1") + resp("EXEC"), 3);
    await tcplat.transactions(6);
    const stats = (JSON.parse(await listenTo(statsPort)) as Record<string, ServerStats>)[`127.0.0.1:${redis.port}`]!;
    await tcplat.stop();
    const counts = new Map<string, number>();
    for (const record of tcplat.records) counts.set(record.class, (counts.get(record.class) ?? 0) + 1);
    const normal = counts.get("normal") ?? 0;
    counts.delete("normal");
    assert.deepEqual(stats.classes, Object.fromEntries(counts));
    assert.deepEqual([counts.get("blocking"), counts.get("queued")], [1, 1]);
    assert.equal(
      stats.latency.flatMap((bucket) => Object.values(bucket)).reduce((sum, count) => sum + count, 0),
      normal,
    );
    const longest = Math.max(...tcplat.records.filter((of) => of.class === "normal").map((of) => of.latency_us));
    assert.equal(stats.max_ms, longest / 1000);
    await client.close();
  });
});

/** The buckets of the stats port, from the latencies that the records tell; every record here is of class normal. */
function expectedBuckets(tcplat: Tcplat): Readonly<Record<string, number>>[] {
  const counts = new Map<string, number>();
  for (const { latency_us } of tcplat.records) {
    const [label] = LABELS.find(([, bound]) => bound === "+Inf" || latency_us <= Number(bound) * 1e6)!;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return LABELS.flatMap(([label]) => (counts.has(label) ? [{ [label]: counts.get(label)! }] : []));
}

/** How many requests of class normal took at most so many seconds, in /metrics. */
function cumulative(metrics: string, bound: string): number {
  const lines = metrics.split("\n").filter((line) => line.startsWith("tcplat_request_duration_seconds_bucket{"));
  const ofBound = lines.filter((line) => line.includes(`le="${bound}"`) && line.includes('class="normal"'));
  assert.ok(ofBound.length > 0, bound);
  return ofBound.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** The value of an expression, once Prometheus has scraped it. */
async function query(port: number, expression: string): Promise<number> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { body } = await get(port, `/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = JSON.parse(body) as { data: { result: { value: [number, string] }[] } };
    if (data.result.length > 0) return Number(data.result[0]!.value[1]);
    if (performance.now() > deadline) throw new Error(`no value of ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
