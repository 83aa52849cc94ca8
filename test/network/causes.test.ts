import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import type { JsonRecord } from "../support/tcplat.ts";
import { always, assertOne, inCalm } from "../support/tries.ts";
import type { Policy } from "./policy.ts";
import { Referee, type Views, type Words, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

/** The smallest time-out after which Linux sends again (`net/tcp.h`, TCP_RTO_MIN), in µs. */
const RTO_US = 200_000;
/** Four segments at Ethernet's MTU. */
const FOUR_SEGMENTS = "x".repeat(5000);
/** More than a window takes at first. */
const LARGE = "x".repeat(1_000_000);
const PAUSE_MS = 300;
/** Keeps the server busy for so long, and answers how long it was, by its own clock. */
const SPIN = `local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local start = now() while now() - start < tonumber(ARGV[1]) do end return now() - start`;
const SPIN_US = 40_000;
const spin = (us: number): Words => ["EVAL", SPIN, 0, us];
/** Each disturbed request is made so often: a busy machine delays one or the other, which is the network's, too. */
const TIMES = 4;
/** What a share may be off: 5 %, or 0.2 ms. */
const off = (us: number): number => Math.max(0.05 * us, 200);

let network: Network;
let redis: RealServer;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  redis = await startRedis({ namespace: network.server, host: network.serverAddress });
  const referee = await Referee.connect(network, redis);
  await referee.ask("SET", "four", FOUR_SEGMENTS);
  await referee.ask("SET", "large", LARGE);
  await referee.client.close();
});
after(async () => {
  await redis?.stop();
  await network?.remove();
});

function assertNear(us: number | null, expectedUs: number, what: string): void {
  assert.ok(us !== null && Math.abs(us - expectedUs) <= off(expectedUs), `${what}: ${us} µs, not about ${expectedUs}`);
}

/** Of requests made alike: where the machine was not busy the share is right, and returns one of those. */
function findNear(seen: readonly Seen[], what: string, pair: (of: Seen) => readonly [number | null, number]): Seen {
  const isNear = (of: Seen): boolean => {
    const [us, truth] = pair(of);
    return us !== null && Math.abs(us - truth) <= off(truth);
  };
  const found = seen.find(isNear);
  const all = seen.map(pair).map(([us, truth]) => `${us} of ${truth}`);
  assert.ok(found !== undefined, `${what}: ${all.join(", ")} µs`);
  return found;
}

/** One request as both hosts recorded it, and as the client measured it. */
interface Seen {
  readonly near: JsonRecord;
  readonly far: JsonRecord;
  readonly reply: string;
}

/** What both hosts told of what was asked on this connection, in order. */
function seenOf(views: Views, referee: Referee): Seen[] {
  const [near, far] = [views.client, views.server].map((view) =>
    view.records.filter((record) => record.client === referee.client.endpoint),
  ) as [JsonRecord[], JsonRecord[]];
  assert.equal(near.length, referee.asked.length);
  assert.equal(far.length, referee.asked.length);
  return referee.asked.map(({ measured }, i) => ({
    near: near[i]!,
    far: far[i]!,
    reply: measured.reply,
  }));
}

/** What both hosts told of one connection's requests. */
async function told(act: (referee: Referee) => Promise<void>): Promise<Seen[]> {
  let referee!: Referee;
  const ask = async (): Promise<number> => {
    referee = await Referee.connect(network, redis);
    await act(referee);
    return referee.asked.length;
  };
  const views = await always(() => watch(network, [redis.port], ask));
  await referee.client.close();
  return await always(() => seenOf(views, referee));
}

/** Asks the same TIMES times, each under the policy anew. */
async function several(policy: Policy, words: Words): Promise<Seen[]> {
  const before = 20;
  const seen = await told(async (referee) => {
    for (let i = 0; i < before; i++) await referee.ask("GET", `quick:${i}`);
    for (let i = 0; i < TIMES; i++) {
      await network.policy(policy);
      await referee.ask(...words);
      await network.policy({ rules: [] });
    }
  });
  return seen.slice(before);
}

