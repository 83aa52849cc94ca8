import assert from "node:assert/strict";
import { test } from "node:test";
import { Hand } from "../../src/workers/hand.ts";
import type { WorkerStart } from "../../src/workers/messages.ts";

/** A thread that is too busy to answer until it is told to stop, and then has a frame more to tell. */
const BUSY = `
import { parentPort, workerData } from "node:worker_threads";
const { port, answers } = workerData.numbers;
parentPort.postMessage({ kind: "ready", fanout: null, libpcapVersion: "", numbers: "first" });
parentPort.once("message", () => {
  port.postMessage("late");
  Atomics.add(new Int32Array(answers), 0, 1);
  parentPort.postMessage({ kind: "done", numbers: "last", warning: null, failure: null });
});
`;

test("a worker's last numbers stand, though an answer that came too late for who had asked is still to be read", async () => {
  const program = new URL(`data:text/javascript,${encodeURIComponent(BUSY)}`);
  const hand = new Hand({ index: 0, workers: 2 } as Omit<WorkerStart, "numbers">, program);
  await hand.ready();
  hand.ask();
  hand.collect(performance.now());
  assert.equal(hand.numbers as unknown, "first");
  hand.order({ kind: "stop" });
  await hand.done();
  hand.ask();
  hand.collect(performance.now());
  hand.dismiss();
  assert.equal(hand.numbers as unknown, "last");
});
