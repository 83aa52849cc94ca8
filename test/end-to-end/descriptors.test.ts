import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { get, listenTo, series } from "../support/http.ts";
import { captureObstacle } from "../support/live.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { freePort, missingProgram, type RealServer, startRedis } from "../support/servers.ts";
import { Tcplat, total, violations } from "../support/tcplat.ts";

const skip = captureObstacle() ?? missingProgram("redis-server", "prlimit") ?? false;

let redis: RealServer;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => redis?.stop());

describe("a host without file descriptors", { skip }, () => {
  for (const workers of ["1", "2"]) {
    it(`does not end a capture, nor its interface, and is forgotten once there are some again: --workers ${workers}`, async () => {
      const [statsPort, metricsPort] = [await freePort(), await freePort()];
      const ports = ["-P", `${statsPort}`, "--metrics-port", `${metricsPort}`];
      const words = ["-i", "lo", "--json", "--workers", workers, ...ports, "tcp", "port", `${redis.port}`];
      const tcplat = await Tcplat.capturing(words);
      const limit = (soft: number): void => {
        execFileSync("prlimit", ["--pid", `${tcplat.child.pid}`, `--nofile=${soft}:`]);
      };
      const ask = async (): Promise<void> => {
        const client = await RawClient.connect(redis.port, respReplyEnd);
        await client.ask(resp("PING"));
        await client.close();
      };
      await ask();
      await tcplat.transactions(1);

      limit(4);
      // Longer than the interface, the process' cost and this host's addresses are believed without asking.
      await sleep(2500);
      await ask();
      await tcplat.transactions(2);

      limit(1024);
      assert.deepEqual(await get(metricsPort, "/healthz"), { status: 200, body: "ok\n" });
      const { body } = await get(metricsPort, "/metrics");
      assert.equal(series(body, 'tcplat_capture_up{interface="lo"}'), 1);
      assert.ok(series(body, "process_resident_memory_bytes") > 0);
      assert.ok((await listenTo(statsPort)).length > 0);
      assert.deepEqual(await tcplat.stop(), { status: 0, signal: null });
      assert.equal(total(tcplat.summary, "requests"), 2);
      assert.equal(tcplat.records[0]!.side, tcplat.records[1]!.side);
      assert.deepEqual(violations(tcplat.summary), []);
      assert.equal(tcplat.stderr.trimEnd().split("\n").length, 1, tcplat.stderr);
    });
  }
});
