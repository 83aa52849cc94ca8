import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Network } from "../support/forwarder.ts";
import { namespaceObstacle } from "../support/namespaces.ts";
import { atMostUs, resp } from "../support/raw-client.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { total } from "../support/tcplat.ts";
import { connectFrom, Referee, type Views, watch } from "./vantage.ts";

const skip = namespaceObstacle("redis-server") ?? false;

let network: Network;
let primary: RealServer;
let replica: RealServer | null = null;
before(async () => {
  if (skip !== false) return;
  network = await Network.make();
  // Slow enough that whatever is paired wrongly is seen at once.
  await network.policy({ rules: [{ action: "delay", way: "both", ms: 3 }] });
  const words = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];
  primary = await startRedis({ namespace: network.server, host: network.serverAddress, words });
});
after(async () => {
  await stopReplica();
  await primary?.stop();
  await network?.remove();
});

/** On the client's host; resolves once it has the primary's data. */
async function startReplica(): Promise<void> {
  const words = ["--replicaof", primary.host, `${primary.port}`];
  replica = await startRedis({ namespace: network.client, host: network.clientAddress, words });
  const asker = await connectFrom(network.client, replica);
  while (!/master_link_status:up/.test((await asker.ask(resp("INFO", "replication"))).reply));
  await asker.close();
}

async function stopReplica(): Promise<void> {
  await replica?.stop();
  replica = null;
}

/** What a replica asks that is answered (redis.io, PSYNC). */
const HANDSHAKE = ["PING normal ok", "REPLCONF connect ok", "REPLCONF connect ok", "PSYNC stream ok"];

const WRITES = 100;

/** Writes, and resolves once the replica has it all; returns the number of requests. */
async function write(client: Referee): Promise<number> {
  for (let i = 0; i < WRITES; i++) await client.ask("SET", `k${i}`, "v".repeat(i * 20));
  await client.ask("WAIT", "1", "5000");
  return WRITES + 1;
}

/** Until the replica has acknowledged by itself, as it does each second, and the primary has sent PINGs. */
function someSeconds(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2300));
}

/** Both hosts tell of the client's requests, and of these of the replica; whatever else the link carries is no pair. */
function assertPaired(views: Views, client: Referee, pairs: readonly string[]): void {
  for (const { records, summary } of [views.client, views.server]) {
    const others = records.filter((record) => record.client !== client.client.endpoint);
    assert.deepEqual(
      others.map((record) => `${record.command} ${record.class} ${record.status}`),
      pairs,
    );
    // Paired with the acknowledgement that a replica sends each second, a request would take longer than its client waited.
    const own = records.filter((record) => record.client === client.client.endpoint);
    const asked = client.asked.slice(-own.length);
    for (const [i, { latency_us, command, summary: what }] of own.entries()) {
      assert.equal(command, asked[i]!.summary.split(" ")[0]);
      assert.ok(latency_us <= atMostUs(asked[i]!.measured.us), what);
    }
    assert.equal(total(summary, "responses"), WRITES + 1 + pairs.length);
    assert.equal(total(summary, "unanswered_requests") + total(summary, "unmatched_responses"), 0);
    // A link captured from its middle is followed once its requests' beginnings are proven: perhaps not at once.
    if (pairs.length > 0) assert.ok(total(summary, "no_reply_requests") >= 2, "REPLCONF ACK, each second");
  }
}

describe("replication between two hosts", { skip }, () => {
  for (const [name, isDiskless] of [
    ["a dump of known length", "no"],
    ["a dump whose end is marked", "yes"],
  ] as const) {
    it(`from its start, with ${name}: only the handshake has answers`, async () => {
      const client = await Referee.connect(network, primary);
      await client.ask("CONFIG", "SET", "repl-diskless-sync", isDiskless);
      await client.ask("SET", "large", "v".repeat(300_000));
      const views = await watch(network, [primary.port], async () => {
        await startReplica();
        const writes = await write(client);
        await someSeconds();
        return HANDSHAKE.length + writes;
      });
      assertPaired(views, client, HANDSHAKE);
      await client.client.close();
      await stopReplica();
    });
  }

  it("from its middle: nothing is paired, and nothing is late", async () => {
    await startReplica();
    const client = await Referee.connect(network, primary);
    await write(client);
    const views = await watch(network, [primary.port], async () => {
      const writes = await write(client);
      await someSeconds();
      return writes;
    });
    assertPaired(views, client, []);
    await client.client.close();
    await stopReplica();
  });

  it("from its middle, where no port tells who is who, and the primary speaks first", async () => {
    await startReplica();
    // On the primary's own host, so that neither capture sees more than the link.
    const client = await connectFrom(network.server, primary);
    const views = await watch(network, [], async () => {
      for (let i = 0; i < WRITES; i++) await client.ask(resp("SET", `k${i}`, i));
      await someSeconds();
      await client.ask(resp("WAIT", "1", "5000"));
      return 0;
    });
    for (const view of [views.client, views.server]) {
      assert.deepEqual(view.records, []);
      assert.equal(total(view.summary, "responses"), 0);
      assert.equal(total(view.summary, "unanswered_requests") + total(view.summary, "unmatched_responses"), 0);
    }
    await client.close();
    await stopReplica();
  });
});
