import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { identities, sum, totals } from "../../src/aggregate/counters.ts";
import { Histogram } from "../../src/aggregate/histogram.ts";
import { COMMAND_CAPACITY } from "../../src/aggregate/series.ts";
import type { Snapshot } from "../../src/aggregate/snapshot.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import type { Connect, ServerRef, Transaction } from "../../src/transactions/transaction.ts";
import { Flag, UNANSWERED_REASONS, UNMATCHED_REASONS } from "../../src/transactions/transaction.ts";
import { BLPOP, CACHE, GET, KV, SERVER, SET, START_US, stages, tell, transaction } from "./fixtures.ts";

const OTHER_SERVER: ServerRef = { id: 0, text: "other" };

function quiet(thresholdUs: number | null = null): Aggregate {
  return new Aggregate({ thresholdUs, outputs: [] });
}

/** The latencies, or for unanswered ones the waits, that are printed of these transactions. */
function printed(thresholdUs: number | null, transactions: readonly Transaction[]): number[] {
  const times: number[] = [];
  const output = { transaction: (of: Transaction) => times.push(of.unanswered === "" ? of.latencyUs : of.waitedUs) };
  const aggregate = new Aggregate({ thresholdUs, outputs: [output] });
  for (const of of transactions) {
    aggregate.service(of.server, of.protocol).requested(of.commandId, of.requestBytes, true, 1);
    if (of.unanswered === "") aggregate.service(of.server, of.protocol).answered(of);
    else aggregate.service(of.server, of.protocol).unanswered(of);
  }
  assert.deepEqual(identities(aggregate.snapshot(stages())), []);
  return times;
}

function request(aggregate: Aggregate, of: Transaction): void {
  aggregate.service(of.server, of.protocol).requested(of.commandId, of.requestBytes, true, 1);
  aggregate.service(of.server, of.protocol).answered(of);
}

