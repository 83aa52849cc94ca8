import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, it } from "node:test";
import { Aggregate } from "../../src/aggregate/aggregate.ts";
import type { Snapshot, StageCounters } from "../../src/aggregate/snapshot.ts";
import type { CostCounters } from "../../src/cost/meter.ts";
import { PrometheusExporter } from "../../src/outputs/prometheus.ts";
import { TransactionClass } from "../../src/protocols/protocol.ts";
import { BLPOP, CACHE, GET, KV, SERVER, stages, tell, transaction } from "../aggregate/fixtures.ts";

const BUILD = { version: "0.1.0", node: "20.20.2", libpcap: "1.10.3", engine: "libpcap" };

/** A run in which everything happened at least once. */
function eventful(changes: Partial<StageCounters> = {}): Snapshot {
  const aggregate = new Aggregate({ thresholdUs: 1000, outputs: [] });
  for (const of of [
    transaction({ latencyUs: 10 }),
    transaction({ latencyUs: 11, errorId: 2 }),
    transaction({ latencyUs: 20_000_001 }),
    transaction({ commandId: BLPOP, class: TransactionClass.blocking, latencyUs: 2_000_000 }),
  ]) {
    aggregate.service(SERVER, KV).requested(of.commandId, 31, true, 1);
    aggregate.service(of.server, of.protocol).answered(of);
  }
  aggregate.service(SERVER, KV).requested(GET, 31, true, 1);
  tell(aggregate, transaction({ commandId: GET, unanswered: "closed" }));
  aggregate.service(SERVER, KV).requested(GET, 31, true, 1);
  aggregate.service(SERVER, CACHE).requested(1, 9, false, 1);
  aggregate.service(SERVER, KV).unfinished("reset");
  aggregate.service(SERVER, KV).unmatched("late", 5);
  aggregate.service(SERVER, KV).pushed(6);
  aggregate.service(SERVER, CACHE).lookups(3, 2);
  aggregate.service(SERVER, KV).parserError("bad_length");
  aggregate.service(SERVER, KV).resynced();
  return aggregate.snapshot(stages({ serversLimited: 1, recordsDropped: { stdout: 8 }, ...changes }));
}

async function scrape(snapshot: Snapshot): Promise<string> {
  return String(await new PrometheusExporter({ snapshot: () => snapshot, build: BUILD }).scrape());
}

const COST: CostCounters = {
  cpuRatio: 0.5,
  maxCpuRatio: 0.75,
  cpuSeconds: 4.5,
  residentBytes: 91e6,
  framesPerSecond: 2500,
  eventLoopDelayUs: 12_000,
};

