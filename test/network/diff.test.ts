import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type DiffRequest, diffJson, type Told } from "../diff/two-hosts.ts";
import { DEVICE, Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { atMostUs } from "../support/raw-client.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { NO_PORTS, Tcplat } from "../support/tcplat.ts";
import { assertOne, inCalm } from "../support/tries.ts";
import type { Policy } from "./policy.ts";
import { Referee, type Words } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

/** Keeps the server busy for so long, and answers how long it was, by its own clock. */
const SPIN = `local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local start = now() while now() - start < tonumber(ARGV[1]) do end return now() - start`;
const SPIN_US = 60_000;
const DELAY_MS = 100;
/** Each request is made so often; the quickest was hindered least by a busy machine, whose delays are the network's, too. */
const TIMES = 4;
/** What a share may be off: 5 %, or 0.2 ms. */
const off = (us: number): number => Math.max(0.05 * us, 200);
/** The smallest time-out after which Linux sends again (`net/tcp.h`, TCP_RTO_MIN), in µs. */
const RTO_US = 200_000;

let network: Network;
let redis: RealServer;
let folder: string;
before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "tcplat-diff-"));
  network = await Network.make();
  redis = await startRedis({ namespace: network.server, host: network.serverAddress });
});
after(async () => {
  await redis?.stop();
  await network?.remove();
  if (skip === false) rmSync(folder, { recursive: true });
});

/** Files of both hosts, and what the client asked. */
interface Recorded extends Record<"pcap" | "json", readonly [string, string]> {
  readonly asked: Referee["asked"];
}

/** Both hosts' captures and records while requests are made, each under its own policy. */
async function record(steps: readonly (readonly [Policy, Words])[]): Promise<Recorded> {
  const captures = ["client.pcap", "server.pcap"].map((name) => join(folder, name)) as [string, string];
  const both = await Promise.all(
    [network.client, network.server].map((namespace, side) => {
      const words = ["-i", DEVICE, "--json", ...NO_PORTS, "-w", captures[side]!, "tcp", "port", `${redis.port}`];
      return Tcplat.capturing(words, { namespace });
    }),
  );
  const referee = await Referee.connect(network, redis);
  for (let i = 0; i < 30; i++) await referee.ask("GET", `quick:${i}`);
  for (const [policy, words] of steps) {
    await network.policy(policy);
    for (let i = 0; i < TIMES; i++) await referee.ask(...words);
  }
  await network.policy({ rules: [] });
  await Promise.all(both.map((tcplat) => tcplat.transactions(referee.asked.length)));
  await referee.client.close();
  await Promise.all(both.map((tcplat) => tcplat.stop()));
  const records = captures.map((name, side) => {
    const path = name.replace("pcap", "json");
    writeFileSync(path, both[side]!.stdout);
    return path;
  }) as [string, string];
  return { pcap: captures, json: records, asked: referee.asked };
}

/** The quickest of those with this summary. */
function requestOf(told: Told, summary: string): DiffRequest {
  const found = told.requests.filter((each) => each.summary === summary && each.seen === "both");
  assert.equal(found.length, TIMES, summary);
  return found.toSorted((a, b) => a.client_us! - b.client_us!)[0]!;
}

function assertNear(us: number | null, expectedUs: number, what: string): void {
  assert.ok(us !== null && Math.abs(us - expectedUs) <= off(expectedUs), `${what}: ${us} µs, not about ${expectedUs}`);
}

describe("tcplat diff of two hosts", { skip }, () => {
  it("tells a slow network from a slow server, and the way there from the way back", () =>
    inCalm(async () => {
      const delay = (way: "toServer" | "toClient"): Policy => ({ rules: [{ action: "delay", way, ms: DELAY_MS }] });
      const files = await record([
        [delay("toServer"), ["GET", "there"]],
        [delay("toClient"), ["GET", "back"]],
        [{ rules: [] }, ["EVAL", SPIN, 0, SPIN_US]],
        [{ rules: [{ action: "drop", way: "toServer", nth: [1] }] }, ["GET", "lost"]],
        [{ rules: [{ action: "drop", way: "toClient", nth: [1] }] }, ["GET", "lost-reply"]],
      ]);
      for (const pair of [files.pcap, files.json]) {
        const told = await diffJson(...pair);
        assert.deepEqual([told.status, told.summary.joined, told.requests.length], [0, 30 + 5 * TIMES, 30 + 5 * TIMES]);
        const { clock } = told.summary;
        assert.ok(Math.abs(clock!.offset_us) <= clock!.uncertainty_us + 1, `one clock, and ${JSON.stringify(clock)}`);
        assert.ok(clock!.is_steady);
        assert.equal(clock!.drift_ppm, 0);
        const there = requestOf(told, "GET there");
        assertNear(there.network_us, DELAY_MS * 1000, "network");
        assertNear(there.there_us, DELAY_MS * 1000, "way there");
        const back = requestOf(told, "GET back");
        assertNear(back.network_us, DELAY_MS * 1000, "network");
        assertNear(back.back_us, DELAY_MS * 1000, "way back");
        const spins = told.requests.filter(({ command }) => command === "EVAL");
        const asked = files.asked.filter(({ summary }) => summary.startsWith("EVAL"));
        assert.deepEqual([spins.length, asked.length], [TIMES, TIMES]);
        const spun = spins.map((spin, i) => ({ spin, us: Number.parseInt(asked[i]!.measured.reply.slice(1), 10) }));
        for (const [i, { spin, us }] of spun.entries()) {
          assert.ok(spin.server_us! >= us && us >= SPIN_US, `${spin.server_us} µs at the server, which spun for ${us}`);
          assert.ok(spin.client_us! <= atMostUs(asked[i]!.measured.us), "the client itself waited no longer");
        }
        const calmest = spun.toSorted((x, y) => x.spin.server_us! - x.us - (y.spin.server_us! - y.us))[0]!;
        assertNear(calmest.spin.server_us, calmest.us, "server");
        for (const name of ["GET lost", "GET lost-reply"]) {
          const found = told.requests.filter(({ summary }) => summary === name);
          assertOne(found, ({ client_us, network_us }) => {
            assert.ok(network_us! >= RTO_US && client_us! - network_us! <= off(client_us!), `${name}: ${network_us}`);
          });
        }
      }
    }));
});