describe("an aggregate", () => {
  it("tells of a connection that was made as it was then, though that is told behind a long request, and another has its object by then", () => {
    const told: string[] = [];
    const output = {
      transaction: (of: Transaction) => void told.push(`${of.latencyUs} µs`),
      connect: ({ client, serverEndpoint }: Connect) => void told.push(`${client.text} => ${serverEndpoint.text}`),
    };
    const aggregate = new Aggregate({ thresholdUs: 1000, outputs: [output] });
    request(aggregate, transaction({ latencyUs: 50_000, protocol: { ...KV, isSerial: true } }));
    const client = { text: "192.168.0.1:51138" };
    const serverEndpoint = { text: SERVER.text };
    const { connectionId, server, side } = transaction();
    const times = { endUs: START_US, latencyUs: 2000, synRetransmissions: 0, rttUs: null };
    aggregate.connected({ connectionId, client, serverEndpoint, server, side, protocol: "redis", ...times });
    client.text = "192.168.0.9:9";
    serverEndpoint.text = "192.168.0.8:8";
    assert.deepEqual(told, []);
    aggregate.advance(Number.POSITIVE_INFINITY);
    assert.deepEqual(told, ["50000 µs", "192.168.0.1:51138 => 192.168.0.2:6379"]);
  });

  it("counts a request and its response under server, protocol, command and class", () => {
    const aggregate = quiet();
    request(aggregate, transaction());
    request(aggregate, transaction({ errorId: 2, latencyUs: 90 }));
    request(aggregate, transaction({ protocol: CACHE, commandId: GET }));
    const [server] = aggregate.snapshot(stages()).servers;
    assert.equal(server?.side, "client");
    assert.equal(server?.latency.count, 3);
    const [memcached, redis] = server?.services ?? [];
    assert.equal(memcached?.requests, 1);
    assert.deepEqual(redis?.errors, { WRONGTYPE: 1 });
    assert.deepEqual([redis?.requestBytes, redis?.responseBytes], [62, 10]);
    assert.equal(redis?.wait.sumUs, 1192);
    const [set] = redis?.commands ?? [];
    assert.equal(set?.command, "SET");
    const [normal] = set?.classes ?? [];
    assert.deepEqual([normal?.class, normal?.ok, normal?.errors, normal?.latency.maxUs], ["normal", 1, 1, 1102]);
  });

  it("keeps classes that wait on purpose out of the server's latency and of the waits", () => {
    const aggregate = quiet(1000);
    request(aggregate, transaction({ commandId: BLPOP, class: TransactionClass.blocking, latencyUs: 5_000_000 }));
    const [server] = aggregate.snapshot(stages()).servers;
    assert.equal(server?.latency.count, 0);
    assert.equal(server?.services[0]?.wait.count, 0);
    assert.equal(sum(server!.services[0]!.slow), 0);
    assert.equal(server?.services[0]?.commands[0]?.classes[0]?.latency.maxUs, 5_000_000);
  });

  it("counts how long the first byte was waited for, whatever part of the latency that is", () => {
    const times = fc.tuple(
      fc.integer({ min: 0, max: 40_000_000 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.boolean(),
    );
    const property = fc.property(fc.array(times, { maxLength: 20 }), (answers) => {
      const aggregate = quiet();
      const expected = new Histogram();
      for (const [waitUs, receiveUs, isNormal] of answers) {
        const latencyUs = waitUs + (receiveUs % 3 === 0 ? 0 : receiveUs);
        if (isNormal) request(aggregate, transaction({ waitUs, latencyUs }));
        else request(aggregate, transaction({ waitUs, latencyUs, class: TransactionClass.blocking }));
        if (isNormal) expected.record(waitUs);
      }
      const waits = aggregate.snapshot(stages()).servers[0]?.services[0]?.wait;
      const { count, sumUs, buckets } = expected;
      if (answers.length > 0) assert.deepEqual(waits, { count, sumUs, buckets });
    });
    fc.assert(property);
  });

  it("counts an answer with a skewed clock, but not its time", () => {
    const aggregate = quiet(0);
    request(aggregate, transaction({ flags: Flag.clockSkew, latencyUs: 0 }));
    const [server] = aggregate.snapshot(stages()).servers;
    assert.equal(server?.services[0]?.answered, 1);
    assert.equal(sum(server!.services[0]!.slow), 0);
    assert.equal(server?.latency.count, 0);
  });

  it("counts as slow what is at least as long as the threshold", () => {
    const aggregate = quiet(1000);
    for (const latencyUs of [999, 1000, 1001]) request(aggregate, transaction({ latencyUs }));
    const [service] = aggregate.snapshot(stages()).servers[0]!.services;
    assert.deepEqual([service!.slow.unknown, sum(service!.slow)], [2, 2]);
  });

  it("takes a quiet command off the pending ones without a response", () => {
    const aggregate = quiet();
    aggregate.service(SERVER, CACHE).requested(GET, 10, true, 1);
    aggregate.service(SERVER, CACHE).settledSilently();
    aggregate.service(SERVER, CACHE).requested(GET, 10, false, 1);
    const snapshot = aggregate.snapshot(stages());
    assert.deepEqual(totals(snapshot), { answered: 0, noReply: 2, pending: 0, unanswered: 0, unmatched: 0, pushes: 0 });
  });

  it("lets commands beyond its capacity share their server's other, and says how many", () => {
    const names = Array.from({ length: COMMAND_CAPACITY + 50 }, (_, index) => `C${index}`);
    const wordy: Protocol = { ...KV, commands: ["other", ...names] };
    const aggregate = quiet();
    for (let id = 1; id <= names.length; id++) {
      for (let times = 0; times < 2; times++) request(aggregate, transaction({ protocol: wordy, commandId: id }));
    }
    const snapshot = aggregate.snapshot(stages({ serversLimited: 7 }));
    assert.deepEqual(snapshot.seriesLimited, { server: 7, command: 50 });
    const commands = snapshot.servers[0]?.services[0]?.commands ?? [];
    assert.equal(commands.find((command) => command.command === "other")?.requests, 100);
    assert.deepEqual(identities(snapshot), []);
  });

  it("is not changed by later transactions once a snapshot is taken", () => {
    const aggregate = quiet();
    request(aggregate, transaction());
    const before = aggregate.snapshot(stages());
    const text = JSON.stringify(before);
    request(aggregate, transaction());
    assert.equal(JSON.stringify(before), text);
  });
});

describe("what is printed", () => {
  const all = Object.values(TransactionClass);
  const waiting: Transaction[] = all.map((of) => transaction({ class: of, latencyUs: 3000 + of }));
  const given = all.map((of) => transaction({ class: of, unanswered: "closed", waitedUs: 4000 + of }));
  const { blocking, stream } = TransactionClass;

  it("is everything without a threshold", () => {
    assert.equal(printed(null, [...waiting, ...given, transaction({ latencyUs: 0 })]).length, 11);
  });

  it("is what reaches the threshold, but never what waits on purpose", () => {
    const times = printed(3000, [
      ...waiting,
      ...given,
      transaction({ latencyUs: 2999 }),
      transaction({ latencyUs: 3000 }),
    ]);
    for (const of of [blocking, stream]) assert.ok(!times.includes(3000 + of) && !times.includes(4000 + of));
    assert.equal(times.length, 7);
  });

  it("leaves out the unanswered that were given up before the threshold", () => {
    const unanswered = [2999, 3000].map((waitedUs) => transaction({ unanswered: "reset", waitedUs }));
    assert.deepEqual(printed(3000, unanswered), [3000]);
  });
});

describe("the identities", () => {
  const servers = [OTHER_SERVER, SERVER, { id: 5, text: "[::1]:11211" }];
  const event = fc.record({
    kind: fc.constantFrom("request", "silent request", "answer", "settle", "give up", "push", "unmatched"),
    server: fc.constantFrom(...servers),
    protocol: fc.constantFrom(KV, CACHE),
    commandId: fc.constantFrom(0, 1),
    errorId: fc.constantFrom(-1, 0, 1),
    class: fc.constantFrom(...Object.values(TransactionClass)),
    reason: fc.constantFrom(...UNANSWERED_REASONS),
    unmatched: fc.constantFrom(...UNMATCHED_REASONS),
    latencyUs: fc.integer({ min: 0, max: 1_000_000 }),
  });

  it("hold after whatever happened, in any order", () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const aggregate = quiet(500);
        const pending: { server: ServerRef; protocol: Protocol }[] = [];
        for (const of of events) {
          if (of.kind === "request") {
            aggregate.service(of.server, of.protocol).requested(of.commandId, 10, true, 1);
            pending.push(of);
          } else if (of.kind === "silent request") {
            aggregate.service(of.server, of.protocol).requested(of.commandId, 10, false, 1);
          } else if (of.kind === "push") aggregate.service(of.server, of.protocol).pushed(3);
          else if (of.kind === "unmatched") aggregate.service(of.server, of.protocol).unmatched(of.unmatched, 3);
          else {
            const oldest = pending.shift();
            if (!oldest) continue;
            const { server, protocol } = oldest;
            const { latencyUs, errorId, commandId } = of;
            if (of.kind === "settle") aggregate.service(server, protocol).settledSilently();
            else if (of.kind === "answer") {
              tell(aggregate, transaction({ server, protocol, latencyUs, errorId, commandId, class: of.class }));
            } else tell(aggregate, transaction({ server, protocol, unanswered: of.reason, commandId }));
          }
        }
        assert.deepEqual(identities(aggregate.snapshot(stages({ pendingRequests: pending.length }))), []);
      }),
    );
  });

  it("tell what is wrong", () => {
    const aggregate = quiet();
    aggregate.service(SERVER, KV).requested(SET, 1, true, 1);
    const good: Snapshot = aggregate.snapshot(stages());
    const lost = { ...good, requests: 2 };
    assert.match(identities(lost)[0] ?? "", /requests = answered .*: 2 is not 1/);
    const capture = { ...good.stages.capture, frames: 11 };
    assert.match(
      identities({ ...good, stages: { ...good.stages, capture } })[0] ?? "",
      /frames = decoded .*11 is not 10/,
    );
    assert.equal(identities(aggregate.snapshot(stages({ pendingRequests: 0 }))).length, 1);
    assert.match(identities({ ...good, responses: 1 })[0] ?? "", /responses/);
    tell(aggregate, transaction());
    tell(aggregate, transaction());
    assert.ok(identities(aggregate.snapshot(stages())).some((violation) => violation.includes("never negative")));
  });
});
