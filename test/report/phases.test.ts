import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PhaseTime, phasesOf } from "../../src/report/phases.ts";
import { type SlowRequest, slowRequest } from "../../src/report/slowest.ts";
import type { Verdict } from "../../src/report/verdict.ts";
import { transaction } from "../aggregate/fixtures.ts";

const NO_VERDICT: Verdict = {
  cause: "unknown",
  causeUs: 0,
  serverUs: null,
  rttUs: null,
  retransmitUs: 0,
  zeroWindowUs: 0,
  behind: null,
};

function request(
  sendUs: number,
  waitUs: number,
  queueUs: number,
  receiveUs: number,
  verdict: Verdict | null,
): SlowRequest {
  return slowRequest(
    transaction({ latencyUs: sendUs + waitUs + receiveUs, sendUs, waitUs, receiveUs, queueUs }),
    verdict,
  );
}

const CASES: readonly [string, SlowRequest, readonly PhaseTime[]][] = [
  ["what was not measured stays in wait", request(0, 1000, 0, 0, null), [{ phase: "wait", us: 1000 }]],
  [
    "the queue is a part of the wait",
    request(10, 1000, 400, 5, null),
    [
      { phase: "send", us: 10 },
      { phase: "queue", us: 400 },
      { phase: "wait", us: 600 },
      { phase: "receive", us: 5 },
    ],
  ],
  [
    "with the server's share known the rest is the network's",
    request(0, 1000, 0, 0, { ...NO_VERDICT, serverUs: 300 }),
    [
      { phase: "network", us: 700 },
      { phase: "server", us: 300 },
    ],
  ],
  [
    "a repetition is taken out of the wait",
    request(0, 201_000, 0, 0, { ...NO_VERDICT, serverUs: 400, retransmitUs: 200_000 }),
    [
      { phase: "retransmission", us: 200_000 },
      { phase: "network", us: 600 },
      { phase: "server", us: 400 },
    ],
  ],
  [
    "and out of the receiving, where the wait is too short for it",
    request(0, 500, 0, 210_000, { ...NO_VERDICT, retransmitUs: 200_000 }),
    [
      { phase: "retransmission", us: 200_000 },
      { phase: "receive", us: 10_500 },
    ],
  ],
];

for (const [name, of, expected] of CASES) test(name, () => assert.deepEqual(phasesOf(of), expected));

test("the phases of a latency add up to it, whatever the verdict says", () => {
  const us = fc.nat(1_000_000);
  fc.assert(
    fc.property(us, us, us, us, us, fc.option(us), (send, wait, queue, receive, retransmitUs, serverUs) => {
      const of = request(send, wait, Math.min(queue, wait), receive, { ...NO_VERDICT, retransmitUs, serverUs });
      const parts = phasesOf(of);
      assert.equal(
        parts.reduce((all, part) => all + part.us, 0),
        of.latencyUs,
      );
      assert.ok(parts.every((part) => part.us > 0));
    }),
  );
});
