import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { resp } from "../support/raw-client.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { total } from "../support/tcplat.ts";
import { inCalm } from "../support/tries.ts";
import { until } from "../support/until.ts";
import { Referee, recordOf, type View, type Views, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

let network: Network;
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  // Slow enough that whatever is paired wrongly is seen at once.
  await network.policy({ rules: [{ action: "delay", way: "both", ms: 3 }] });
  redis = await startRedis({ namespace: network.server, host: network.serverAddress });
});
after(async () => {
  await redis?.stop();
  await network?.remove();
});

/** `command class status error` of each record of a connection, in order. */
function story(view: View, { client }: Referee): string[] {
  return view.records
    .filter((record) => record.client === client.endpoint)
    .map((record) => [record.command, record.class, record.error ?? record.status].join(" "));
}

function bothTell(views: Views, referee: Referee, ...told: readonly string[]): void {
  for (const view of [views.client, views.server]) assert.deepEqual(story(view, referee), told);
}

function bothCount(views: Views, name: string, count: number): void {
  for (const view of [views.client, views.server]) assert.equal(total(view.summary, name), count, name);
}

/** Everything a connection receives from now on. */
function listen({ client }: Referee): { text: string } {
  const heard = { text: "" };
  client.socket.on("data", (chunk) => (heard.text += String(chunk)));
  return heard;
}

async function watchTwo(act: (one: Referee, other: Referee) => Promise<number>, ...more: readonly string[]) {
  let one!: Referee;
  let other!: Referee;
  const views = await watch(
    network,
    [redis.port],
    async () => {
      one = await Referee.connect(network, redis);
      other = await Referee.connect(network, redis);
      return await act(one, other);
    },
    more,
  );
  for (const { client } of [one, other]) client.socket.destroy();
  return { views, one, other };
}

