import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { captureObstacle } from "../support/live.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { RawClient, resp, respReplyEnd } from "../support/raw-client.ts";
import { batchOf, Dialogue } from "../support/segments.ts";
import { missingProgram, startRedis, temporaryFolder } from "../support/servers.ts";
import { NO_PORTS, runTcplat, Tcplat, total } from "../support/tcplat.ts";

const { folder, remove } = temporaryFolder();
after(remove);

/** All frames of the files that begin with `prefix`, in the order of their names, in one file. */
function joined(prefix: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  const files = names.sort().map((name) => readFileSync(join(folder, name)));
  const whole = join(folder, `all-${prefix}.pcap`);
  writeFileSync(whole, Buffer.concat(files.map((file, i) => file.subarray(i === 0 ? 0 : 24))));
  return whole;
}

describe("-w with -G and -W", () => {
  it("ends with its last file: nothing is told or counted that is not in the files, however the frames come", async () => {
    const talk = new Dialogue();
    talk.open();
    for (let second = 0; second < 5; second++) {
      for (let i = 0; i < 10; i++) {
        talk.client(second * 1_000_000 + i * 50_000 + 1000, resp("SET", `k${second}-${i}`, "v"));
        talk.server(second * 1_000_000 + i * 50_000 + 1400, "+OK\r\n");
      }
    }
    const file = Buffer.concat([pcapFile([]), batchOf(talk.segments)]);
    const given = join(folder, "given.pcap");
    writeFileSync(given, file);
    for (const [source, input] of [[given], ["-", file]] as const) {
      const prefix = `from-${source === "-" ? "pipe" : "file"}`;
      const words = ["-r", source, "--json", "-G", "1", "-W", "3", "-w", join(folder, `${prefix}-%S.pcap`)];
      const run = await runTcplat(words, input === undefined ? {} : { input });
      assert.equal(run.status, 0, run.stderr);
      const again = await runTcplat(["-r", joined(prefix), "--json"]);
      assert.equal(run.records.length, 30);
      assert.deepEqual(run.records, again.records);
      assert.equal(total(run.summary, "capture_frames"), total(again.summary, "capture_frames"));
    }
  });

  it("live, amid traffic, ends by itself, and its files hold all that was told", {
    skip: captureObstacle() ?? missingProgram("redis-server") ?? false,
  }, async () => {
    const redis = await startRedis();
    const output = join(folder, "live-%s.pcap");
    const words = ["-i", "lo", "--side", "client", "--json", ...NO_PORTS, "-G", "1", "-W", "1", "-w", output];
    const tcplat = await Tcplat.capturing([...words, "tcp", "port", `${redis.port}`]);
    const client = await RawClient.connect(redis.port, respReplyEnd);
    let isEnded = false;
    const ending = tcplat.ended().finally(() => {
      isEnded = true;
    });
    while (!isEnded) {
      await client.send(resp("GET", "k").repeat(4), 4);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.equal((await ending).status, 0);
    await client.close();
    await redis.stop();
    const again = await runTcplat(["-r", joined("live"), "--side", "client", "--json"]);
    assert.equal(total(again.summary, "capture_frames"), total(tcplat.summary, "capture_frames"));
    assert.deepEqual(again.records, tcplat.records);
  });
});
