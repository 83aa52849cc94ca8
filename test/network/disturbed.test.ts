import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { total } from "../support/tcplat.ts";
import { always, inCalm } from "../support/tries.ts";
import type { Policy } from "./policy.ts";
import { assertTrue, Referee, recordOf, type View, type Views, type Words, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

let network: Network;
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  redis = await startRedis({ namespace: network.server, host: network.serverAddress });
  const referee = await Referee.connect(network, redis);
  await referee.ask("SET", "large", LARGE);
  await referee.client.close();
});
after(async () => {
  await redis?.stop();
  await network?.remove();
});

/** The smallest time-out after which Linux sends again (`net/tcp.h`, TCP_RTO_MIN), in µs. */
const RTO_US = 200_000;

/** Four segments of the request, or of the response, at Ethernet's MTU. */
const LARGE = "x".repeat(5000);

/** TCP's trouble as one side counted it: sent again, out of order, captured twice, windows closed. */
function trouble({ summary }: View): readonly number[] {
  return [
    total(summary, `tcp_retransmitted_segments.${redis.host}:${redis.port}`),
    total(summary, `tcp_out_of_order_segments.${redis.host}:${redis.port}`),
    total(summary, "capture_duplicate_frames"),
    total(summary, `tcp_zero_windows.${redis.host}:${redis.port}`),
  ];
}

/** One connection asks for one thing to begin with, then, under the policy, for the others. */
async function disturb(policy: Policy, ...requests: readonly Words[]): Promise<Views> {
  let referee!: Referee;
  const act = async (): Promise<number> => {
    referee = await Referee.connect(network, redis);
    await referee.ask("GET", "first");
    await network.policy(policy);
    for (const words of requests) await referee.ask(...words);
    await network.policy({ rules: [] });
    return referee.asked.length;
  };
  const views = await always(() => watch(network, [redis.port], act));
  await referee.client.close();
  await always(() => assertTrue(views, [referee], policy.closedWindow?.ms));
  return views;
}

/** One request's latencies and flags on both sides. */
function compare(views: Views, summary: string) {
  const [near, far] = [recordOf(views.client, summary), recordOf(views.server, summary)];
  return { nearUs: near.latency_us, farUs: far.latency_us, flags: [near.flags, far.flags] };
}

function itInCalm(name: string, act: () => Promise<void>): void {
  it(name, () => inCalm(act));
}

