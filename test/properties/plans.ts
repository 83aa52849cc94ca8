import fc from "fast-check";
import type { Exchange, Plan } from "./simulation.ts";

const exchange: fc.Arbitrary<Exchange> = fc.record({
  request: fc.constantFrom("get" as const, "set" as const, "inline" as const, "setHostile" as const),
  reply: fc.constantFrom(...(["status", "error", "integer", "bulk", "nil", "array", "hostile", "double"] as const)),
  requestSize: fc.oneof(fc.nat(40), fc.nat(3000)),
  replySize: fc.oneof(fc.nat(40), fc.nat(3000)),
  serviceUs: fc.oneof(fc.nat(5), fc.nat(3000)),
  thinkUs: fc.oneof(fc.nat(5), fc.nat(3000), fc.nat(40_000)),
  joins: fc.boolean(),
});

/** Now and then some in a row differ in their key alone, as those of a client in a loop. */
const batches: fc.Arbitrary<Exchange[]> = fc
  .array(fc.record({ one: exchange, times: fc.constantFrom(1, 1, 1, 1, 2, 7) }), { minLength: 1, maxLength: 12 })
  .map((rows) =>
    rows.flatMap(({ one, times }) =>
      Array.from({ length: times }, (_, i) => (i === 0 ? one : { ...one, joins: true, thinkUs: 0 })),
    ),
  );

/** Sequence numbers anywhere, often shortly before they wrap. */
const initial = fc.oneof(fc.constant(1000), fc.integer({ min: 0xfffffc00, max: 0xffffffff }));

/** A dialogue of a client of this kind. */
export function plans(client: Plan["client"], fixed: Partial<Plan> = {}): fc.Arbitrary<Plan> {
  return fc
    .record({
      client: fc.constant(client),
      exchanges: client === "waits" ? fc.array(exchange, { minLength: 1, maxLength: 12 }) : batches,
      seed: fc.integer(),
      delayUs: fc.constantFrom(1, 50, 1000),
      segmentBytes: fc.constantFrom(20, 200, 1448),
      isServerCoalescing: fc.boolean(),
      ackPercent: fc.constantFrom(0, 30, 100),
      clientInitial: initial,
      serverInitial: initial,
      hasHandshake: fc.constant(true),
    })
    .map((plan) => ({ ...plan, ...fixed }));
}

/**
 * How often a property is tried. In `npm test` with the same cases each time, so that a change which breaks one is known
 * for its author; TCPLAT_LONG=1 tries many more, and others each time.
 */
export function runs(usual: number): { numRuns: number; seed?: number } {
  return process.env.TCPLAT_LONG === "1" ? { numRuns: usual * 40 } : { numRuns: usual, seed: 20_261_121 };
}
