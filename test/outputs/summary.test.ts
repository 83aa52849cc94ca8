import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import type { Snapshot } from "../../src/aggregate/snapshot.ts";
import { statsDocument } from "../../src/outputs/stats-document.ts";
import { summaryRecord, summaryTable } from "../../src/outputs/summary.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { BLPOP, GET, KV, SERVER, stages, tell, transaction } from "../aggregate/fixtures.ts";

function run(): Snapshot {
  const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
  for (const of of [
    transaction({ latencyUs: 100 }),
    transaction({ latencyUs: 100, errorId: 1 }),
    transaction({ commandId: BLPOP, class: TransactionClass.blocking, latencyUs: 120 }),
  ]) {
    aggregate.service(SERVER, KV).requested(of.commandId, 31, true, 1);
    aggregate.service(of.server, of.protocol).answered(of);
  }
  aggregate.service(SERVER, KV).requested(GET, 31, true, 1);
  tell(aggregate, transaction({ commandId: GET, unanswered: "gap" }));
  aggregate.service(SERVER, KV).requested(GET, 31, true, 1);
  aggregate.service(SERVER, KV).requested(GET, 31, false, 1);
  aggregate.service(SERVER, KV).pushed(6);
  aggregate.service(SERVER, KV).unmatched("gap", 6);
  return aggregate.snapshot(stages());
}

/** The sum of a counter over its labels, of those that end in `ending`. */
function total(record: Record<string, number>, counter: string, ending = ""): number {
  const names = Object.keys(record).filter((name) => name === counter || name.startsWith(`${counter}.`));
  return names.filter((name) => name.endsWith(ending)).reduce((sum, name) => sum + record[name]!, 0);
}

describe("the summary record", () => {
  const text = summaryRecord(run());
  const record = JSON.parse(text);

  it("names every counter with its label values joined by dots", () => {
    assert.equal(record.type, "summary");
    assert.equal(record["requests.redis.192.168.0.2:6379.SET"], 2);
    assert.equal(record["responses.redis.192.168.0.2:6379.SET.error"], 1);
    assert.equal(record["capture_skipped_frames.eth0.arp"], 2);
    assert.equal(record["capture_dropped_frames.eth0.kernel"], 4);
    assert.equal("connections_total" in record, false);
    assert.equal(record["connections.midstream"], 4);
    assert.equal(record["records_dropped.stdout"], 0);
    assert.equal(record.sampled_out_segments, 0);
    assert.equal(record.sampling_ratio, 1);
    assert.equal(record["capture_batches.eth0"], 2);
    assert.match(text, /^[^\n]+\n$/);
  });

  it("holds what the identities need", () => {
    const frames = total(record, "capture_decoded_frames") + total(record, "capture_skipped_frames");
    assert.equal(total(record, "capture_frames"), frames);
    const requests =
      total(record, "responses") +
      total(record, "no_reply_requests") +
      total(record, "requests_in_flight") +
      total(record, "unanswered_requests");
    assert.equal(total(record, "requests"), requests);
    assert.equal(total(record, "unanswered_requests", ".gap"), 1);
  });

  it("tells nothing that differs from run to run over the same file", () => {
    assert.ok(!text.includes("lag"));
    const cost = {
      cpuRatio: 1,
      maxCpuRatio: 1,
      cpuSeconds: 1,
      residentBytes: 1,
      framesPerSecond: 1,
      eventLoopDelayUs: 1,
    };
    assert.equal(summaryRecord({ ...run(), cost }), text);
    assert.equal(summaryRecord(run()), text);
  });
});

