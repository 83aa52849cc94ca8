import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { type Collected, ReportCollector } from "../../src/report/collector.ts";
import { requestsIn } from "../../src/report/heatmap.ts";
import { Resend } from "../../src/transactions/resend.ts";
import { Flag, type Transaction } from "../../src/transactions/transaction.ts";
import { CACHE, GET, KV, START_US, stages, tell, transaction } from "../aggregate/fixtures.ts";

type Writable = { -readonly [Name in keyof Transaction]: Transaction[Name] };

/** The i-th of a long run: spread latencies, some unanswered, some not normal, some with a wrong clock. */
function nth(record: Writable, i: number): Transaction {
  record.requestNumber = i + 1;
  record.startUs = START_US + i * 100;
  record.latencyUs = (i * 2_654_435_761) % 999_983;
  record.waitUs = record.latencyUs;
  record.endUs = record.startUs + record.latencyUs;
  record.class = i % 10 === 9 ? TransactionClass.blocking : TransactionClass.normal;
  record.flags = i % 1000 === 500 ? Flag.clockSkew : i % 3 === 0 ? Flag.pipelined : 0;
  record.unanswered = i % 5000 === 77 ? "timeout" : "";
  record.waitedUs = record.unanswered === "" ? 0 : 60_000_000 + i;
  return record;
}

const TIMES = 1_000_000;

function run(collector: ReportCollector): void {
  const record = transaction() as Writable;
  for (let i = 0; i < TIMES; i++) collector.transaction(nth(record, i));
}

function answered(collected: Collected): number {
  return collected.heatmaps.maps.reduce((all, map) => all + requestsIn(map), 0);
}

describe("of a million transactions a report keeps", () => {
  const collector = new ReportCollector();
  run(collector);
  const { collected } = collector;
  const record = transaction() as Writable;
  const all = Array.from({ length: TIMES }, (_, i) => {
    const { class: of, flags, unanswered, latencyUs, waitedUs } = nth(record, i);
    return { i, latencyUs, waitedUs, isNormal: of === 0, isTimed: unanswered === "" && (flags & Flag.clockSkew) === 0 };
  });

  test("no more than a page needs", () => {
    assert.ok(JSON.stringify(collected).length < 400_000);
    assert.equal(collected.slowest.length, 100);
    assert.equal(collected.unanswered.length, 30);
  });

  test("each one of class normal in the heatmap, if its clock was right", () => {
    assert.equal(answered(collected), all.filter((each) => each.isNormal && each.isTimed).length);
  });

  test("the slowest, slowest first", () => {
    const expected = all.filter((each) => each.isNormal && each.isTimed).sort((a, b) => b.latencyUs - a.latencyUs);
    assert.deepEqual(
      collected.slowest.map(({ id, latencyUs }) => [id, latencyUs]),
      expected.slice(0, 100).map(({ i, latencyUs }) => [`17-${i + 1}`, latencyUs]),
    );
  });

  test("those that waited longest in vain", () => {
    const expected = all.filter((each) => each.isNormal && each.waitedUs > 0).sort((a, b) => b.waitedUs - a.waitedUs);
    assert.deepEqual(
      collected.unanswered.map(({ latencyUs, status }) => [latencyUs, status]),
      expected.slice(0, 30).map(({ waitedUs }) => [waitedUs, "unanswered (timeout)"]),
    );
  });

  test("how often each flag was set", () => {
    assert.equal(collected.byFlags[Flag.clockSkew], TIMES / 1000);
    assert.equal(
      collected.byFlags.reduce((sum, count) => sum + count, 0),
      TIMES,
    );
  });
});

test("a report counts what the histograms count, printed or not, by server and protocol", () => {
  const collector = new ReportCollector();
  const aggregate = new Aggregate({ thresholdUs: 1_000_000, outputs: [], observer: collector });
  const other = { id: 2, text: "192.168.0.3:11211" };
  const told: Parameters<typeof transaction>[0][] = [
    { latencyUs: 500 },
    { latencyUs: 2_000_000 },
    { latencyUs: 7, protocol: CACHE, commandId: 1, server: other },
    { latencyUs: 8, protocol: KV, server: other },
    { latencyUs: 0, flags: Flag.clockSkew },
    { class: TransactionClass.connect },
    { unanswered: "closed" },
  ];
  for (const changes of told) {
    const each = transaction(changes);
    aggregate.service(each.server, each.protocol).requested(each.commandId, 31, true, 1);
    tell(aggregate, each);
  }
  const { servers } = aggregate.snapshot(stages());
  const inHistograms = servers.map(({ server, latency }) => [server.text, latency.count]);
  const inMaps = servers.map(({ server }) => {
    const maps = collector.collected.heatmaps.maps.filter((map) => map.server === server.text);
    return [server.text, maps.reduce((all, map) => all + requestsIn(map), 0)];
  });
  assert.deepEqual(inMaps, inHistograms);
  assert.equal(collector.collected.heatmaps.maps.length, 3);
});

test("the slowest are kept with the verdict that the record gives", () => {
  const collector = new ReportCollector();
  const behind = { connectionId: 3, requestNumber: 9, commandId: GET, us: 700, client: "10.0.0.9:40000" };
  const slow = { latencyUs: 5000, sendUs: 100, waitUs: 4000, receiveUs: 900, queueUs: 300, behind };
  const resent = { resends: Resend.fast | Resend.request, resentRequestUs: 500 };
  collector.transaction(transaction({ ...slow, ...resent, toServerUs: 1000, rttUs: 1000, zeroWindowUs: 60 }));
  collector.transaction(transaction({ unanswered: "timeout", waitedUs: 9000 }));
  const { slowest, unanswered } = collector.collected;
  assert.deepEqual(slowest[0]!.verdict, {
    cause: "server",
    causeUs: 2500,
    shares: { send: 100, queue: 0, retransmission: 500, network: 1000, server: 2500, receive: 900 },
    rttUs: 1000,
    zeroWindowUs: 60,
    behind: { id: "3-9", command: "GET", us: 700, elsewhere: true },
  });
  assert.equal(unanswered[0]!.verdict, null);
});