describe("the metrics", () => {
  it("are the documented ones, with their labels", async () => {
    const text = await scrape(eventful());
    const redis = 'protocol="redis"';
    const both = `${redis},server="192.168.0.2:6379"`;
    for (const line of [
      `tcplat_request_duration_seconds_count{${both},command="SET",class="normal"} 3`,
      `tcplat_response_wait_seconds_count{${both}} 3`,
      `tcplat_requests_total{${both},command="GET"} 2`,
      `tcplat_responses_total{${both},command="SET",status="ok"} 2`,
      `tcplat_responses_total{${both},command="SET",status="error"} 1`,
      `tcplat_error_responses_total{${both},error="WRONGTYPE"} 1`,
      `tcplat_request_bytes_total{${both}} 186`,
      `tcplat_response_bytes_total{${both}} 20`,
      `tcplat_slow_requests_total{${both},cause="unknown"} 1`,
      `tcplat_lost_seconds_total{${both},cause="unknown"} 20.000022`,
      `tcplat_requests_in_flight{${both}} 1`,
      'tcplat_no_reply_requests_total{protocol="memcached"} 1',
      `tcplat_pushes_total{${redis}} 1`,
      `tcplat_unanswered_requests_total{${redis},reason="closed"} 1`,
      `tcplat_unanswered_requests_total{${redis},reason="gap"} 0`,
      `tcplat_unfinished_requests_total{${redis},reason="reset"} 1`,
      `tcplat_unmatched_responses_total{${redis},reason="late"} 1`,
      'tcplat_lookups_total{protocol="memcached",result="hit"} 3',
      'tcplat_lookups_total{protocol="memcached",result="miss"} 2',
      'tcplat_tcp_retransmitted_segments_total{server="192.168.0.2:6379"} 1',
      'tcplat_tcp_out_of_order_segments_total{server="192.168.0.2:6379"} 2',
      'tcplat_tcp_gaps_total{server="192.168.0.2:6379"} 3',
      'tcplat_tcp_gap_bytes_total{server="192.168.0.2:6379"} 4000',
      'tcplat_tcp_zero_windows_total{server="192.168.0.2:6379"} 5',
      'tcplat_capture_frames_total{interface="eth0"} 10',
      'tcplat_capture_decoded_frames_total{interface="eth0"} 7',
      'tcplat_capture_dropped_frames_total{interface="eth0",by="kernel"} 4',
      'tcplat_capture_dropped_frames_total{interface="eth0",by="interface"} 5',
      'tcplat_capture_dropped_frames_total{interface="eth0",by="engine"} 6',
      'tcplat_capture_skipped_frames_total{interface="eth0",reason="arp"} 2',
      'tcplat_capture_duplicate_frames_total{interface="eth0"} 1',
      'tcplat_capture_truncated_frames_total{interface="eth0"} 2',
      'tcplat_capture_lag_seconds{interface="eth0"} 0.0045',
      'tcplat_capture_up{interface="eth0"} 1',
      'tcplat_clock_regressions_total{interface="eth0"} 3',
      "tcplat_connections 2",
      'tcplat_connections_total{origin="syn"} 3',
      'tcplat_connections_total{origin="midstream"} 4',
      "tcplat_connections_evicted_total 1",
      'tcplat_connections_not_analysed_total{reason="tls"} 1',
      `tcplat_parser_resyncs_total{${redis}} 1`,
      `tcplat_parser_errors_total{${redis},reason="bad_length"} 1`,
      'tcplat_parser_resyncs_total{protocol="memcached"} 0',
      'tcplat_parser_errors_total{protocol="memcached",reason="request"} 0',
      'tcplat_records_dropped_total{output="stdout"} 8',
      'tcplat_series_limited_total{label="server"} 1',
      'tcplat_series_limited_total{label="command"} 0',
      'tcplat_build_info{version="0.1.0",node="20.20.2",libpcap="1.10.3",engine="libpcap"} 1',
    ]) {
      assert.ok(text.includes(`\n${line}\n`), line);
    }
    assert.match(text, /^process_cpu_seconds_total/m);
    assert.match(text, /^nodejs_heap_size_used_bytes/m);
    assert.doesNotMatch(text, /nodejs_active_/);
  });

  it("say of tcplat's event loop how late it was, without the time between two looks, also right behind another scrape", async () => {
    const stalls = monitorEventLoopDelay({ resolution: 10 });
    stalls.enable();
    const snapshot = eventful();
    const exporter = new PrometheusExporter({ snapshot: () => snapshot, build: BUILD });
    const lags = async () =>
      [...String(await exporter.scrape()).matchAll(/^nodejs_eventloop_lag_\w+_seconds (.*)$/gm)].map(([, at]) =>
        Number(at),
      );
    let seen = await lags();
    assert.deepEqual(seen, [0, 0, 0, 0, 0, 0, 0], "nobody has looked yet");
    const deadline = performance.now() + 30_000;
    while (Math.max(...seen) === 0 && performance.now() < deadline) {
      await new Promise(setImmediate);
      seen = await lags();
    }
    // A process that stood still was late indeed.
    const most = 0.2 + stalls.max / 1e9;
    stalls.disable();
    assert.ok(seen.every((lag) => lag >= 0 && lag < most) && Math.max(...seen) > 0, `${seen.join()} of ${most}`);
  });

  it("have the documented buckets, cumulative", async () => {
    const text = await scrape(eventful());
    const buckets = [
      ...text.matchAll(/^tcplat_request_duration_seconds_bucket{le="([^"]+)",.*command="SET".*} (\d+)$/gm),
    ];
    const bounds =
      "0.00001 0.00002 0.00005 0.0001 0.0002 0.0005 0.001 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 3 5 10 20 +Inf";
    assert.equal(buckets.map(([, bound]) => bound).join(" "), bounds);
    assert.deepEqual(
      buckets.map(([, , count]) => Number(count)),
      [1, ...new Array(19).fill(2), 3],
    );
  });

  for (const [name, snapshot] of [
    ["an eventful run", eventful()],
    ["a live run", { ...eventful(), cost: COST }],
    ["a run that has seen nothing", new Aggregate({ thresholdUs: null, outputs: [] }).snapshot(stages({ tcp: [] }))],
    ["hostile names", eventful({ capture: { ...stages().capture, interface: 'a"b\\c\nd' } })],
  ] as const) {
    it(`pass promtool without a word: ${name}`, async (t) => {
      const text = await scrape(snapshot);
      const promtool = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
      if (promtool.error) return t.skip("promtool is not installed");
      assert.deepEqual([promtool.status, promtool.stdout, promtool.stderr], [0, "", ""]);
    });
  }

  it("read one snapshot a scrape", async () => {
    let taken = 0;
    const snapshot = (): Snapshot => {
      taken++;
      return eventful();
    };
    const exporter = new PrometheusExporter({ snapshot, build: BUILD });
    await exporter.scrape();
    await exporter.scrape();
    assert.equal(taken, 2);
  });

  it("leave out the lag and the batches of a file, which has none", async () => {
    const text = await scrape(eventful({ capture: { ...stages().capture, lagUs: null, batches: null } }));
    assert.doesNotMatch(text, /^tcplat_capture_(lag_seconds|batch\w+){/m);
  });

  it("tell what tcplat costs where that is measured, and how much of the connections the others speak of", async () => {
    const sampling = { ratio: 0.25, segmentsOutside: 7 };
    const text = await scrape({ ...eventful({ sampling }), cost: COST });
    for (const line of [
      'tcplat_capture_batches_total{interface="eth0"} 2',
      'tcplat_capture_batch_frames_max{interface="eth0"} 6',
      "tcplat_frames_per_second 2500",
      "tcplat_cpu_ratio 0.5",
      "tcplat_max_cpu_ratio 0.75",
      "tcplat_event_loop_delay_seconds 0.012",
      "tcplat_sampling_ratio 0.25",
      "tcplat_sampled_out_segments_total 7",
    ]) {
      assert.ok(text.includes(`\n${line}\n`), line);
    }
    const unbounded = await scrape({ ...eventful(), cost: { ...COST, maxCpuRatio: null } });
    assert.doesNotMatch(unbounded, /^tcplat_max_cpu_ratio /m);
    const unmeasured = await scrape(eventful());
    assert.doesNotMatch(unmeasured, /^tcplat_(cpu_ratio|frames_per_second|event_loop_delay_seconds) /m);
    assert.match(unmeasured, /^tcplat_sampling_ratio 1$/m);
  });
});