describe("a redis-server in its other modes, seen from both hosts", { skip }, () => {
  it("a subscriber: one answer for SUBSCRIBE, all that is published is pushed", async () => {
    const { views, one, other } = await watchTwo(async (subscriber, publisher) => {
      const heard = listen(subscriber);
      subscriber.client.socket.write(resp("SUBSCRIBE", "a", "b"));
      await until("it is subscribed", () => heard.text.includes(":2\r\n"));
      for (let i = 0; i < 5; i++) await publisher.ask("PUBLISH", i % 2 ? "a" : "b", `message${i}`);
      subscriber.client.socket.write(resp("PING"));
      await until("the answer to PING", () => heard.text.includes("pong"));
      return 7;
    });
    bothTell(views, one, "SUBSCRIBE stream ok", "PING normal ok");
    bothTell(views, other, ...Array.from({ length: 5 }, () => "PUBLISH normal ok"));
    bothCount(views, "pushes", 5);
    bothCount(views, "unmatched_responses", 0);
  });

  it("MONITOR: one answer, then lines that belong to nobody", async () => {
    const { views, one, other } = await watchTwo(async (monitor, client) => {
      const heard = listen(monitor);
      monitor.client.socket.write(resp("MONITOR"));
      await until("it monitors", () => heard.text.startsWith("+OK\r\n"));
      for (let i = 0; i < 5; i++) await client.ask("SET", `k${i}`, i);
      await until("all lines", () => heard.text.includes('"k4"'));
      return 6;
    });
    bothTell(views, one, "MONITOR stream ok");
    bothTell(views, other, ...Array.from({ length: 5 }, () => "SET normal ok"));
    bothCount(views, "pushes", 5);
  });

  it("BLPOP that waits 300 ms is blocking, and not slow", () =>
    // A machine that stands still for 100 ms makes anything slow.
    inCalm(async () => {
      const act = async (waiting: Referee, giving: Referee): Promise<number> => {
        const popped = waiting.ask("BLPOP", "list", "0");
        await new Promise((resolve) => setTimeout(resolve, 300));
        await giving.ask("RPUSH", "list", "x");
        await popped;
        return 2;
      };
      const { views, one } = await watchTwo(act);
      bothTell(views, one, "BLPOP blocking ok");
      const [near, far] = [recordOf(views.client, "BLPOP list"), recordOf(views.server, "BLPOP list")];
      assert.ok(near.latency_us >= 295_000 && near.latency_us > far.latency_us, `${near.latency_us}`);
      const slow = await watchTwo(
        async (waiting, giving) => {
          await act(waiting, giving);
          await giving.ask("DEBUG", "SLEEP", "0.15");
          return 1;
        },
        "-t",
        "100",
      );
      for (const view of [slow.views.client, slow.views.server]) {
        assert.deepEqual(
          view.records.map((record) => record.command),
          ["DEBUG"],
        );
        assert.equal(total(view.summary, "slow_requests"), 1);
      }
      bothCount(slow.views, "responses", 3);
    }));

  it("what waits behind BLPOP on the same connection says so", () =>
    // A machine that stands still for 200 ms makes TCP send again.
    inCalm(async () => {
      const { views } = await watchTwo(async (waiting, giving) => {
        const popped = waiting.pipeline([
          ["BLPOP", "list", "0"],
          ["GET", "behind"],
        ]);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await giving.ask("RPUSH", "list", "x");
        await popped;
        await waiting.ask("GET", "after");
        return 4;
      });
      for (const view of [views.client, views.server]) {
        assert.deepEqual(recordOf(view, "GET behind").flags, ["pipelined", "behind_blocking"]);
        assert.deepEqual(recordOf(view, "GET after").flags, []);
      }
    }));

  it("CLIENT REPLY OFF and SKIP: no reply is due, and none is awaited", async () => {
    const { views, one } = await watchTwo(async (client) => {
      await client.ask("GET", "first");
      client.client.socket.write(resp("CLIENT", "REPLY", "OFF"));
      client.client.socket.write(resp("SET", "k", "v").repeat(3));
      await client.ask("CLIENT", "REPLY", "ON");
      client.client.socket.write(resp("CLIENT", "REPLY", "SKIP") + resp("INCR", "n"));
      await client.ask("GET", "last");
      return 3;
    });
    bothTell(views, one, "GET normal ok", "CLIENT normal ok", "GET normal ok");
    bothCount(views, "no_reply_requests", 6);
    bothCount(views, "requests", 9);
    bothCount(views, "unmatched_responses", 0);
  });

  it("MULTI and EXEC: what is queued is quick, and EXEC carries the cost", async () => {
    const { views, one } = await watchTwo(async (client) => {
      await client.ask("MULTI");
      await client.ask("SET", "k", "v");
      await client.ask("LPUSH", "k", "x");
      await client.ask("EXEC");
      await client.pipeline([["MULTI"], ["NOSUCH"], ["EXEC"], ["PING"]]);
      return 8;
    });
    const queued = ["MULTI normal ok", "SET queued ok", "LPUSH queued ok", "EXEC normal ok"];
    bothTell(views, one, ...queued, "MULTI normal ok", "other queued ERR", "EXEC normal EXECABORT", "PING normal ok");
  });

  it("SHUTDOWN with requests pending: all end as closed", async () => {
    const doomed = await startRedis({ namespace: network.server, host: network.serverAddress });
    let waiting!: Referee;
    let ending!: Referee;
    const views = await watch(network, [doomed.port], async () => {
      waiting = await Referee.connect(network, doomed);
      ending = await Referee.connect(network, doomed);
      await ending.ask("GET", "first");
      waiting.client.socket.write(resp("BLPOP", "list", "0") + resp("GET", "behind"));
      const closed = Promise.all(
        [waiting, ending].map(({ client }) => new Promise((end) => client.socket.on("close", end))),
      );
      ending.client.socket.write(resp("SHUTDOWN", "NOSAVE"));
      await closed;
      return 4;
    });
    await doomed.stop();
    bothTell(views, waiting, "BLPOP blocking closed", "GET normal closed");
    bothTell(views, ending, "GET normal ok", "SHUTDOWN normal closed");
  });

  it("a server that dies with a request unread resets the connection", () =>
    // A machine that stands still may bring the request to the other host only when nobody is there.
    inCalm(async () => {
      const doomed = await startRedis({ namespace: network.server, host: network.serverAddress });
      let referee!: Referee;
      const views = await watch(network, [doomed.port], async () => {
        referee = await Referee.connect(network, doomed);
        await referee.ask("GET", "first");
        process.kill(doomed.pid, "SIGSTOP");
        referee.client.socket.write(resp("GET", "unread"));
        const closed = new Promise((end) => referee.client.socket.on("close", end));
        // Until the other host has it.
        await new Promise((resolve) => setTimeout(resolve, 50));
        process.kill(doomed.pid, "SIGKILL");
        await closed;
        return 2;
      });
      await doomed.stop();
      bothTell(views, referee, "GET normal ok", "GET normal reset");
    }));
});
