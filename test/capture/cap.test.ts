import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { type CapSource, openCap } from "../../src/capture/cap.ts";
import { TcplatError } from "../../src/errors.ts";
import { type ReadFrame, splitBatch } from "../support/frames.ts";
import { captureObstacle, sendDatagram } from "../support/live.ts";
import { until } from "../support/until.ts";

const skip = captureObstacle() ?? capObstacle() ?? false;
const PORT = 30_000 + (process.pid % 10_000);

function capObstacle(): string | null {
  try {
    createRequire(import.meta.url)("cap");
    return null;
  } catch {
    return "the package cap is not built here";
  }
}

function open(options: { interface?: string; filter?: string; snaplen?: number } = {}): Promise<CapSource> {
  return openCap({ interface: "lo", snaplen: 65535, bufferKib: 10_240, filter: `udp port ${PORT}`, ...options });
}

async function take(source: CapSource, count: number): Promise<ReadFrame[]> {
  const frames: ReadFrame[] = [];
  await until(`${count} frames`, () => {
    frames.push(...splitBatch(source.batch, source.read()));
    return frames.length >= count;
  });
  return frames;
}

test("cap captures on lo and stamps frames as they arrive", { skip }, async () => {
  const source = await open({ snaplen: 60 });
  try {
    assert.equal(source.linkType, 1);
    assert.equal(source.clock, "arrival");
    const before = Date.now() - 1;
    for (let i = 0; i < 5; i++) await sendDatagram(PORT, `cap ${i}${"x".repeat(100)}`);
    const frames = await take(source, 5);
    const after = Date.now() + 1;
    assert.deepEqual(
      frames.map((frame) => frame.bytes.toString("latin1", 42, 47)),
      ["cap 0", "cap 1", "cap 2", "cap 3", "cap 4"],
    );
    for (const frame of frames) {
      const ms = frame.seconds * 1000 + frame.nanoseconds / 1e6;
      assert.ok(ms >= before && ms <= after, `${before} <= ${ms} <= ${after}`);
      assert.equal(frame.bytes.length, 60);
      assert.equal(frame.originalBytes, 147);
    }
    assert.deepEqual(source.drops(), { kernel: 0, interface: 0, engine: 0 });
  } finally {
    source.close();
  }
  assert.equal(source.read(), -1);
});

test("waiting ends when a frame comes and when the source is closed", { skip }, async () => {
  const source = await open();
  const frame = source.waitForFrames(60_000);
  await sendDatagram(PORT, "wake up");
  await frame;
  assert.ok(source.read() > 0);
  const closed = source.waitForFrames(60_000);
  source.close();
  await closed;
});

test("part of a frame is waited for: nobody who has read all whole ones goes on at once", { skip }, async () => {
  const source = await open();
  const deadline = performance.now() + 30_000;
  let frames = 0;
  let mustRead = false;
  try {
    for (let i = 0; i < 20; i++) await sendDatagram(PORT, "x".repeat(50_000));
    while (frames < 20) {
      assert.ok(performance.now() < deadline, `${frames} frames`);
      const length = source.read();
      assert.ok(length > 0 || !mustRead, "it went on without a frame");
      frames += splitBatch(source.batch, length).length;
      if (length > 0) continue;
      mustRead = false;
      const waiting = source.waitForFrames(50).then(() => {
        mustRead = true;
      });
      for (let microtasks = 0; microtasks < 5; microtasks++) await Promise.resolve();
      if (mustRead) continue;
      await waiting;
      mustRead = false;
    }
  } finally {
    source.close();
  }
});

test("a child that dies is started again", { skip }, async () => {
  const source = await open();
  try {
    const firstPid = source.childPid;
    assert.ok(firstPid !== null);
    process.kill(firstPid, "SIGKILL");
    await until("the loss to be seen", () => source.read() === 0 && !source.isUp);
    assert.match(source.outage ?? "", /died/);
    await until("the next child to capture", () => source.read() === 0 && source.isUp);
    assert.equal(source.restarts, 1);
    assert.notEqual(source.childPid, firstPid);
    await sendDatagram(PORT, "again");
    const [frame] = await take(source, 1);
    assert.equal(frame?.bytes.toString("latin1", 42), "again");
  } finally {
    source.close();
  }
});

test("the child ends when the source is closed", { skip }, async () => {
  const source = await open();
  source.close();
  await until("the child to end", () => source.childPid === null);
});

for (const [what, options, code] of [
  ["a wrong filter", { filter: "tcp prot 80" }, "filter"],
  ["an unknown interface", { interface: "nosuch0" }, "interface"],
] as const) {
  test(`${what} is refused`, { skip }, async () => {
    await assert.rejects(open(options), (error) => error instanceof TcplatError && error.code === code);
  });
}
