import { Pipeline } from "../../src/pipeline.ts";
import { settleForFrames } from "../../src/v8.ts";
import { MemorySource, OPTIONS } from "../properties/run.ts";

/** The first ones make the code warm. */
const WARM_ROUNDS = 3;
const ROUNDS = 5;

/** Tells how many million frames of this batch the stages take in a second of CPU: the median of some rounds. */
export function tellRate(batch: Uint8Array, frames: number, responses: number): void {
  settleForFrames();
  const rates = Array.from({ length: WARM_ROUNDS + ROUNDS }, () => frames / microseconds(batch, responses));
  const sorted = rates.slice(WARM_ROUNDS).sort((a, b) => a - b);
  console.log(sorted[sorted.length >> 1]!.toFixed(4));
}

function microseconds(batch: Uint8Array, responses: number): number {
  const pipeline = new Pipeline(OPTIONS, new MemorySource([batch], 1), [], () => ({}));
  const before = process.cpuUsage();
  pipeline.consume(batch, batch.length, Number.POSITIVE_INFINITY);
  const { user, system } = process.cpuUsage(before);
  if (pipeline.snapshot().responses !== responses) throw new Error("not every response was paired");
  return user + system;
}
