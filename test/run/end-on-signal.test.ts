import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../support/servers.ts";
import { CLI } from "../support/tcplat.ts";

const { folder, remove } = temporaryFolder();
after(remove);
const pipe = join(folder, "nobody-writes-to-it");
const other = join(folder, "other.json");
const skip = spawnSync("mkfifo", [pipe]).status === 0 ? false : "no mkfifo";
writeFileSync(other, "{}\n");

for (const words of [
  ["explain", "-r", pipe],
  ["diff", pipe, other],
]) {
  test(`${words[0]} that waits for a pipe's other end is ended by a signal`, { skip }, async () => {
    const tcplat = spawn(process.execPath, [CLI, ...words], { stdio: "ignore" });
    const ended = once(tcplat, "exit");
    await sleep(1000);
    tcplat.kill("SIGTERM");
    const isDeaf = await Promise.race([ended.then(() => false), sleep(5000, true, { ref: false })]);
    tcplat.kill("SIGKILL");
    await ended;
    assert.equal(isDeaf, false);
  });
}
