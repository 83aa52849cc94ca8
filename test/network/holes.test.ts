import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DEVICE, Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";
import { Referee, type Words } from "./vantage.ts";

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

const CLIENTS = 6;
const ROUNDS = 150;

/**
 * A capture that misses one packet in 16: by its IPv4 identification (RFC 791 §3.1), which each sender counts up, so that the filter
 * swallows what a full ring would.
 */
function missing(remainder: number): string[] {
  return `and not (ip[4:2] & 15 = ${remainder})`.split(" ");
}

describe("a capture that misses packets its neighbour sees", { skip }, () => {
  for (const depth of [1, 10]) {
    it(`${depth} requests at once: whatever it pairs is a true pair, and the rest is accounted for`, async () => {
      const capture = (...more: readonly string[]) => {
        const words = ["-i", DEVICE, "--json", "-p", "redis", ...NO_PORTS, "tcp", "port", `${redis.port}`, ...more];
        return Tcplat.capturing(words, { namespace: network.client });
      };
      const [whole, ...holed] = await Promise.all([capture(), capture(...missing(3)), capture(...missing(12))]);
      const referees = await Promise.all(Array.from({ length: CLIENTS }, () => Referee.connect(network, redis)));
      await Promise.all(referees.map((referee, c) => askAll(referee, c, depth)));
      await whole!.transactions(CLIENTS * ROUNDS);
      for (const { client } of referees) await client.close();
      for (const tcplat of [whole!, ...holed]) await tcplat.stop();

      assert.equal(total(whole!.summary, "tcp_gaps"), 0);
      const truth = new Map(whole!.records.map((record) => [nameOf(record), record]));
      for (const { records, summary } of holed) {
        assert.deepEqual(violations(summary), []);
        assert.ok(total(summary, "tcp_gaps") > 0);
        const paired = records.filter(({ status }) => status !== "unanswered");
        const exact = paired.filter((record) => assertPair(record, truth));
        const late = paired.filter((record) => isLate(record, truth));
        assert.ok(late.length <= 0.02 * paired.length, `${late.length} of ${paired.length} are late`);
        assert.ok(exact.length > 0.8 * paired.length, `${exact.length} of ${paired.length} times are exact`);
        assert.ok(paired.length > (depth === 1 ? 0.6 * truth.size : 0), `${paired.length} pairs of ${truth.size}`);
        assert.ok(records.filter(({ error }) => error === "gap").length === total(summary, "unanswered_requests"));
      }
    });
  }
});

async function askAll(referee: Referee, client: number, depth: number): Promise<void> {
  for (let i = 0; i < ROUNDS; i += depth)
    await referee.pipeline(Array.from({ length: depth }, (_, k) => request(client, i + k)));
}

/** No two are alike, so that a pair that is not true is seen as such. */
function request(client: number, i: number): Words {
  const key = `k${client}.${i - (i % 3)}`;
  if (i % 3 === 0) return ["SET", key, "v".repeat((i * 577) % 3000)];
  return i % 3 === 1 ? ["GET", key] : ["GETRANGE", key, 1, -1];
}

/** A client whose request or response was lost, or that believes so, has waited and sent again, or acknowledged, by then. */
const PATIENCE_MS = 60;

/**
 * The right request with the right response. Whether a segment seen is the first copy, or one that TCP sent again because an acknowledgement
 * was late, a capture that missed the first cannot know: then times are a little later than true. Returns whether they are exact.
 */
function assertPair(record: JsonRecord, truth: ReadonlyMap<string, JsonRecord>): boolean {
  const name = nameOf(record);
  const known = truth.get(name);
  assert.ok(known !== undefined, `no request ${name}`);
  assert.deepEqual([record.status, record.error], [known.status, known.error], name);
  if (!record.flags.includes("gap")) assert.equal(record.response_bytes, known.response_bytes, name);
  assert.ok(record.start >= known.start && record.end >= known.start, name);
  return record.start === known.start && record.end === known.end;
}

/** Later than TCP makes it, where the machine is not busy. */
function isLate(record: JsonRecord, truth: ReadonlyMap<string, JsonRecord>): boolean {
  const known = truth.get(nameOf(record))!;
  const lateMs = (seen: string, real: string): number => Date.parse(seen) - Date.parse(real);
  return Math.max(lateMs(record.start, known.start), lateMs(record.end, known.end)) > PATIENCE_MS;
}

/** Unique: no client asks for the same twice. */
function nameOf({ client, summary }: JsonRecord): string {
  return `${client} ${summary}`;
}
