import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PacketSocket } from "../network/packet-socket.ts";
import { get, series } from "../support/http.ts";
import { connectNamespaces, enter, ipIn, leave, makeNamespace, namespaceObstacle } from "../support/namespaces.ts";
import { atMostUs, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { Dialogue, ETHERNET, frameOf } from "../support/segments.ts";
import { freePort, type RealServer, startRedis } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = namespaceObstacle("redis-server") ?? false;

const HOST = "10.77.1.1";
const PEER = "10.77.1.2";

let host = "";
let peer = "";
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  host = makeNamespace("host");
  peer = makeNamespace("peer");
  connectNamespaces(host, "eth0", peer, "eth0");
  ipIn(host, "addr", "add", `${HOST}/24`, "dev", "eth0");
  ipIn(peer, "addr", "add", `${PEER}/24`, "dev", "eth0");
  redis = await startRedis({ namespace: peer, host: PEER });
});
after(() => redis?.stop());

async function inHost<T>(work: () => Promise<T>): Promise<T> {
  enter(host);
  try {
    return await work();
  } finally {
    leave();
  }
}

describe("an interface", { skip }, () => {
  it("that goes down and comes back ends nothing: /healthz 200, 503, 200, tcplat_capture_up 1, 0, 1", async () => {
    const metricsPort = await freePort();
    const ports = ["-P", "0", "--metrics-port", `${metricsPort}`];
    const words = ["-i", "eth0", "--json", ...ports, "tcp", "port", `${redis.port}`];
    const tcplat = await Tcplat.capturing(words, { namespace: host });
    const ask = async () => {
      const client = await inHost(() => RawClient.connect(redis.port, respReplyEnd, PEER));
      await client.ask(resp("PING"));
      await client.close();
    };
    const state = async () => {
      const health = await inHost(() => get(metricsPort, "/healthz"));
      const { body } = await inHost(() => get(metricsPort, "/metrics"));
      return [health.status, series(body, 'tcplat_capture_up{interface="eth0"}')];
    };
    await ask();
    await tcplat.transactions(1);
    assert.deepEqual(await state(), [200, 1]);
    for (let round = 1; round <= 2; round++) {
      ipIn(host, "link", "set", "eth0", "down");
      await untilState(state, [503, 0]);
      assert.match((await inHost(() => get(metricsPort, "/healthz"))).body, /eth0 is down/);
      ipIn(host, "link", "set", "eth0", "up");
      await untilState(state, [200, 1]);
      await ask();
      await tcplat.transactions(1 + round);
    }
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.equal(total(tcplat.summary, "requests"), 3);
    assert.match(tcplat.stderr, /eth0 is down; capture goes on when it comes back\n(.*\n)*.*eth0 is up again/);
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("on the client's host is of side client, on the server's of side server, and shorter there", async () => {
    const words = ["-i", "eth0", "--json", ...NO_PORTS, "tcp", "port", `${redis.port}`];
    const here = await Tcplat.capturing(words, { namespace: host });
    const there = await Tcplat.capturing(words, { namespace: peer });
    const client = await inHost(() => RawClient.connect(redis.port, respReplyEnd, PEER));
    const measured = await client.ask(resp("DEBUG", "SLEEP", "0.01"));
    const [[ours], [theirs]] = await Promise.all([here.transactions(1), there.transactions(1)]);
    await Promise.all([here.stop(), there.stop()]);
    assert.deepEqual([ours!.side, theirs!.side], ["client", "server"]);
    assert.ok(theirs!.latency_us >= 10_000 && theirs!.latency_us <= ours!.latency_us);
    assert.ok(ours!.latency_us <= atMostUs(measured.us));
    await client.close();
  });

  for (const [name, tags] of [
    ["one VLAN tag", [0x8100]],
    ["two VLAN tags (QinQ)", [0x88a8, 0x8100]],
  ] as const) {
    it(`with ${name} on its frames: --vlan passes all, which a plain filter does not`, async () => {
      const words = ["-i", "eth0", "--json", ...NO_PORTS, "tcp", "port", "6379"];
      const plain = await Tcplat.capturing(words, { namespace: host });
      const vlan = await Tcplat.capturing(["--vlan", ...words], { namespace: host });
      enter(peer);
      const wire = new PacketSocket("eth0");
      leave();
      const talk = new Dialogue();
      talk.open();
      for (let i = 0; i < 10; i++) {
        talk.client(100 * i + 50, resp("SET", `k${i}`, "v"));
        talk.server(100 * i + 90, "+OK\r\n");
      }
      talk.fin("client", 2000);
      talk.fin("server", 2010);
      talk.ack("client", 2020);
      for (const segment of talk.segments) wire.send(frameOf(segment, { ...ETHERNET, vlanTags: tags }));
      await vlan.transactions(10);
      await Promise.all([plain.stop(), vlan.stop()]);
      assert.deepEqual(
        vlan.records.map((record) => [record.key, record.status, record.flags.join()]),
        Array.from({ length: 10 }, (_, i) => [`k${i}`, "ok", ""]),
      );
      assert.equal(total(vlan.summary, "capture_decoded_frames"), talk.segments.length);
      // Many drivers take the outermost tag off before the kernel's filter looks: a plain one may see below it, never below two.
      const possible = tags.length === 1 ? [0, talk.segments.length] : [0];
      assert.ok(possible.includes(total(plain.summary, "capture_frames")));
    });
  }
});

async function untilState(state: () => Promise<number[]>, wanted: readonly number[]): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const now = await state();
    if (now.join() === wanted.join()) return;
    if (performance.now() > deadline) assert.deepEqual(now, wanted);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
