import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Pipeline } from "../../src/pipeline.ts";
import { Dialogue } from "../support/segments.ts";
import { falsehoods } from "./judge.ts";
import { plans, runs } from "./plans.ts";
import { runSegments } from "./run.ts";
import { random, simulate } from "./simulation.ts";

/** So little that no connection of a test is in the sample. */
const NONE = 1e-9;

/** What a run of these frames gives when the sample takes and leaves the connection before some of them. */
function sampled(frames: Parameters<typeof runSegments>[0], isWithin: (index: number) => boolean) {
  let before = true;
  const meanwhile = (pipeline: Pipeline, index: number): void => {
    const now = isWithin(index);
    if (now !== before) pipeline.table.sampleOnly(now ? 1 : NONE);
    before = now;
  };
  return runSegments(frames, { checksEveryFrame: true, meanwhile });
}

describe("a connection that leaves the sample and comes back, at any frames", () => {
  for (const client of ["waits", "batches", "free"] as const) {
    it(`breaks no identity, and a connection that left has nothing left over: a client that ${client}`, () => {
      const property = fc.property(plans(client), (plan) => {
        const truth = simulate(plan);
        const next = random(plan.seed + 4);
        let isWithin = true;
        const result = sampled(truth.frames, () => {
          if (next(4) === 0) isWithin = !isWithin;
          return isWithin;
        });
        assert.deepEqual(result.violations, []);
        assert.equal(result.pipeline.requestsHeld, 0);
      });
      fc.assert(property, runs(40));
    });

    it(`tells every request read before it left with its true times, and none as unanswered: a client that ${client}`, () => {
      const property = fc.property(plans(client), fc.nat(), (plan, at) => {
        const truth = simulate(plan);
        const last = at % truth.frames.length;
        const result = sampled(truth.frames, (index) => index < last);
        assert.deepEqual(falsehoods(result, truth), []);
        assert.deepEqual(result.unanswered, []);
        const leftUs = truth.frames[last]!.timeUs;
        const due = truth.pairs.filter((pair) => pair.requestEndUs < leftUs);
        assert.ok(result.answered.length >= due.length, `${result.answered.length} of ${due.length}`);
      });
      fc.assert(property, runs(40));
    });
  }

  for (const client of ["waits", "batches"] as const) {
    it(`tells nothing that is not true once it is back: a client that ${client}`, () => {
      const property = fc.property(plans(client), fc.nat(), fc.nat(), (plan, leaves, returns) => {
        const truth = simulate(plan);
        const [from, to] = [leaves % truth.frames.length, returns % truth.frames.length].sort((a, b) => a - b);
        const result = sampled(truth.frames, (index) => index < from! || index >= to!);
        assert.deepEqual(falsehoods(result, truth), []);
      });
      fc.assert(property, runs(40));
    });
  }
});

describe("a client that always has a request pending", () => {
  /** Requests every 10 ms, each answered 15 ms later, together with what else is due in `joined`. */
  function talk(count: number, joined: boolean): Dialogue {
    const dialogue = new Dialogue();
    dialogue.open();
    for (let i = 0; i < count; i++) {
      dialogue.client(1000 + i * 10_000, `GET k${i}\r\n`);
      if (joined ? i % 2 === 1 : i > 0) dialogue.server(6000 + i * 10_000, joined && i > 1 ? "+a\r\n+b\r\n" : "+a\r\n");
    }
    return dialogue;
  }

  for (const joined of [false, true]) {
    it(`leaves all the same, with what is pending answered: responses ${joined ? "share segments" : "by themselves"}`, () => {
      const { segments } = talk(100, joined);
      const result = sampled(segments, (index) => index < 20);
      assert.deepEqual(result.violations, []);
      assert.deepEqual(result.unanswered, []);
      const { sample } = result.pipeline.table;
      assert.equal(sample.connectionsOutside, 1);
      assert.ok(sample.segmentsOutside > 50, `${sample.segmentsOutside}`);
      const service = result.pipeline.snapshot().servers[0]!.services[0]!;
      assert.equal(service.answered, service.requests);
      assert.ok(service.requests > 20 && service.requests < 50, `${service.requests}`);
      assert.deepEqual(
        { ...service.unmatched, sampled: 0 },
        { no_request: 0, gap: 0, late: 0, noreply: 0, sampled: 0 },
      );
      assert.equal(service.unmatched.sampled, joined ? 1 : 0);
    });
  }
});
