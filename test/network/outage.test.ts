import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DEVICE, Network } from "../support/forwarder.ts";
import { ipIn, namespaceObstacle } from "../support/namespaces.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { inCalm } from "../support/tries.ts";
import { Referee, recordOf, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

let network: Network;
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  redis = await startRedis({ namespace: network.server, host: network.serverAddress });
});
after(async () => {
  await redis?.stop();
  await network?.remove();
});

const OUTAGE_MS = 1500;

describe("an interface that goes down and comes back with requests under way", { skip }, () => {
  it("the capture goes on: what was asked before is paired with what came after", () =>
    inCalm(async () => {
      let waiting!: Referee;
      let next!: Referee;
      const views = await watch(network, [redis.port], async () => {
        waiting = await Referee.connect(network, redis);
        next = await Referee.connect(network, redis);
        await waiting.ask("GET", "first");
        // So slow that its request has arrived, and its response meets no interface.
        const slow = waiting.ask("DEBUG", "SLEEP", "0.3");
        await new Promise((resolve) => setTimeout(resolve, 150));
        ipIn(network.client, "link", "set", DEVICE, "down");
        const unsent = next.ask("GET", "unsent");
        await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
        network.raise(network.client);
        await Promise.all([slow, unsent]);
        await waiting.ask("GET", "after");
        return 4;
      });
      const near = recordOf(views.client, "DEBUG SLEEP");
      assert.ok(near.latency_us >= (OUTAGE_MS + 149) * 1000, `${near.latency_us}`);
      const far = recordOf(views.server, "DEBUG SLEEP");
      assert.ok(far.latency_us >= 299_000 && far.latency_us < OUTAGE_MS * 1000, `${far.latency_us}`);
      for (const view of [views.client, views.server]) {
        assert.deepEqual(view.records.map(({ summary, status }) => `${summary} ${status}`).sort(), [
          "DEBUG SLEEP ok",
          "GET after ok",
          "GET first ok",
          "GET unsent ok",
        ]);
      }
      for (const { client } of [waiting, next]) await client.close();
    }));
});