/** µs since the epoch. */
const startUs = ({ start }: JsonRecord): number =>
  Date.parse(`${start.slice(0, 19)}Z`) * 1000 + Number(start.slice(20, 26));
const text = (of: unknown): string => JSON.stringify(of);
const drop = (way: "toServer" | "toClient", ...nth: number[]): Policy => ({ rules: [{ action: "drop", way, nth }] });

describe("where a latency went, as seen from both hosts", { skip }, () => {
  it("a lost request is the retransmission's for the client; the server cannot know of it, it begins when it arrives", () =>
    inCalm(async () => {
      const seen = await several(drop("toServer", 1), ["GET", "lost"]);
      assertOne(seen, ({ near, far }) => {
        assert.ok(near.latency_us >= RTO_US && far.latency_us < RTO_US / 2);
        assert.deepEqual([near.cause, near.flags], ["retransmission", ["retransmission"]]);
        assert.deepEqual(near.retransmission, { direction: "request", by: "timeout", times: 1 });
        assert.deepEqual([far.cause, far.retransmit_us, far.retransmission], ["server", 0, null]);
      });
      findNear(seen, "retransmission", ({ near, far }) => [near.retransmit_us, near.latency_us - far.latency_us]);
    }));

  it("a lost response likewise, with the server's work beside it; the server's record is told before anyone can know", () =>
    inCalm(async () => {
      // So long that the request is acknowledged by itself: else the client sends that again, too.
      const seen = await several(drop("toClient", 1), spin(2 * SPIN_US));
      assertOne(seen, ({ near, far }) => {
        assert.ok(near.latency_us >= RTO_US + 2 * SPIN_US);
        assert.equal(near.cause, "retransmission");
        assert.deepEqual(near.retransmission, { direction: "response", by: "timeout", times: 1 });
        assert.deepEqual([far.cause, far.retransmit_us], ["server", 0]);
      });
      findNear(seen, "retransmission", ({ near, far }) => [near.retransmit_us, near.latency_us - far.latency_us]);
    }));

  it("a response lost before its request was acknowledged: the client sends that again, in vain", () =>
    inCalm(async () => {
      const seen = await several(drop("toClient", 1), ["GET", "lost"]);
      assertOne(seen, ({ near, far }) => {
        assert.deepEqual([near.cause, far.cause, far.retransmit_us], ["retransmission", "server", 0]);
      });
      const lost = ({ near, far }: Seen) => near.latency_us - near.rtt_us! - far.latency_us;
      assert.ok(
        seen.some((of) => of.near.retransmit_us >= 0.9 * lost(of)),
        text(seen.map((of) => [of.near.retransmit_us, lost(of)])),
      );
    }));

  for (const [where, nth] of [
    ["middle", 2],
    ["end", 4],
  ] as const) {
    it(`a lost segment at the ${where} of a request, on both sides`, () =>
      inCalm(async () => {
        const seen = await several(drop("toServer", nth), ["SET", "k", FOUR_SEGMENTS]);
        for (const side of ["near", "far"] as const) {
          assertOne(seen, (of) => {
            const { cause, retransmission, retransmit_us } = of[side];
            assert.deepEqual([cause, retransmission?.direction], ["retransmission", "request"], text(of));
            assertNear(retransmit_us, of.far.send_us, side);
          });
        }
      }));

    it(`a lost segment at the ${where} of a response; the server's record is told before`, () =>
      inCalm(async () => {
        const seen = await several(drop("toClient", nth), ["GET", "four"]);
        assertOne(seen, ({ near, far }) => {
          assert.deepEqual([near.cause, near.retransmission?.direction], ["retransmission", "response"], text(near));
          assert.deepEqual([far.cause, far.retransmit_us], ["server", 0]);
        });
        // From the first segment on, which both saw: a busy machine's way there and back is in neither.
        findNear(seen, "retransmission", ({ near, far }) => [near.retransmit_us, near.receive_us - far.receive_us]);
      }));
  }

  it("a long line is the network's for the client, and nobody's for the server; a script on it is the server's", () =>
    inCalm(async () => {
      await network.policy({ rules: [], wayMs: 5 });
      const seen = await told(async (referee) => {
        for (let i = 0; i < 20; i++) await referee.ask("GET", `far:${i}`);
        for (let i = 0; i < TIMES; i++) await referee.ask(...spin(SPIN_US));
      });
      await network.policy({ rules: [] });
      const gets = seen.slice(0, -TIMES);
      const calm = gets.toSorted((a, b) => a.near.latency_us - b.near.latency_us).slice(0, gets.length / 2);
      assertOne(calm, ({ near, far }) => assert.deepEqual([near.cause, far.cause], ["network", "server"]));
      for (const { near, far } of calm) {
        for (const { rtt_us } of [near, far]) assert.ok(rtt_us! >= 10_000, `round trip ${rtt_us}`);
      }
      for (const side of ["near", "far"] as const) {
        const shortest = Math.min(...calm.map((of) => of[side].rtt_us!));
        const quickest = Math.min(...calm.map((of) => of.near.latency_us));
        assert.ok(shortest <= quickest + 2000, `round trip ${shortest}, and ${quickest} with the server's part`);
      }
      findNear(calm, "network", ({ near, far }) => [near.cause_us, near.latency_us - far.latency_us]);
      const scripts = seen.slice(-TIMES);
      assertOne(scripts, ({ near, far }) => assert.deepEqual([near.cause, far.cause], ["server", "server"]));
      // What a busy machine's line took longer than the round trip known, no client can tell from the server's part.
      const longer = ({ near, far }: Seen) => near.latency_us - far.latency_us - near.rtt_us!;
      findNear(scripts, "the server's part at the client", (of) => [of.near.server_us, of.far.latency_us + longer(of)]);
    }));

  it("a script is the server's on both sides, as long as by its own clock", () =>
    inCalm(async () => {
      const seen = await several({ rules: [] }, spin(SPIN_US));
      assertOne(seen, ({ near, far }) => {
        for (const { cause, cause_us, server_us } of [near, far])
          assert.deepEqual([cause, cause_us], ["server", server_us]);
      });
      for (const side of ["near", "far"] as const)
        findNear(seen, side, (of) => [of[side].server_us, Number.parseInt(of.reply.slice(1), 10)]);
    }));

  it("what was pipelined behind a lost request waited for that: since it was sent, and since it arrived", () =>
    inCalm(async () => {
      const seen = await told(async (referee) => {
        for (let i = 0; i < 20; i++) await referee.ask("GET", `quick:${i}`);
        // The second segment tells the client that the first is missing; the copy is lost, too.
        await network.policy(drop("toServer", 1, 3));
        const lost = referee.ask("GET", "lost");
        await new Promise((resolve) => setTimeout(resolve, 5));
        await Promise.all([lost, referee.ask("GET", "behind")]);
        await network.policy({ rules: [] });
      });
      const [lost, behind] = seen.slice(-2) as [Seen, Seen];
      for (const { cause, retransmission } of [behind.near, behind.far])
        assert.deepEqual([cause, retransmission?.direction], ["retransmission", "request"], text(behind));
      const cameUs = startUs(lost.near) + lost.near.retransmit_us;
      assertNear(behind.near.retransmit_us, cameUs - startUs(behind.near), "since it was sent");
      assertNear(behind.far.retransmit_us, startUs(lost.far) - startUs(behind.far), "since it arrived");
    }));

  it("what was pipelined behind a script waited for that", () =>
    inCalm(async () => {
      const seen = await told(async (referee) => {
        await referee.ask("GET", "first");
        await referee.pipeline([spin(SPIN_US), ["GET", "queued"]]);
      });
      const [, script, queued] = seen as [Seen, Seen, Seen];
      for (const side of ["near", "far"] as const) {
        const { cause, cause_us, queue_us, behind } = queued[side];
        assert.deepEqual([script[side].cause, cause], ["server", "queue"]);
        assert.deepEqual([behind?.id, behind?.command, behind?.elsewhere], [script[side].id, "EVAL", undefined]);
        const networkUs = side === "near" ? queued.near.rtt_us! : 0;
        assert.equal(cause_us, queue_us - networkUs);
        assertNear(behind!.us, script[side].wait_us, "behind the script");
      }
    }));

  it("what waited for another connection's script names it", () =>
    inCalm(async () => {
      let [busy, victim] = [] as unknown as [Referee, Referee];
      const views = await watch(network, [redis.port], async () => {
        [busy, victim] = [await Referee.connect(network, redis), await Referee.connect(network, redis)];
        await busy.ask("GET", "a");
        await victim.ask("GET", "b");
        // The server reads its connections in the order in which they became readable.
        const script = busy.ask(...spin(2 * SPIN_US));
        await new Promise((resolve) => setTimeout(resolve, 5));
        await Promise.all([script, victim.ask("GET", "victim")]);
        return busy.asked.length + victim.asked.length;
      });
      await busy.client.close();
      await victim.client.close();
      const [script, waited] = [seenOf(views, busy)[1]!, seenOf(views, victim)[1]!];
      for (const side of ["near", "far"] as const) {
        const { cause, behind, latency_us } = waited[side];
        assert.deepEqual([cause, behind?.id, behind?.command], ["server", script[side].id, "EVAL"]);
        assert.equal(behind?.elsewhere, true);
        assertNear(behind.us, latency_us, "behind the script");
        assert.equal(script[side].behind, null);
      }
    }));

  it("a reader without room is told from a slow server: receive, and how long the window was closed", () =>
    inCalm(async () => {
      const seen = await told(async (referee) => {
        await referee.ask("GET", "first");
        await network.policy({ rules: [], closedWindow: { way: "toServer", ms: PAUSE_MS, after: 3 } });
        await referee.ask("GET", "large");
      });
      await network.policy({ rules: [] });
      const { near, far } = seen[1]!;
      for (const { cause, cause_us, latency_us } of [near, far]) {
        assert.equal(cause, "receive");
        assert.ok(cause_us <= latency_us && cause_us >= 0.9 * PAUSE_MS * 1000, `${cause_us} of ${latency_us}`);
      }
      assert.ok(
        far.zero_window_us >= 0.9 * PAUSE_MS * 1000 && far.zero_window_us <= far.latency_us,
        `${far.zero_window_us}`,
      );
      // What closed it is the line's doing: the client's own segments offered one.
      assert.equal(near.zero_window_us, 0);
    }));

  it("an upload for which there is no room: send, and how long the window was closed", () =>
    inCalm(async () => {
      const seen = await told(async (referee) => {
        await referee.ask("GET", "first");
        await network.policy({ rules: [], closedWindow: { way: "toClient", ms: PAUSE_MS } });
        await referee.ask("SET", "k", LARGE);
      });
      const { near, far } = seen[1]!;
      for (const { cause, cause_us, latency_us } of [near, far]) {
        assert.equal(cause, "send");
        assert.ok(cause_us <= latency_us && cause_us >= latency_us / 2, `${cause_us} of ${latency_us}`);
      }
      assert.ok(
        near.zero_window_us >= PAUSE_MS * 900 && near.zero_window_us <= near.latency_us,
        `${near.zero_window_us}`,
      );
      // What closed it is the line's doing: the server's own segments offered one.
      assert.equal(far.zero_window_us, 0);
    }));
});
