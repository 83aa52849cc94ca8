import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Deeds, Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { type RealServer, startMemcached, startRedis } from "../support/servers.ts";
import { total } from "../support/tcplat.ts";
import type { Policy } from "./policy.ts";
import { assertTrue, type Language, MEMCACHED, REDIS, Referee, type Views, type Words, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server", "memcached") ?? false;

let network: Network;
let redis: RealServer;
let memcached: RealServer;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  const place = { namespace: network.server, host: network.serverAddress };
  redis = await startRedis(place);
  memcached = await startMemcached(place);
});
after(async () => {
  await redis?.stop();
  await memcached?.stop();
  await network?.remove();
});

const CLIENTS = 6;

/** What is wrong with the line, and how many requests each client sends at once. */
const STORMS: readonly { readonly name: string; readonly depth: number; readonly policy: Policy }[] = [
  {
    name: "loses one segment in 30",
    depth: 1,
    policy: { seed: 3, rules: [{ action: "drop", way: "both", probability: 1 / 30 }] },
  },
  {
    name: "delays each segment by 1 to 6 ms, so that they overtake each other, and doubles some",
    depth: 20,
    policy: {
      seed: 4,
      rules: [
        { action: "delay", way: "both", ms: 1, jitterMs: 5 },
        { action: "duplicate", way: "both", probability: 0.05, ms: 3 },
      ],
    },
  },
  {
    name: "does all of it at once",
    depth: 50,
    policy: {
      seed: 5,
      rules: [
        { action: "drop", way: "both", probability: 0.02 },
        { action: "swap", way: "both", probability: 0.1 },
        { action: "duplicate", way: "both", probability: 0.05 },
        { action: "delay", way: "both", probability: 0.2, jitterMs: 4 },
      ],
    },
  },
];

for (const [name, language] of [
  ["redis", REDIS],
  ["memcached", MEMCACHED],
] as const) {
  describe(`${name} over a line that`, { skip }, () => {
    for (const { name, depth, policy } of STORMS) {
      it(`${name}: right pairs on both hosts, ${depth} requests at once`, async () => {
        const { views, deeds } = await storm(language, depth, policy);
        const troubles = ["tcp_retransmitted_segments", "tcp_out_of_order_segments", "capture_duplicate_frames"];
        const seen = (view: Views["client"]) => troubles.reduce((sum, of) => sum + total(view.summary, of), 0);
        for (const { action } of policy.rules) assert.ok(deeds[action] > 0, `${action} was done`);
        assert.ok(seen(views.client) > 0 && seen(views.server) > 0);
      });
    }
  });
}

/** Some clients on connections of their own, each of them with small and large requests and responses. */
async function storm(language: Language, depth: number, policy: Policy): Promise<{ views: Views; deeds: Deeds }> {
  const server = language === REDIS ? redis : memcached;
  let referees: readonly Referee[] = [];
  let deeds!: Deeds;
  const views = await watch(network, [server.port], async () => {
    await network.policy(policy);
    referees = await Promise.all(Array.from({ length: CLIENTS }, () => Referee.connect(network, server, language)));
    const rounds = depth === 1 ? 40 : 100 / depth;
    await Promise.all(
      referees.map(async (referee, c) => {
        for (let round = 0; round < rounds; round++)
          await referee.pipeline(Array.from({ length: depth }, (_, i) => request(c, round * depth + i)));
      }),
    );
    deeds = await network.policy({ rules: [] });
    return referees.reduce((count, { asked }) => count + asked.length, 0);
  });
  for (const { client } of referees) await client.close();
  assertTrue(views, referees, depth === 1 ? 0 : Number.POSITIVE_INFINITY);
  return { views, deeds };
}

/** No two neighbours alike, so that a shifted pair is a wrong pair. */
function request(client: number, i: number): Words {
  const key = `k${client}.${i % 7}`;
  if (i % 3 === 0) return ["set", key, "v".repeat((i * 577) % 6000)];
  return ["get", i % 5 === 0 ? `none${i}` : key];
}
