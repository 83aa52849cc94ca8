import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ahead } from "../../src/transactions/ahead.ts";

interface Service {
  readonly fromUs: number;
  readonly toUs: number;
  readonly requestNumber: number;
}

/** What one complete at `sinceUs` waited for each of them; the longest, of equal ones the first. */
function bruteForce(services: readonly Service[], sinceUs: number): { number: number; us: number } | null {
  let found: { number: number; us: number } | null = null;
  for (const { fromUs, toUs, requestNumber } of services) {
    const us = toUs - Math.max(fromUs, sinceUs);
    if (us > (found?.us ?? 0)) found = { number: requestNumber, us };
  }
  return found;
}

test("the request waited for most is the longest of those before, as far as it was waited for", () => {
  const step = fc.record({ idleUs: fc.nat(300), workUs: fc.integer({ min: 10, max: 1000 }), backUs: fc.nat(2000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const ahead = new Ahead();
      const services: Service[] = [];
      let nowUs = 1000;
      let askedUs = 0;
      steps.forEach(({ idleUs, workUs, backUs }, index) => {
        const fromUs = nowUs + idleUs;
        nowUs = fromUs + workUs;
        services.push({ fromUs, toUs: nowUs, requestNumber: index + 1 });
        ahead.note(fromUs, nowUs, index + 1, 0);
        // Requests of one connection are complete in order.
        askedUs = Math.max(askedUs, nowUs - backUs);
        const expected = bruteForce(services, askedUs);
        const found = ahead.longest(1, askedUs);
        assert.equal(found?.us, expected !== null && expected.us >= 10 ? expected.us : undefined);
        if (found !== null) {
          const { fromUs: from, toUs: to } = services[found.requestNumber - 1]!;
          assert.equal(to - Math.max(from, askedUs), found.us);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test("who waited for nobody, or for too short a time, waited behind nobody", () => {
  const ahead = new Ahead();
  assert.equal(ahead.longest(1, 0), null);
  ahead.note(100, 200, 1, 0);
  assert.equal(ahead.longest(1, 195), null);
  ahead.note(200, 300, 2, 7);
  assert.deepEqual(ahead.longest(9, 250), {
    connectionId: 9,
    requestNumber: 2,
    commandId: 7,
    us: 50,
    client: null,
  });
  assert.equal(ahead.longest(9, 300), null);
});

test("it remembers a bounded number of ever shorter ones, the latest", () => {
  const ahead = new Ahead();
  let nowUs = 0;
  for (let i = 0; i < 100; i++) {
    ahead.note(nowUs, nowUs + 1000 - i, i + 1, 0);
    nowUs += 1000 - i;
  }
  assert.equal(ahead.longest(1, 0)!.requestNumber, 69);
});
