import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pcapFile } from "../support/pcap-file.ts";
import { temporaryFolder } from "../support/servers.ts";
import { CLI } from "../support/tcplat.ts";
import { until } from "../support/until.ts";

const { folder, remove } = temporaryFolder();
after(remove);
const FRAMES = Array.from({ length: 5 }, (_, i) => ({
  seconds: 1_700_000_000 + i,
  nanoseconds: 0,
  bytes: Buffer.alloc(60),
}));
const capture = pcapFile(FRAMES);
const pipe = join(folder, "its-writer-is-silent");
const other = join(folder, "other.pcap");
const skip = spawnSync("mkfifo", [pipe]).status === 0 ? false : "no mkfifo";
writeFileSync(other, capture);

/** Starts tcplat, writes a capture into `pipe`, or its standard input, and leaves that open. */
async function reading(words: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ["pipe", "ignore", "pipe"] });
  const writer = words.includes(pipe) ? createWriteStream(pipe) : child.stdin!;
  child.once("exit", () => writer.destroy());
  writer.on("error", () => {});
  writer.write(capture);
  return child;
}

for (const words of [
  ["-r", "-"],
  ["-r", pipe],
]) {
  test(`a signal ends -r ${words[1] === "-" ? "-" : "PIPE"}, whose writer is silent, with its summary`, {
    skip,
  }, async () => {
    const child = await reading(words);
    let told = "";
    child.stderr!.on("data", (text) => {
      told += text;
    });
    await until("the start line", () => told.includes("reading"));
    await sleep(300);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const outcome = await Promise.race([ended, sleep(5000, ["deaf"], { ref: false })]);
    child.kill("SIGKILL");
    assert.deepEqual(outcome, [0, null], told);
    assert.match(told, /^frames +5 on /m);
    assert.doesNotMatch(told, /in the middle of a frame/);
  });
}

test("a signal ends diff, one of whose files is a pipe with a silent writer", { skip }, async () => {
  const child = await reading(["diff", pipe, other]);
  await sleep(1000);
  const ended = once(child, "exit");
  child.kill("SIGINT");
  const outcome = await Promise.race([ended, sleep(5000, ["deaf"], { ref: false })]);
  child.kill("SIGKILL");
  assert.deepEqual(outcome, [0, null]);
});
