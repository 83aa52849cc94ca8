import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as connectTo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { atMostUs, RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startRedis } from "../support/servers.ts";
import { NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? false;

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

function capture(...words: readonly string[]): Promise<Tcplat> {
  return Tcplat.capturing(["-i", "lo", "--json", ...NO_PORTS, ...words, "tcp", "port", `${redis.port}`]);
}

function connect(): Promise<RawClient> {
  return RawClient.connect(redis.port, respReplyEnd);
}

describe("connections captured live", { skip }, () => {
  it("that are older than the capture are paired all the same, flag midstream, whoever names the server", async () => {
    const client = await connect();
    await client.ask(resp("PING"));
    for (const words of [
      ["-p", "redis"],
      ["-p", `redis:${redis.port}`],
      ["--server", `127.0.0.1:${redis.port}`],
    ]) {
      const tcplat = await capture(...words);
      const measured = [];
      for (let i = 0; i < 20; i++) measured.push(await client.ask(resp("ECHO", `${i}`)));
      await tcplat.transactions(20);
      await tcplat.stop();
      assert.equal(tcplat.records.length, 20, words.join(" "));
      for (const [i, record] of tcplat.records.entries()) {
        assert.deepEqual(record.flags, ["midstream"]);
        assert.equal(record.client, client.endpoint);
        assert.equal(record.response_bytes, measured[i]!.reply.length);
        assert.ok(record.latency_us <= atMostUs(measured[i]!.us));
      }
      assert.equal(tcplat.summary["connections.midstream"], 1);
      assert.deepEqual(violations(tcplat.summary), []);
    }
    await client.close();
  });

  it("of IPv6 are written with brackets", async (t) => {
    const addresses = Object.values(networkInterfaces()).flat();
    if (!addresses.some((address) => address!.address === "::1")) return t.skip("there is no ::1 here");
    const six = await startRedis({ host: "::1" });
    const tcplat = await Tcplat.capturing(["-i", "lo", "--json", ...NO_PORTS, "tcp", "port", `${six.port}`]);
    const client = await RawClient.connect(six.port, respReplyEnd, "::1");
    await client.ask(resp("PING"));
    const [record] = await tcplat.transactions(1);
    await tcplat.stop();
    assert.deepEqual([record!.client, record!.server], [client.endpoint, `[::1]:${six.port}`]);
    await client.close();
    await six.stop();
    return undefined;
  });

  it("whose request takes longer than --request-timeout: unanswered, timeout; its late response belongs to nobody", async () => {
    const tcplat = await capture("-p", "redis", "--request-timeout", "700ms");
    const [slow, other] = [await connect(), await connect()];
    const sleeping = slow.ask(resp("DEBUG", "SLEEP", "2"));
    const [record] = await tcplat.transactions(1);
    assert.deepEqual([record!.command, record!.status, record!.error], ["DEBUG", "unanswered", "timeout"]);
    await sleeping;
    await slow.ask(resp("PING"));
    await other.ask(resp("PING"));
    await tcplat.transactions(3);
    await tcplat.stop();
    assert.deepEqual(
      tcplat.records.slice(1).map(({ command, status }) => [command, status]),
      [
        ["PING", "ok"],
        ["PING", "ok"],
      ],
    );
    assert.equal(tcplat.summary["unanswered_requests.redis.timeout"], 1);
    assert.equal(tcplat.summary["unmatched_responses.redis.late"], 1);
    assert.deepEqual(violations(tcplat.summary), []);
    for (const client of [slow, other]) await client.close();
  });

  it("that end or are reset while a request waits: unanswered, closed or reset", async () => {
    const tcplat = await capture("-p", "redis");
    for (const end of ["closed", "reset"] as const) {
      const client = await connect();
      client.socket.write(resp("BLPOP", "nosuch", "0"));
      const helper = await connect();
      await helper.ask(resp("PING"));
      if (end === "reset") client.socket.resetAndDestroy();
      else await helper.ask(resp("CLIENT", "KILL", "ADDR", client.endpoint));
      await until(`the request is ${end}`, () => tcplat.records.some(({ error }) => error === end));
      client.socket.destroy();
      await helper.close();
    }
    await tcplat.stop();
    const unanswered = tcplat.records.filter(({ status }) => status === "unanswered");
    assert.deepEqual(
      unanswered.map(({ command, error }) => [command, error]),
      [
        ["BLPOP", "closed"],
        ["BLPOP", "reset"],
      ],
    );
    assert.deepEqual(violations(tcplat.summary), []);
  });

  it("beyond --max-connections evict the longest idle one, and are counted", async () => {
    const tcplat = await capture("-p", "redis", "--max-connections", "10");
    const clients = [];
    for (let i = 0; i < 15; i++) {
      const client = await connect();
      await client.ask(resp("PING"));
      clients.push(client);
    }
    await tcplat.transactions(15);
    await tcplat.stop();
    assert.equal(tcplat.summary["connections.syn"], 15);
    assert.equal(tcplat.summary.connections_evicted, 5);
    assert.equal(total(tcplat.summary, "responses"), 15);
    for (const client of clients) await client.close();
  });

  it("are chosen by words of a filter wherever these stand, with tcpdump's switches between", async () => {
    const words = ["-nn", "tcp", "-i", "lo", "port", "-l", `${redis.port}`, "-U", "--json", ...NO_PORTS];
    const tcplat = await Tcplat.capturing(words);
    assert.match(tcplat.stderr, new RegExp(`filter "tcp port ${redis.port}"`));
    const client = await connect();
    await client.ask(resp("PING"));
    await tcplat.transactions(1);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    await client.close();
  });
});

describe("a live capture that sees no transaction for ten seconds", { skip: captureObstacle() ?? false }, () => {
  it("says what it saw, and what to try", async () => {
    const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
    await once(echo, "listening");
    const { port } = echo.address() as AddressInfo;
    const start = (of: number) => Tcplat.capturing(["-i", "lo", ...NO_PORTS, "tcp", "port", `${of}`]);
    const [nothing, unknown] = await Promise.all([start(await freePort()), start(port)]);
    const socket = connectTo({ port, host: "127.0.0.1" });
    socket.write("\u0001\u0002 no protocol that is known\n");
    await once(socket, "data");
    socket.end();
    await until(
      "both say so",
      () => [nothing, unknown].every(({ stderr }) => /no transaction so far/.test(stderr)),
      20_000,
    );
    await Promise.all([nothing.stop(), unknown.stop()]);
    assert.match(
      nothing.stderr,
      /^tcplat: no transaction so far; no frame at all on lo for the filter "tcp port \d+"[^\n]+$/m,
    );
    assert.match(unknown.stderr, /^tcplat: no transaction so far; [^\n]*1 connection[^\n]*protocol[^\n]*$/m);
    echo.close();
  });
});
