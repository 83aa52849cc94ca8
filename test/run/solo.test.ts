import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import type { FrameSource } from "../../src/capture/frame-source.ts";
import { createLog } from "../../src/log.ts";
import { RecordWriter } from "../../src/outputs/record-writer.ts";
import { LAST_BLOCK_MS } from "../../src/run/live-capture.ts";
import { Solo } from "../../src/run/solo.ts";
import { MemorySource, OPTIONS } from "../properties/run.ts";
import { resp } from "../support/raw-client.ts";
import { BEGIN_US, batchOf, Dialogue, type TestSegment } from "../support/segments.ts";

/**
 * Frames as the kernel's ring brings them: a block, nothing for a moment, and the next block. Each time that there is nothing the process
 * may stand still for `standstillMs`.
 */
function liveSource(blocks: readonly (readonly TestSegment[])[], standstillMs: number): FrameSource {
  const sinceUs = Date.now() * 1000 - BEGIN_US;
  const batches = blocks.map((block) => batchOf(block.map((each) => ({ ...each, timeUs: each.timeUs + sinceUs }))));
  const memory = new MemorySource(batches, 1);
  const next = memory.read.bind(memory);
  let isEmpty = true;
  const read = () => {
    isEmpty = !isEmpty;
    return isEmpty ? 0 : next();
  };
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const isUp = () => Atomics.wait(nothing, 0, 0, standstillMs) === "timed-out";
  return Object.defineProperty(Object.assign(memory, { isLive: true, read }), "isUp", { get: isUp });
}

/** Who is told, in this order, and behind whom each was. */
async function tell(
  blocks: readonly (readonly TestSegment[])[],
  { standstillMs = 0, isStopped = false } = {},
): Promise<string[]> {
  const told: string[] = [];
  const fd = openSync("/dev/null", "w");
  const writer = new RecordWriter({ fd, mode: "live", onClosed: () => {}, onError: assert.ifError });
  const transaction = (of: { connectionId: number; behind: { connectionId: number; us: number } | null }) =>
    told.push(`${of.connectionId}${of.behind === null ? "" : ` behind ${of.behind.connectionId} ${of.behind.us}`}`);
  const log = createLog({ level: "fatal", format: "text" });
  const source = liveSource(blocks, standstillMs);
  const solo = new Solo({ ...OPTIONS, read: null, side: "server" }, source, log, writer, {
    outputs: [{ transaction: (of) => void transaction(of) }],
  });
  solo.begin();
  if (isStopped) solo.stop();
  await solo.capture();
  await solo.finish();
  await writer.close();
  closeSync(fd);
  return told;
}

test("who waited for another connection's command is told so, though the kernel's block ends between the two answers", async () => {
  const culprit = new Dialogue({ address: "10.0.0.1", port: 40_001 });
  const victim = new Dialogue({ address: "10.0.0.1", port: 40_002 });
  const first = [culprit, victim].flatMap((each) => [each.syn(0), each.synAck(10), each.ack("client", 20)]);
  first.push(culprit.client(1000, resp("KEYS", "*")), victim.client(2000, resp("GET", "k")));
  first.push(victim.server(9950, "$1\r\nx\r\n"));
  const second = [culprit.server(10_000, "*0\r\n")];
  const told = ["2 behind 1 7950", "1"];
  assert.deepEqual(await tell([[...first, ...second]]), told, "in one block");
  assert.deepEqual(await tell([first, second]), told, "in two");
  assert.deepEqual(
    await tell([first, second], { standstillMs: LAST_BLOCK_MS + 40 }),
    told,
    "in two, and a busy machine takes a pause",
  );
});

test("what came before a stop is taken, block by block, also where the host's clock was set back before", async () => {
  const dialogue = new Dialogue({ address: "10.0.0.1", port: 40_001 });
  const hourUs = 3_600_000_000;
  const blocks = [
    [dialogue.syn(hourUs - 1000), dialogue.synAck(hourUs - 990), dialogue.ack("client", -10_000)],
    [dialogue.client(-9000, resp("GET", "a")), dialogue.server(-8000, "$1\r\nx\r\n")],
    [dialogue.client(-7000, resp("GET", "b")), dialogue.server(-6000, "$1\r\nx\r\n")],
  ];
  assert.deepEqual(await tell(blocks, { isStopped: true }), ["1", "1"]);
});
