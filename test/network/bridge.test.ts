import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  connectNamespaces,
  enter,
  ipIn,
  makeNamespace,
  namespaceObstacle,
  sentAgainIn,
} from "../support/namespaces.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { type RealServer, startRedis } from "../support/servers.ts";
import { type JsonRecord, NO_PORTS, Tcplat, total, violations } from "../support/tcplat.ts";

const skip = namespaceObstacle("redis-server") ?? false;

const SERVER = "10.214.0.2";
const REQUESTS = 200;
/** A frame is stamped at every port it passes, each time a little later. */
const PASSAGE_US = 2_000;

let host: string;
let client: string;
let server: string;
let redis: RealServer;

/** A host with two containers on a bridge that also looks at what passes it: each frame shows at three interfaces. */
before(async () => {
  if (skip !== false) return;
  [host, client, server] = [makeNamespace("host"), makeNamespace("container1"), makeNamespace("container2")];
  ipIn(host, "link", "add", "bridge0", "type", "bridge");
  ipIn(host, "link", "set", "bridge0", "up", "promisc", "on");
  for (const [container, port, address] of [
    [client, "port1", "10.214.0.1"],
    [server, "port2", SERVER],
  ] as const) {
    connectNamespaces(host, port, container, "eth0");
    ipIn(host, "link", "set", port, "master", "bridge0");
    ipIn(container, "address", "add", `${address}/24`, "dev", "eth0");
  }
  redis = await startRedis({ namespace: server, host: SERVER });
  enter(client);
});
after(() => redis?.stop());

describe("-i any on a host with a bridge, where each segment is seen three times", { skip }, () => {
  it("tells the same as one interface, and counts the copies as duplicates", async () => {
    const capture = (device: string) =>
      Tcplat.capturing(["-i", device, "--json", ...NO_PORTS, "tcp", "port", `${redis.port}`], { namespace: host });
    const [any, one] = await Promise.all([capture("any"), capture("port1")]);
    const asker = await RawClient.connect(redis.port, respReplyEnd, SERVER);
    const sentAgain = () => sentAgainIn(client) + sentAgainIn(server);
    const beforeData = sentAgain();
    for (let i = 0; i < REQUESTS; i++)
      await asker.ask(i % 2 ? resp("GET", `k${i - 1}`) : resp("SET", `k${i}`, "v".repeat(i * 40)));
    await asker.send(resp("INCR", "n").repeat(REQUESTS), REQUESTS);
    const withData = sentAgain() - beforeData;
    await asker.close();
    for (const tcplat of [any, one]) await tcplat.transactions(REQUESTS * 2);
    for (const tcplat of [any, one]) await tcplat.stop();

    assert.deepEqual(any.records.map(withoutTimes), one.records.map(withoutTimes));
    const differences = any.records.map((record, i) => Math.abs(record.latency_us - one.records[i]!.latency_us));
    // A busy machine may take a pause between two ports, now and then.
    const usual = differences.toSorted((a, b) => a - b)[Math.floor(0.9 * differences.length)]!;
    assert.ok(usual < PASSAGE_US, `${usual} µs between the ports`);
    for (const name of [
      "requests",
      "responses",
      "request_bytes",
      "response_bytes",
      "connections",
      "tcp_retransmitted_segments",
    ])
      assert.equal(total(any.summary, name), total(one.summary, name), name);
    for (const name of ["tcp_gaps", "parser_errors", "unmatched_responses"])
      assert.equal(total(any.summary, name), 0, name);
    // A machine that pauses for longer than TCP's patience makes it send again what was not lost: no other segment is told so.
    // (A FIN may be sent again when the captures have ended.)
    const told = total(one.summary, "tcp_retransmitted_segments");
    assert.ok(
      told <= sentAgain() && (told > 0 || withData === 0),
      `${told} told, ${sentAgain()} sent again, with data ${withData}`,
    );
    const frames = total(one.summary, "capture_frames");
    assert.equal(total(one.summary, "capture_duplicate_frames"), 0);
    assert.equal(total(any.summary, "capture_frames"), frames * 3);
    assert.equal(total(any.summary, "capture_duplicate_frames"), frames * 2);
    assert.deepEqual([violations(any.summary), violations(one.summary)], [[], []]);
  });
});

/** What does not depend on where a frame was stamped. */
function withoutTimes(record: JsonRecord) {
  const { id, client, server, command, summary, status, request_bytes, response_bytes, flags, side } = record;
  return { id, client, server, command, summary, status, request_bytes, response_bytes, flags, side };
}
