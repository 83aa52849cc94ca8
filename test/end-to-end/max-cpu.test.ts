import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { get, series } from "../support/http.ts";
import { captureObstacle } from "../support/live.ts";
import { freePort, hasEnded, missingProgram, type RealServer, spawnIn, startRedis } from "../support/servers.ts";
import { runTcplat, type Summary, Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server", "redis-benchmark") ?? false;

const REQUESTS = 1_500_000;
const BUDGET_PERCENT = 8;

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

describe("--max-cpu under redis-benchmark at full speed", { skip }, () => {
  it("samples whole connections, says so once, and leaves nothing unanswered", async (t) => {
    const port = await freePort();
    const ports = ["-P", "0", "--metrics-port", `${port}`];
    const words = ["-i", "lo", "-q", "--json", "--max-cpu", `${BUDGET_PERCENT}`, ...ports, "tcp", "port"];
    const tcplat = await Tcplat.capturing([...words, `${redis.port}`]);
    const scrape = async () => (await get(port, "/metrics")).body;
    assert.equal(series(await scrape(), "tcplat_sampling_ratio"), 1);
    const load = ["-p", `${redis.port}`, "-t", "get", "-n", `${REQUESTS}`, "-c", "50", "-q"];
    const benchmark = spawnIn(undefined, "redis-benchmark", load);
    await until("tcplat says that it samples", () => /is above --max-cpu 8/.test(tcplat.stderr), 60_000);
    const use = await leastUse(tcplat, () => hasEnded(benchmark));
    tcplat.child.kill("SIGUSR1");
    await until("the summary tells the cost", () => /^sampling {4}\d/m.test(tcplat.stderr));
    assert.match(tcplat.stderr, /^cost {8}CPU \d+\.\d % of 8\.0 %, .* MB resident; event loop up to [\d.]+ ms late$/m);
    assert.match(tcplat.stderr, /^ +\d+ frames\/s \(the last 10 s\); \d+ batches, of [\d.]+ frames in the mean/m);
    const text = await scrape();
    const ratio = series(text, "tcplat_sampling_ratio");
    assert.ok(ratio <= 1 && ratio >= 0.01, `${ratio}`);
    assert.equal(series(text, "tcplat_max_cpu_ratio"), BUDGET_PERCENT / 100);
    assert.ok(series(text, "tcplat_cpu_ratio") > 0);
    assert.ok(series(text, 'tcplat_capture_batch_frames_max{interface="lo"}') > 1);
    await until("redis-benchmark ends", () => hasEnded(benchmark), 200_000);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    const { summary } = tcplat;
    t.diagnostic(`${(use * 100).toFixed(1)} % of a core with ${(ratio * 100).toFixed(0)} % of the connections`);
    assert.ok(use <= (BUDGET_PERCENT / 100) * 1.1 || /with 1 % of the connections, too/.test(tcplat.stderr), `${use}`);
    assertToldOnce(tcplat);
    assert.deepEqual(violations(summary), []);
    assertNothingLeft(summary);
    assert.ok(total(summary, "requests") > 1000 && total(summary, "requests") < REQUESTS);
    assert.ok(total(summary, "sampled_out_segments") > 1000);
    assert.ok(Number(summary["connections_not_analysed.sampled"]) > 0);
  });

  it("samples the connections of all workers alike, with --workers", async () => {
    const port = await freePort();
    const ports = ["-P", "0", "--metrics-port", `${port}`];
    const words = ["-i", "lo", "-q", "--json", "--workers", "2", "--max-cpu", `${BUDGET_PERCENT}`, ...ports];
    const tcplat = await Tcplat.capturing([...words, "tcp", "port", `${redis.port}`]);
    const load = ["-p", `${redis.port}`, "-t", "get", "-n", `${REQUESTS / 3}`, "-c", "50", "-q"];
    const benchmark = spawnIn(undefined, "redis-benchmark", load);
    await until("tcplat says that it samples", () => /is above --max-cpu 8/.test(tcplat.stderr), 60_000);
    await until("redis-benchmark ends", () => hasEnded(benchmark), 200_000);
    const ratio = series((await get(port, "/metrics")).body, "tcplat_sampling_ratio");
    assert.ok(ratio <= 1 && ratio >= 0.01, `${ratio}`);
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    const { summary } = tcplat;
    assertToldOnce(tcplat);
    assert.deepEqual(violations(summary), []);
    assertNothingLeft(summary);
    assert.ok(total(summary, "requests") > 0 && total(summary, "requests") < REQUESTS / 3);
    assert.ok(total(summary, "sampled_out_segments") > 1000);
  });

  it("is refused where a file is read", async () => {
    const { status, stderr } = await runTcplat(["-r", "any.pcap", "--max-cpu", "20"]);
    assert.equal(status, 2);
    assert.match(stderr, /^tcplat: --max-cpu 20: -r reads the whole file, whatever that costs: leave it out\n$/);
  });
});

/** Each time that it begins, and each time that it is over: others on a busy machine may slow the load down, so that it is. */
function assertToldOnce({ stderr, summary }: Tcplat): void {
  const told = [...stderr.matchAll(/is above --max-cpu|are analysed again/g)].map(([text]) => text);
  const expected = told.map((_, i) => (i % 2 === 0 ? "is above --max-cpu" : "are analysed again"));
  assert.deepEqual(told, expected);
  assert.equal(Number(summary.sampling_ratio) < 1, told.length % 2 === 1, stderr);
}

/** No request is without its response, or the other way round. */
function assertNothingLeft(summary: Summary): void {
  const left = Object.entries(summary).filter(
    ([name, count]) => /^(unanswered_requests|unmatched_responses|capture_dropped_frames)\./.test(name) && count !== 0,
  );
  assert.deepEqual(left, []);
}

/** The least use of a core within any two seconds, until `isOver`, or until it is within the budget. */
async function leastUse(tcplat: Tcplat, isOver: () => boolean): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  while (!isOver() && least > BUDGET_PERCENT / 100) {
    const beginMs = performance.now();
    const before = cpuSeconds(tcplat);
    await until("two seconds pass", () => performance.now() - beginMs > 2000);
    least = Math.min(least, (cpuSeconds(tcplat) - before) / ((performance.now() - beginMs) / 1000));
  }
  return least;
}

function cpuSeconds(tcplat: Tcplat): number {
  return Tcplat.cpuSeconds(readFileSync(`/proc/${tcplat.child.pid}/stat`, "latin1"));
}
