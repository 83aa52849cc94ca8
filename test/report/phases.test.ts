import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PhaseTime, phasesOf } from "../../src/report/phases.ts";
import { type SlowRequest, slowRequest } from "../../src/report/slowest.ts";
import { type Verdict, verdictOf } from "../../src/report/verdict.ts";
import { Resend } from "../../src/transactions/resend.ts";
import { transaction } from "../aggregate/fixtures.ts";

const NO_VERDICT = { cause: "server", causeUs: 0, rttUs: null, zeroWindowUs: 0, behind: null };
const NOTHING = { send: 0, queue: 0, retransmission: 0, network: 0, server: 0, receive: 0 };

function request(sendUs: number, waitUs: number, queueUs: number, receiveUs: number): SlowRequest {
  const latencyUs = sendUs + waitUs + receiveUs;
  return slowRequest(transaction({ latencyUs, sendUs, waitUs, receiveUs, queueUs }), null);
}

/** A request whose latency went into these shares, and into `restUs` more that nobody can tell apart. */
function judged(changes: Partial<Verdict["shares"]>, restUs = 0): SlowRequest {
  const shares = { ...NOTHING, ...changes };
  const latencyUs = Object.values(shares).reduce<number>((all, us) => all + (us ?? 0), restUs);
  return slowRequest(transaction({ latencyUs }), { ...NO_VERDICT, shares });
}

const CASES: readonly [string, SlowRequest, readonly PhaseTime[]][] = [
  ["what was not measured stays in wait", request(0, 1000, 0, 0), [{ phase: "wait", us: 1000 }]],
  [
    "the queue is a part of the wait",
    request(10, 1000, 400, 5),
    [
      { phase: "send", us: 10 },
      { phase: "queue", us: 400 },
      { phase: "wait", us: 600 },
      { phase: "receive", us: 5 },
    ],
  ],
  [
    "what the verdict tells apart is drawn apart",
    judged({ send: 1, queue: 2, retransmission: 200_000, network: 600, server: 400, receive: 3 }),
    [
      { phase: "send", us: 1 },
      { phase: "queue", us: 2 },
      { phase: "retransmission", us: 200_000 },
      { phase: "network", us: 600 },
      { phase: "server", us: 400 },
      { phase: "receive", us: 3 },
    ],
  ],
  [
    "where the way to the server is not known, what is left is server and network",
    judged({ retransmission: 200_000, server: null }, 5000),
    [
      { phase: "retransmission", us: 200_000 },
      { phase: "wait", us: 5000 },
    ],
  ],
];

for (const [name, of, expected] of CASES) test(name, () => assert.deepEqual(phasesOf(of), expected));

test("the phases of a latency add up to it, whatever the verdict says", () => {
  const us = fc.nat(1_000_000);
  fc.assert(
    fc.property(us, us, us, us, us, fc.integer({ min: -1 }), (sendUs, waitUs, queueUs, receiveUs, lostUs, rttUs) => {
      const resent = { resends: Resend.timeout, resentRequestUs: lostUs, resentResponseUs: lostUs >> 1 };
      const times = { latencyUs: sendUs + waitUs + receiveUs, sendUs, waitUs, receiveUs };
      const of = transaction({ ...times, queueUs: Math.min(queueUs, waitUs), ...resent, toServerUs: rttUs });
      for (const verdict of [null, verdictOf(of)]) {
        const parts = phasesOf(slowRequest(of, verdict));
        assert.equal(
          parts.reduce((all, part) => all + part.us, 0),
          of.latencyUs,
        );
        assert.ok(parts.every((part) => part.us > 0));
      }
    }),
  );
});
