import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Resend } from "../../src/transactions/resend.ts";
import { addShares, CAUSES, Shares, serverShareUs, serverUs } from "../../src/transactions/shares.ts";
import { Flag, type Transaction } from "../../src/transactions/transaction.ts";
import { transaction } from "../aggregate/fixtures.ts";

const RESENT = { resends: Resend.timeout | Resend.request };

function splitOf(times: Partial<Transaction>): Shares {
  const { sendUs = 0, waitUs = 0, receiveUs = 0 } = times;
  const latencyUs = sendUs + waitUs + receiveUs;
  return new Shares().split(transaction({ sendUs, waitUs, receiveUs, ...times, latencyUs }));
}

/** server, network, retransmission, queue, send, receive. */
function list(shares: Shares): number[] {
  return CAUSES.slice(0, -1).map((_, cause) => shares.share(cause));
}

const CASES: readonly (readonly [string, Partial<Transaction>, readonly number[], cause: string])[] = [
  [
    "the wait is the way there and back, then the server's",
    { waitUs: 1000, toServerUs: 300 },
    [700, 300, 0, 0, 0, 0],
    "server",
  ],
  [
    "shorter than the way there and back is all network's",
    { waitUs: 200, toServerUs: 300 },
    [0, 200, 0, 0, 0, 0],
    "network",
  ],
  ["on the server's host all of it is the server's", { waitUs: 200, toServerUs: 0 }, [200, 0, 0, 0, 0, 0], "server"],
  ["while the way is not known nobody can say", { waitUs: 200, toServerUs: -1 }, [200, 0, 0, 0, 0, 0], "unknown"],
  [
    "but a larger share of another kind is known",
    { waitUs: 200, receiveUs: 300, toServerUs: -1 },
    [200, 0, 0, 0, 0, 300],
    "receive",
  ],
  ["nothing at all is the server's", { toServerUs: -1 }, [0, 0, 0, 0, 0, 0], "server"],
  ["sending a large request", { sendUs: 900, waitUs: 500, toServerUs: 100 }, [400, 100, 0, 0, 900, 0], "send"],
  ["waiting behind others", { waitUs: 1000, queueUs: 800, toServerUs: 300 }, [200, 300, 0, 500, 0, 0], "queue"],
  [
    "a request sent again after 200 ms",
    { waitUs: 200_500, toServerUs: 100, ...RESENT, resentRequestUs: 200_000 },
    [400, 100, 200_000, 0, 0, 0],
    "retransmission",
  ],
  [
    "a segment in the middle of a large request: what stood still while it was sent is not sending",
    { sendUs: 210_000, waitUs: 500, toServerUs: 100, ...RESENT, resentRequestUs: 200_500 },
    [0, 0, 200_500, 0, 10_000, 0],
    "retransmission",
  ],
  [
    "a segment in the middle of a response",
    {
      waitUs: 500,
      receiveUs: 210_000,
      toServerUs: 100,
      resends: Resend.fast | Resend.response,
      resentResponseUs: 200_000,
    },
    [400, 100, 200_000, 0, 0, 10_000],
    "retransmission",
  ],
  [
    "those ahead waited for the same lost segment: that is no queue",
    { waitUs: 201_000, queueUs: 200_900, toServerUs: 50, ...RESENT, resentRequestUs: 200_000 },
    [100, 50, 200_000, 850, 0, 0],
    "retransmission",
  ],
  ["a hole forbids a verdict", { waitUs: 1000, toServerUs: 10, flags: Flag.gap }, [990, 10, 0, 0, 0, 0], "unknown"],
  [
    "so does a clock that was set",
    { waitUs: 1000, toServerUs: 10, flags: Flag.clockSkew },
    [990, 10, 0, 0, 0, 0],
    "unknown",
  ],
  [
    "what merely came out of order does not",
    { waitUs: 1000, toServerUs: 10, flags: Flag.outOfOrder },
    [990, 10, 0, 0, 0, 0],
    "server",
  ],
  ["of equal shares the server's is told", { waitUs: 200, toServerUs: 100 }, [100, 100, 0, 0, 0, 0], "server"],
];

