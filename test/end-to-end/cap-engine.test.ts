import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { get } from "../support/http.ts";
import { captureObstacle } from "../support/live.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startRedis } from "../support/servers.ts";
import { Tcplat, total, violations } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? missingProgram("redis-server") ?? capObstacle() ?? false;

function capObstacle(): string | null {
  try {
    createRequire(import.meta.url)("cap");
    return null;
  } catch {
    return "the package cap is not built here";
  }
}

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

async function ask(count: number): Promise<void> {
  const client = await RawClient.connect(redis.port, respReplyEnd);
  for (let i = 0; i < count; i++) await client.ask(resp("PING"));
  await client.close();
}

/** The process that captures for it (`proc_pid_task`, children). */
function childOf(tcplat: Tcplat): number | null {
  const pid = tcplat.child.pid!;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return children === "" ? null : Number(children.split(" ")[0]);
}

/** A zombie that nobody has asked after yet runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

describe("--engine cap, live on lo", { skip }, () => {
  it("pairs every request, says that its times are taken on arrival, and outlives its capturing process", async () => {
    const metricsPort = await freePort();
    const words = ["-i", "lo", "--engine", "cap", "--json", "-P", "0", "--metrics-port", `${metricsPort}`];
    const tcplat = await Tcplat.capturing([...words, "tcp", "port", `${redis.port}`]);
    assert.match(tcplat.stderr, /^tcplat: capturing on lo \(cap, times taken on arrival\)/);
    await ask(50);
    await tcplat.transactions(50);
    const { body } = await get(metricsPort, "/metrics");
    assert.match(body, /^tcplat_build_info\{.*engine="cap"\} 1$/m);
    const killed = childOf(tcplat)!;
    process.kill(killed, "SIGKILL");
    await until("another process captures", () => ![null, killed].includes(childOf(tcplat)));
    for (let status = 0; status !== 200; ) ({ status } = await get(metricsPort, "/healthz"));
    await ask(50);
    await tcplat.transactions(100);
    assert.ok(tcplat.records.every((record) => record.status === "ok" && record.latency_us >= 0));
    const last = childOf(tcplat)!;
    assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
    assert.equal(total(tcplat.summary, "requests"), 100);
    assert.deepEqual(violations(tcplat.summary), []);
    await until("its process ends with it", () => !isRunning(last));
  });
});
