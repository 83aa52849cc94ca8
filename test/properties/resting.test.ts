import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { falsehoods } from "./judge.ts";
import { plans } from "./plans.ts";
import { runSegments } from "./run.ts";
import { inResp, shownWhole, withoutCommands } from "./shown.ts";
import { random, simulate } from "./simulation.ts";

// A client that does not wait comes to rest now and then: what follows its next rest is told.
for (const [client, share] of [
  ["batches", 0.7],
  ["free", 0.6],
] as const) {
  it(`a capture that lost frames, of a client that ${client}, on long connections: most of what is there whole is told, and nothing that is not true`, () => {
    let whole = 0;
    let found = 0;
    for (const short of fc.sample(plans(client, { segmentBytes: 1448, delayUs: 50 }), { numRuns: 40, seed: 3 })) {
      const exchanges = Array.from({ length: 60 }, () => short.exchanges.map(inResp).map(withoutCommands)).flat();
      const plan = { ...short, exchanges };
      const truth = simulate(plan);
      const next = random(plan.seed);
      const frames = truth.frames.filter((_, i) => i < truth.frames.length / 3 || next(1000) >= 3);
      const result = runSegments(frames);
      assert.deepEqual(falsehoods(result, truth), []);
      whole += shownWhole(frames, plan, truth.pairs);
      found += result.answered.length;
    }
    assert.ok(found > share * whole, `${found} of ${whole}`);
  });
}

// Neither does it wait on a connection older than the capture: `window` keeps so many requests under way as long as it has any to send.
for (const [client, share] of [
  ["free", 0.25],
  ["batches", 0.5],
  ["window3", 0.4],
] as const) {
  it(`a capture that begins in the middle, of a client that ${client}, on long connections: a good part of what is there is told, and nothing that is not true`, () => {
    let whole = 0;
    let found = 0;
    for (const short of fc.sample(plans(client), { numRuns: 40, seed: 3 })) {
      const next = random(short.seed);
      const once = short.exchanges.map(inResp).map(withoutCommands);
      const round = once.map((one) => ({
        ...one,
        serviceUs: Math.ceil(one.serviceUs / 30),
        requestSize: one.requestSize % 200,
      }));
      const exchanges = Array.from({ length: Math.ceil(300 / round.length) }, () => round).flat();
      const plan = { ...short, exchanges, hasHandshake: false };
      const truth = simulate(plan);
      const frames = truth.frames.slice(next(Math.floor(truth.frames.length / 4)));
      const result = runSegments(frames);
      assert.deepEqual(falsehoods(result, truth), []);
      whole += shownWhole(frames, plan, truth.pairs);
      found += result.answered.length;
    }
    assert.ok(found > share * whole, `${found} of ${whole}`);
  });
}
