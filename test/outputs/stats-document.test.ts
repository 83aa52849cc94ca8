import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { STATS_LABELS, statsDocument } from "../../src/outputs/stats-document.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { BLPOP, CACHE, GET, stages, transaction } from "../aggregate/fixtures.ts";

function document(transactions: readonly Transaction[]): string {
  const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
  for (const of of transactions) {
    aggregate.service(of.server, of.protocol).requested(of.commandId, of.requestBytes, true, 1);
    if (of.unanswered === "") aggregate.service(of.server, of.protocol).answered(of);
    else aggregate.service(of.server, of.protocol).unanswered(of);
  }
  return statsDocument(aggregate.snapshot(stages()));
}

describe("the stats document", () => {
  it("has tcpkit's shape, spacing and labels", () => {
    const transactions = [100, 101, 200, 500, 20_000_001].map((latencyUs) => transaction({ latencyUs }));
    const expected = `{
\t"192.168.0.2:6379":\t{
\t\t"requests":\t5, "request_bytes":\t155, "responses":\t5, "response_bytes":\t25,
\t\t"latency":\t[{"<0.1ms":\t1}, {"0.1ms~0.2ms":\t2}, {"0.2~0.5ms":\t1}, {"+inf":\t1}],
`;
    const text = document(transactions);
    assert.equal(text.slice(0, expected.length), expected);
    assert.ok(text.endsWith("\n\t}\n}\n"));
  });

  it("tells no server that has only the round trips of connections whose server is not known", () => {
    const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
    aggregate.roundTrip({ id: 0, text: "other" }, 55);
    assert.equal(statsDocument(aggregate.snapshot(stages())), "{\n}\n");
  });

  it("puts every time under tcpkit's label, upper bounds inclusive", () => {
    const labels =
      "<0.1ms 0.1ms~0.2ms 0.2~0.5ms 0.5ms~1ms 1ms~5ms 5ms~10ms 10ms~20ms 20ms~50ms 50ms~100ms 100ms~200ms " +
      "200ms~500ms 0.5s~1s 1s~2s 2s~3s 3s~5s 5s~10s 10s~20s +inf";
    assert.equal(STATS_LABELS.join(" "), labels);
    const bounds = [100, 200, 500, 1e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 3e6, 5e6, 1e7, 2e7];
    for (const [index, bound] of bounds.entries()) {
      for (const [latencyUs, label] of [
        [bound, STATS_LABELS[index]!],
        [bound + 1, STATS_LABELS[index + 1]!],
      ] as const) {
        const { latency } = JSON.parse(document([transaction({ latencyUs })]))["192.168.0.2:6379"];
        assert.deepEqual(latency, [{ [label]: 1 }], `${latencyUs} µs`);
      }
    }
    for (const latencyUs of [0, 10, 11, 50, 51]) {
      const { latency } = JSON.parse(document([transaction({ latencyUs })]))["192.168.0.2:6379"];
      assert.deepEqual(latency, [{ "<0.1ms": 1 }], `${latencyUs} µs`);
    }
  });

  it("tells each server's protocol, side, errors, quantiles, classes and commands", () => {
    const text = document([
      transaction({ latencyUs: 1102 }),
      transaction({ latencyUs: 2000, errorId: 1 }),
      transaction({ commandId: BLPOP, class: TransactionClass.blocking, latencyUs: 9_000_000 }),
      transaction({ unanswered: "reset" }),
    ]);
    const { latency, ...more } = JSON.parse(text)["192.168.0.2:6379"];
    assert.deepEqual(latency, [{ "1ms~5ms": 2 }]);
    const { p50_ms: p50, ...exact } = more;
    assert.ok(Math.abs(p50 - 1.102) < 0.011);
    assert.deepEqual(exact, {
      requests: 4,
      request_bytes: 124,
      responses: 3,
      response_bytes: 15,
      protocol: "redis",
      side: "client",
      errors: 1,
      unanswered: 1,
      pending: 0,
      no_reply: 0,
      unmatched: 0,
      pushes: 0,
      p90_ms: 2,
      p99_ms: 2,
      p999_ms: 2,
      max_ms: 2,
      rtt_ms: null,
      server_ms: null,
      connect_ms: null,
      lost_seconds: { server: 0, network: 0, retransmission: 0, queue: 0, send: 0, receive: 0, unknown: 0.003_102 },
      classes: { blocking: 1 },
      commands: {
        SET: { count: 3, errors: 1, p50_ms: p50, p99_ms: 2, max_ms: 2 },
        BLPOP: { count: 1, errors: 0, p50_ms: null, p99_ms: null, max_ms: null },
      },
    });
  });

  it("tells what requests take in the server, of those whose way is known", () => {
    const text = document([
      transaction({ latencyUs: 1000, toServerUs: 400 }),
      transaction({ latencyUs: 1000, toServerUs: 200 }),
      transaction({ latencyUs: 90_000, toServerUs: -1 }),
    ]);
    const { server_ms, lost_seconds } = JSON.parse(text)["192.168.0.2:6379"];
    assert.equal(server_ms, 0.7);
    assert.deepEqual([lost_seconds.server, lost_seconds.unknown], [0.0014, 0.09]);
  });

  it("tells the commands of two protocols on one server apart", () => {
    const text = document([transaction({ commandId: GET }), transaction({ protocol: CACHE, commandId: GET })]);
    const { protocol, commands } = JSON.parse(text)["192.168.0.2:6379"];
    assert.equal(protocol, "memcached,redis");
    assert.deepEqual(Object.keys(commands), ["memcached.get", "redis.GET"]);
  });

  it("is valid JSON before anything was seen", () => {
    assert.deepEqual(JSON.parse(document([])), {});
  });
});