for (const [name, times, expected, cause] of CASES) {
  test(`shares: ${name}`, () => {
    const shares = splitOf(times);
    assert.deepEqual(list(shares), expected);
    assert.equal(CAUSES[shares.causeId], cause);
  });
}

const us = fc.oneof(fc.nat(100), fc.nat(1_000_000));
const any = fc.record({
  sendUs: us,
  waitUs: us,
  receiveUs: us,
  queueUs: us,
  toServerUs: fc.integer({ min: -1, max: 500_000 }),
  resends: fc.constantFrom(0, RESENT.resends, Resend.fast | Resend.response, 0xf00),
  resentRequestUs: us,
  resentResponseUs: us,
  flags: fc.nat(255),
});

test("the shares add up to the latency, none is below 0, and the cause is the largest, whatever was measured", () => {
  fc.assert(
    fc.property(any, (times) => {
      const shares = splitOf({ ...times, queueUs: Math.min(times.queueUs, times.waitUs) });
      const all = list(shares);
      assert.equal(
        all.reduce((sum, share) => sum + share, 0),
        times.sendUs + times.waitUs + times.receiveUs,
      );
      assert.ok(all.every((share) => share >= 0));
      const cause = CAUSES[shares.causeId]!;
      if (cause !== "unknown") assert.equal(shares.causeUs, Math.max(...all));
      const sums = new Float64Array(CAUSES.length);
      shares.addTo(sums);
      assert.equal(
        sums.reduce((sum, share) => sum + share, 0),
        all.reduce((sum, share) => sum + share, 0),
      );
      if (shares.isNetworkUnknown) assert.equal(sums[0], 0);
    }),
    { numRuns: 2000 },
  );
});

test("the server's part of the wait: without the round trip, never below 0, null while that is unknown", () => {
  const cases = [
    [1000, 300, 700],
    [200, 300, 0],
    [200, 0, 200],
    [200, -1, null],
  ] as const;
  for (const [waitUs, toServerUs, expected] of cases)
    assert.equal(serverUs(transaction({ waitUs, toServerUs })), expected);
});

/** What is added to sums, by the names of the causes. */
function added(add: (sums: Float64Array) => void): Record<string, number> {
  const sums = Float64Array.from(CAUSES, (_, cause) => cause + 1);
  add(sums);
  return Object.fromEntries(CAUSES.map((cause, index) => [cause, sums[index]! - index - 1]));
}

test("sums hold each share under its own cause, and the server's under unknown where the way is not known", () => {
  const times = { sendUs: 900, waitUs: 2000, receiveUs: 70, queueUs: 800, ...RESENT, resentRequestUs: 200 };
  const known = { server: 1200, network: 300, retransmission: 200, queue: 300, send: 900, receive: 70, unknown: 0 };
  assert.deepEqual(
    added((sums) => splitOf({ ...times, toServerUs: 300 }).addTo(sums)),
    known,
  );
  assert.deepEqual(
    added((sums) => splitOf({ ...times, toServerUs: -1 }).addTo(sums)),
    { ...known, server: 0, network: 0, queue: 600, unknown: 1200 },
  );
});

test("a transaction that was all wait has the same shares on the short way", () => {
  const times = fc.record({
    waitUs: fc.nat(5000),
    queueUs: fc.nat(5000),
    toServerUs: fc.integer({ min: -1, max: 5000 }),
    count: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(times, ({ waitUs, queueUs: anyUs, toServerUs, count }) => {
      const queueUs = Math.min(anyUs, waitUs);
      const shares = splitOf({ waitUs, queueUs, toServerUs });
      assert.equal(serverShareUs(waitUs, queueUs, toServerUs), shares.server);
      assert.deepEqual(
        added((sums) => addShares(sums, waitUs, queueUs, toServerUs, count)),
        added((sums) => {
          for (let i = 0; i < count; i++) shares.addTo(sums);
        }),
      );
    }),
  );
});