describe("the summary table", () => {
  it("shows the identities, then each server and its commands", () => {
    assert.equal(
      summaryTable(run()),
      `frames      10 on eth0 = 7 decoded + 3 skipped (arp 2, fragment 1)
            15 dropped (kernel 4, interface 5, engine 6), 1 duplicates, 2 truncated, 3 clock regressions
connections 7 (syn 3, midstream 4), 1 evicted, 1 not analysed (tls 1)
requests    6 = 3 answered + 1 no reply + 1 pending + 1 unanswered (gap 1)
responses   5 = 3 matched + 1 unmatched (gap 1) + 1 pushes

server            protocol  command           requests  errors  p50 ms  p90 ms  p99 ms  max ms
192.168.0.2:6379  redis                              6       1   0.100   0.100   0.100   0.100
                            GET                      3       0
                            SET                      2       1   0.100   0.100   0.100   0.100
                            BLPOP (blocking)         1       0   0.120   0.120   0.120   0.120
`,
    );
  });

  it("tells of requests that were never sent whole, which are in no other count", () => {
    const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
    aggregate.service(SERVER, KV).unfinished("reset");
    const snapshot = aggregate.snapshot(stages());
    assert.match(summaryTable(snapshot), /^requests {4}0 = .*\n {12}1 never sent whole \(reset 1\)$/m);
    assert.equal(JSON.parse(summaryRecord(snapshot))["unfinished_requests.redis.reset"], 1);
  });

  it("counts with a command's requests those that nobody has answered", () => {
    const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
    const set = transaction({ latencyUs: 100 });
    aggregate.service(SERVER, KV).requested(set.commandId, 31, true, 3);
    aggregate.service(SERVER, KV).answered(set);
    assert.match(summaryTable(aggregate.snapshot(stages())), /^ +SET +3 +0 +0\.100 /m);
  });

  it("tells what a live capture costs, and of sampling where there was any", () => {
    const cost = {
      cpuRatio: 0.1234,
      maxCpuRatio: null,
      cpuSeconds: 4.5,
      residentBytes: 91.4e6,
      framesPerSecond: 2500.4,
    };
    const plain = { ...run(), cost: { ...cost, eventLoopDelayUs: 12_345 } };
    const lines = (snapshot: Snapshot): string[] => summaryTable(snapshot).split("\n").slice(5, 8);
    assert.deepEqual(lines(plain), [
      "cost        CPU 12.3 %, 4.50 s in all; 91 MB resident; event loop up to 12.3 ms late",
      "            2500 frames/s (the last 10 s); 2 batches, of 5.0 frames in the mean, 6 at most",
      "",
    ]);
    const sampled = stages({ sampling: { ratio: 0.25, segmentsOutside: 7 } });
    const notAnalysed = { tls: 1, sampled: 3 };
    const within = { ...plain, cost: { ...plain.cost, maxCpuRatio: 0.2 } };
    const all = { ...within, stages: { ...sampled, connections: { ...sampled.connections, notAnalysed } } };
    assert.match(lines(all)[0]!, /^cost {8}CPU 12\.3 % of 20\.0 %, /);
    assert.equal(
      lines(all)[2],
      "sampling    25.0 % of the connections are analysed; 7 segments of 3 others were not looked into",
    );
  });

  it("tells the very percentiles of the stats port", () => {
    const aggregate = new Aggregate({ thresholdUs: null, outputs: [] });
    for (const latencyUs of [502, 502, 502, 5000, 9000]) tell(aggregate, transaction({ latencyUs }));
    const snapshot = aggregate.snapshot(stages());
    const { p50_ms, max_ms } = JSON.parse(statsDocument(snapshot))["192.168.0.2:6379"];
    const row = summaryTable(snapshot)
      .match(/^192\.168\.0\.2:6379.*$/m)![0]
      .split(/ +/);
    assert.deepEqual([Number(row[4]), Number(row.at(-1))], [p50_ms, max_ms]);
  });

  it("shows a slow command however rare it is, beside those most often used", () => {
    const snapshot = run();
    const [server] = snapshot.servers;
    const [service] = server!.services;
    const [answered] = service!.commands.flatMap(({ classes }) => classes);
    const commands = Array.from({ length: 12 }, (_, index) => {
      const { latency } = answered!;
      const times = { ...latency, maxUs: index === 11 ? 407_000 : 100 };
      return {
        command: `C${index}`,
        requests: 20 - index,
        classes: [{ ...answered!, class: "normal", latency: times }],
      };
    });
    const changed = { ...snapshot, servers: [{ ...server!, services: [{ ...service!, commands }] }] };
    const shown = [...summaryTable(changed).matchAll(/^ +(C\d+) .* (\S+)$/gm)].map(([, name, max]) => `${name} ${max}`);
    const often = Array.from({ length: 9 }, (_, index) => `C${index} 0.100`);
    assert.deepEqual(shown, [...often, "C11 407.000"]);
    assert.match(summaryTable(changed), /^ +2 more$/m);
  });

  it("is short when nothing was seen", () => {
    const empty = new Aggregate({ thresholdUs: null, outputs: [] }).snapshot(stages());
    assert.equal(summaryTable(empty).split("\n").length, 6);
  });
});