describe("a redis-server seen from both hosts at once", { skip }, () => {
  itInCalm("an undisturbed line: no flags, no trouble", async () => {
    const views = await disturb({ rules: [] }, ["SET", "k", "v"], ["GET", "k"], ["LPUSH", "k", "x"]);
    for (const view of [views.client, views.server]) {
      assert.deepEqual(trouble(view), [0, 0, 0, 0]);
      assert.ok(view.records.every((record) => record.flags.length === 0));
    }
  });

  itInCalm("a lost request was slow and sent again for the client, and neither for the server", async () => {
    const lost: Policy = { rules: [{ action: "drop", way: "toServer", nth: [1] }] };
    const views = await disturb(lost, ["GET", "lost"], ["GET", "next"]);
    const { nearUs, farUs, flags } = compare(views, "GET lost");
    assert.ok(nearUs >= RTO_US && farUs < RTO_US / 2, `${nearUs} ${farUs}`);
    assert.deepEqual(flags, [["retransmission"], []]);
    assert.deepEqual(trouble(views.client), [1, 0, 0, 0]);
    assert.deepEqual(trouble(views.server), [0, 0, 0, 0]);
    assert.deepEqual(compare(views, "GET next").flags, [[], []]);
    assert.ok(compare(views, "GET next").nearUs < RTO_US / 2);
  });

  itInCalm("a lost response was slow for the client, and sent again by a server that was quick", async () => {
    // So slow that the request has been acknowledged by itself: else the client sends that again, too.
    const lost: Policy = { rules: [{ action: "drop", way: "toClient", nth: [1] }] };
    const views = await disturb(lost, ["DEBUG", "SLEEP", "0.1"], ["GET", "next"]);
    const { nearUs, farUs, flags } = compare(views, "DEBUG SLEEP");
    assert.ok(nearUs >= 100_000 + RTO_US && farUs < 100_000 + RTO_US / 2, `${nearUs} ${farUs}`);
    assert.deepEqual(flags, [[], []]);
    assert.deepEqual(trouble(views.client), [0, 0, 0, 0]);
    assert.deepEqual(trouble(views.server), [1, 0, 0, 0]);
    assert.ok(compare(views, "GET next").nearUs < RTO_US / 2);
  });

  itInCalm(
    "a segment lost in the middle of a request: out of order where it is missing, sent again where it was seen",
    async () => {
      const views = await disturb({ rules: [{ action: "drop", way: "toServer", nth: [2] }] }, ["SET", "k", LARGE]);
      const { flags } = compare(views, "SET k");
      // Packets are numbered: what fills the hole was sent again.
      assert.deepEqual(flags, [["retransmission"], ["out_of_order", "retransmission"]]);
      assert.ok(trouble(views.client)[0]! >= 1);
      assert.deepEqual(trouble(views.server).slice(0, 1), [0]);
      assert.ok(trouble(views.server)[1]! >= 1);
    },
  );

  itInCalm("a segment lost in the middle of a response: the other way round", async () => {
    const views = await disturb({ rules: [{ action: "drop", way: "toClient", nth: [2] }] }, ["GET", "large"]);
    const { flags } = compare(views, "GET large");
    assert.deepEqual(flags[0], ["out_of_order", "retransmission"]);
    assert.ok(trouble(views.client)[1]! >= 1);
    assert.ok(trouble(views.server)[0]! >= 1);
    assert.equal(trouble(views.server)[1], 0);
  });

  itInCalm(
    "neighbours that change places are out of order where they arrive, and nowhere sent again unless TCP did",
    async () => {
      const swap: Policy = { rules: [{ action: "swap", way: "both", nth: [1, 3] }] };
      const views = await disturb(swap, ["SET", "k", LARGE], ["GET", "large"]);
      assert.deepEqual(compare(views, "SET k").flags[1], ["out_of_order"]);
      assert.ok(compare(views, "GET large").flags[0]!.includes("out_of_order"));
      assert.equal(trouble(views.client)[0]! > 0, compare(views, "SET k").flags[0]!.includes("retransmission"));
    },
  );

  itInCalm("a segment that comes twice at once is a duplicate; one that comes again later was sent again", async () => {
    const twice = (ms: number): Policy => ({ rules: [{ action: "duplicate", way: "both", nth: [1], ms }] });
    const atOnce = await disturb(twice(0), ["GET", "twice"], ["GET", "next"]);
    assert.deepEqual(trouble(atOnce.client), [0, 0, 1, 0]);
    assert.deepEqual(trouble(atOnce.server), [0, 0, 1, 0]);
    const later = await disturb(twice(50), ["GET", "twice"], ["DEBUG", "SLEEP", "0.1"]);
    assert.deepEqual(trouble(later.client), [1, 0, 0, 0]);
    assert.deepEqual(trouble(later.server), [1, 0, 0, 0]);
    for (const views of [atOnce, later]) {
      for (const view of [views.client, views.server])
        assert.ok(view.records.every((record) => record.flags.length === 0));
    }
  });

  itInCalm("a delay on the line is the client's alone", async () => {
    const rules = [{ action: "delay", way: "both", ms: 15 }] as const;
    const views = await disturb({ rules }, ...Array.from({ length: 10 }, (_, i) => ["GET", `k${i}`]));
    for (let i = 0; i < 10; i++) {
      const { nearUs, farUs, flags } = compare(views, `GET k${i}`);
      assert.ok(nearUs - farUs >= 28_000, `${nearUs} ${farUs}`);
      assert.deepEqual(flags, [[], []]);
    }
    assert.deepEqual(trouble(views.client), [0, 0, 0, 0]);
  });

  itInCalm("a window that is closed for a while: probes are no data, and the closing is counted once", async () => {
    const views = await disturb({ rules: [], closedWindow: { way: "toClient", ms: 150 } }, ["GET", "a"], ["GET", "b"]);
    const [again, outOfOrder, duplicates, zeroWindows] = trouble(views.client);
    assert.deepEqual([again, outOfOrder, duplicates, zeroWindows], [0, 0, 0, 1]);
    assert.deepEqual(trouble(views.server), [0, 0, 0, 0]);
  });
});
