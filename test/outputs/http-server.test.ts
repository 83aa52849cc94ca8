import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { startMetricsServer } from "../../src/outputs/http-server.ts";
import { statsDocument } from "../../src/outputs/stats-document.ts";
import { stages, tell, transaction } from "../aggregate/fixtures.ts";

const HOST = "127.0.0.1";
const BUILD = { version: "0.1.0", node: "20.20.2", libpcap: "", engine: "cap" };
const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
aggregate.service(transaction().server, transaction().protocol).requested(1, 31, true, 1);
tell(aggregate, transaction({ commandId: 1 }));
const snapshot = () => aggregate.snapshot(stages());

async function serve(t: TestContext, health: () => string | null = () => null): Promise<number> {
  const server = await startMetricsServer({ host: HOST, port: 0, snapshot, health, build: BUILD });
  t.after(() => server.close());
  return server.port;
}

describe("the metrics port", () => {
  it("serves metrics, the stats port's document and its health", async (t) => {
    const port = await serve(t);
    const metrics = await fetch(`http://${HOST}:${port}/metrics?x=1`);
    assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.match(await metrics.text(), /^tcplat_requests_total{.*command="GET"} 1$/m);
    const stats = await fetch(`http://${HOST}:${port}/stats`);
    assert.equal(stats.headers.get("content-type"), "application/json");
    assert.equal(await stats.text(), statsDocument(snapshot()));
    const health = await fetch(`http://${HOST}:${port}/healthz`);
    assert.deepEqual([health.status, await health.text()], [200, "ok\n"]);
  });

  it("tells why it is not healthy, as long as it is not", async (t) => {
    let reason: string | null = "interface eth0 is down";
    const port = await serve(t, () => reason);
    const down = await fetch(`http://${HOST}:${port}/healthz`);
    assert.deepEqual([down.status, await down.text()], [503, "interface eth0 is down\n"]);
    reason = null;
    assert.equal((await fetch(`http://${HOST}:${port}/healthz`)).status, 200);
  });

  it("answers HEAD without a body, refuses other methods and unknown paths", async (t) => {
    const port = await serve(t);
    const head = await fetch(`http://${HOST}:${port}/metrics`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.ok(Number(head.headers.get("content-length")) > 1000);
    assert.equal(await head.text(), "");
    const post = await fetch(`http://${HOST}:${port}/stats`, { method: "POST", body: "x".repeat(1000) });
    assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
    const lost = await fetch(`http://${HOST}:${port}/constructor`);
    assert.deepEqual([lost.status, await lost.text()], [404, "Try /metrics, /stats, /healthz.\n"]);
  });

  it("disconnects whoever does not finish a request, and serves others meanwhile", { timeout: 20_000 }, async (t) => {
    const port = await serve(t);
    const loris = connect(port, HOST);
    loris.on("error", () => {});
    loris.resume();
    const drip = setInterval(() => loris.write("X-Slow: 1\r\n"), 200);
    t.after(() => clearInterval(drip));
    loris.write("GET /metrics HTTP/1.1\r\n");
    const closed = once(loris, "close");
    assert.equal((await fetch(`http://${HOST}:${port}/healthz`)).status, 200);
    await closed;
  });

  it("survives garbage and over-long headers", async (t) => {
    const port = await serve(t);
    for (const sent of ["\0\xff\x16\x03garbage\r\n\r\n", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`]) {
      const socket = connect(port, HOST);
      socket.on("error", () => {});
      socket.resume();
      socket.write(sent);
      await once(socket, "close");
    }
    assert.equal((await fetch(`http://${HOST}:${port}/healthz`)).status, 200);
  });

  it("names its own options when its port is taken", async (t) => {
    const port = await serve(t);
    const options = { host: HOST, port, snapshot, health: () => null, build: BUILD };
    await assert.rejects(startMetricsServer(options), /--metrics-port/);
  });
});
