import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { countTaggedFrames, countTaggedInFile, taggedFilter } from "../../src/run/second-look.ts";
import { captureObstacle, sendDatagram } from "../support/live.ts";
import { pcapFile, udpFrame } from "../support/pcap-file.ts";

const folder = mkdtempSync(join(tmpdir(), "tcplat-second-look-"));
after(() => rmSync(folder, { recursive: true }));

test("frames that a filter would take behind one or two tags are counted in a file, and no others", async () => {
  const file = join(folder, "tagged.pcap");
  const frames = [[], [7], [7], [7, 8]].flatMap((vlans) => [udpFrame(1, 53, "x", vlans), udpFrame(1, 54, "x", vlans)]);
  writeFileSync(file, pcapFile(frames.map((bytes, i) => ({ seconds: i, nanoseconds: 0, bytes }))));
  assert.equal(await countTaggedInFile(file, "udp port 53"), 3);
  assert.equal(await countTaggedInFile(file, ""), 6);
  assert.equal(await countTaggedInFile(file, "udp port 55"), 0);
});

test("where there is nothing to look at again, none is counted", async () => {
  assert.equal(await countTaggedInFile("-", "tcp"), 0);
  assert.equal(await countTaggedInFile(join(folder, "nosuch.pcap"), "tcp"), 0);
});

test("a named pipe is not looked at again: its writer is gone, and nobody would come", async (t) => {
  const pipe = join(folder, "pipe");
  if (spawnSync("mkfifo", [pipe]).status !== 0) return t.skip("no mkfifo");
  const counted = countTaggedInFile(pipe, "tcp");
  const outcome = await Promise.race([counted, sleep(1000, "it waits")]);
  // Whoever waits for the other end has it now.
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  await sleep(50);
  closeSync(end);
  await counted;
  assert.equal(outcome, 0);
  return undefined;
});

test("a second live capture counts no untagged frame, ends in time, and forgives a link type without tags", async (t) => {
  const obstacle = captureObstacle();
  if (obstacle !== null) return t.skip(obstacle);
  const looks = ["lo", "any", "nosuch0"].map((name) => countTaggedFrames(name, "udp port 9", 200));
  await sendDatagram(9, "x");
  assert.deepEqual(await Promise.all(looks), [0, 0, 0]);
  return undefined;
});

test("a filter with an or stays whole", () => {
  assert.equal(taggedFilter("a or b"), "(vlan and (a or b)) or (vlan and (a or b))");
});
