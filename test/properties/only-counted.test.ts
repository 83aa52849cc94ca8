import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { TransactionOutput } from "../../src/aggregate/aggregate.ts";
import { Pipeline } from "../../src/pipeline.ts";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { batchOf, ETHERNET, type TestSegment } from "../support/segments.ts";
import { plans, runs } from "./plans.ts";
import { MemorySource, OPTIONS } from "./run.ts";
import { random, simulate } from "./simulation.ts";

/** What is printed, in words that a later transaction does not change. */
class Printed implements TransactionOutput {
  readonly lines: string[] = [];

  transaction(of: Transaction): void {
    const { connectionId, requestNumber, latencyUs, waitedUs, behind, requestBytes, requestSequence } = of;
    const text = Buffer.from(of.text.subarray(of.textStart, of.textEnd)).toString("latin1");
    this.lines.push(
      JSON.stringify({ connectionId, requestNumber, latencyUs, waitedUs, behind, requestBytes, requestSequence, text }),
    );
  }
}

/** The numbers of a run over these frames: where there is an observer, each transaction is told by itself. */
function numbers(frames: readonly TestSegment[], thresholdUs: number, printed: Printed | null, isObserved: boolean) {
  const batch = batchOf(frames, ETHERNET);
  const source = new MemorySource([batch], ETHERNET.linkType);
  const observer = isObserved ? { transaction: () => {} } : null;
  const pipeline = new Pipeline(
    { ...OPTIONS, thresholdUs },
    source,
    printed === null ? [] : [printed],
    () => ({}),
    observer,
  );
  pipeline.consume(batch, source.read(), Number.POSITIVE_INFINITY);
  pipeline.finish();
  return pipeline.snapshot();
}

describe("a transaction that is only counted", () => {
  for (const client of ["waits", "batches", "free"] as const) {
    it(`gives the numbers, and leaves to others the record, that it does told by itself: a client that ${client}`, () => {
      const property = fc.property(
        plans(client),
        fc.constantFrom(0, 3, 300, 2000, 1e9),
        fc.boolean(),
        (plan, thresholdUs, isLossy) => {
          const next = random(plan.seed + 1);
          const frames = simulate(plan).frames.filter(() => !isLossy || next(10) > 0);
          const told = new Printed();
          const all = numbers(frames, thresholdUs, told, true);
          const printed = new Printed();
          assert.deepEqual(numbers(frames, thresholdUs, null, false), all);
          assert.deepEqual(numbers(frames, thresholdUs, printed, false), all);
          assert.deepEqual(printed.lines, told.lines);
        },
      );
      fc.assert(property, runs(100));
    });
  }
});
