import assert from "node:assert/strict";
import { test } from "node:test";
import { Inquiry } from "../../src/aggregate/inquiry.ts";
import { Resend } from "../../src/transactions/resend.ts";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { CACHE, GET, KV, SET, START_US, transaction } from "./fixtures.ts";

/** A server that does one thing at a time; SET stands for what may take long, GET never does. */
const SERIAL = { ...KV, isSerial: true, quickCommands: new Set([GET]) };

/** One request: its connection, when it came and was answered (µs), and changes. */
type Given = readonly [connectionId: number, fromUs: number, toUs: number, changes?: Partial<Transaction>];

function requestOf([connectionId, fromUs, toUs, changes = {}]: Given): Transaction {
  const latencyUs = toUs - fromUs;
  const times = { startUs: START_US + fromUs, endUs: START_US + toUs, latencyUs, waitUs: latencyUs };
  return transaction({ protocol: SERIAL, connectionId, requestNumber: 1, commandId: SET, ...times, ...changes });
}

/** What is told of requests that end in this order, and behind whom each was. */
function tell(given: readonly Given[], until = Number.POSITIVE_INFINITY): string[] {
  const told: string[] = [];
  const inquiry = new Inquiry(({ connectionId, behind }) => {
    const whom = behind === null ? "" : ` behind ${behind.connectionId}-${behind.requestNumber} ${behind.us}`;
    told.push(`${connectionId}${whom}${behind !== null && behind.client !== null ? " elsewhere" : ""}`);
  });
  for (const each of given) {
    const request = requestOf(each);
    inquiry.advance(request.endUs);
    inquiry.note(request);
    inquiry.deliver(request, true);
  }
  inquiry.advance(until);
  return told;
}

const CASES: readonly (readonly [string, readonly Given[], readonly string[]])[] = [
  [
    "a script on another connection, answered first",
    [
      [1, 0, 50_000],
      [2, 10_000, 50_100, { commandId: GET }],
    ],
    ["1", "2 behind 1-1 40000 elsewhere"],
  ],
  [
    "the same, answered last: servers write replies in any order",
    [
      [2, 10_000, 49_900, { commandId: GET }],
      [1, 0, 50_000],
    ],
    ["2 behind 1-1 39900 elsewhere", "1"],
  ],
  [
    "a quick command is never to blame",
    [
      [1, 0, 50_000, { commandId: GET }],
      [2, 10_000, 50_100, { commandId: GET }],
    ],
    ["1", "2"],
  ],
  [
    "those who waited together do not blame each other",
    [
      [1, 0, 50_000],
      [2, 10_000, 50_100],
      [3, 20_000, 50_200],
    ],
    ["1", "2 behind 1-1 40000 elsewhere", "3 behind 1-1 30000 elsewhere"],
  ],
  [
    "one that goes on after the victim was answered did not hold it",
    [
      [2, 10_000, 50_000],
      [1, 0, 90_000],
    ],
    ["2", "1"],
  ],
  [
    "one that was over before is not to blame",
    [
      [1, 0, 9000],
      [2, 10_000, 50_000],
    ],
    ["1", "2"],
  ],
  [
    "less than half of the wait is not the reason",
    [
      [1, 0, 20_000],
      [2, 10_000, 50_000],
    ],
    ["1", "2"],
  ],
  [
    "of two in turn the longer one is named",
    [
      [1, 0, 12_000],
      [3, 9000, 60_000],
      [2, 10_000, 60_100],
    ],
    ["1", "3", "2 behind 3-1 50000 elsewhere"],
  ],
  [
    "who waited longer for its own connection's keeps that",
    [
      [1, 0, 50_000],
      [2, 10_000, 50_100, { behind: { connectionId: 2, requestNumber: 7, commandId: SET, us: 45_000, client: null } }],
    ],
    ["1", "2 behind 2-7 45000"],
  ],
  [
    "the way to the server and back is nobody's work: held no longer than the server's share",
    [
      [1, 0, 52_000, { toServerUs: 2000 }],
      [2, 10_000, 52_100, { toServerUs: 4000 }],
    ],
    ["1", "2 behind 1-1 38100 elsewhere"],
  ],
  [
    "what was lost on the way was not held by the server",
    [
      [1, 0, 50_000],
      [2, 10_000, 50_100, { resends: Resend.request | Resend.timeout, resentRequestUs: 40_050 }],
      [3, 10_000, 50_100, { resends: Resend.request | Resend.timeout, resentRequestUs: 30_000 }],
    ],
    ["1", "2", "3 behind 1-1 10000 elsewhere"],
  ],
  [
    "what it waited for its own connection's is not the other's",
    [
      [1, 0, 50_000],
      [2, 10_000, 50_100, { queueUs: 30_000 }],
    ],
    ["1", "2 behind 1-1 10000 elsewhere"],
  ],
  [
    "nor did one whose answer left 1 ms after the victim's",
    [
      [2, 10_000, 50_000],
      [1, 0, 51_500],
    ],
    ["2", "1"],
  ],
  [
    "one that came later does not hide the one that was there",
    [
      [1, 0, 50_000],
      [4, 20_000, 60_000],
      [2, 10_000, 60_050, { commandId: GET }],
    ],
    ["1", "4 behind 1-1 30000 elsewhere", "2 behind 1-1 40000 elsewhere"],
  ],
  [
    "of servers without numbers of their own nobody knows which is which",
    [
      [1, 0, 50_000, { server: { id: 0, text: "other" } }],
      [2, 10_000, 50_100, { server: { id: 0, text: "other" } }],
    ],
    ["1", "2"],
  ],
  [
    "another server's are not to blame",
    [
      [1, 0, 50_000, { server: { id: 2, text: "192.168.0.3:6379" } }],
      [2, 10_000, 50_100],
    ],
    ["1", "2"],
  ],
  [
    "a server with several threads does not hold one for another",
    [
      [1, 0, 50_000, { protocol: CACHE }],
      [2, 10_000, 50_100, { protocol: CACHE }],
    ],
    ["1", "2"],
  ],
  [
    "what is told in between keeps its place",
    [
      [1, 0, 50_000],
      [3, 50_000, 50_050],
      [2, 10_000, 50_100],
      [4, 50_100, 50_150],
    ],
    ["1", "3", "2 behind 1-1 40000 elsewhere", "4"],
  ],
];

for (const [name, given, expected] of CASES) test(`held by: ${name}`, () => assert.deepEqual(tell(given), expected));

test("what was quick is told at once, and what was long within 2 ms of the capture's clock", () => {
  assert.deepEqual(tell([[1, 0, 900]], START_US), ["1"]);
  assert.deepEqual(tell([[1, 0, 5000]], START_US + 6999), []);
  assert.deepEqual(tell([[1, 0, 5000]], START_US + 7000), ["1"]);
});

test("an unanswered request is told in its place", () => {
  const lost = requestOf([3, 0, 50_000, { unanswered: "timeout", waitedUs: 50_000 }]);
  const told: string[] = [];
  const inquiry = new Inquiry(({ connectionId, unanswered }) => told.push(`${connectionId}${unanswered}`));
  inquiry.deliver(requestOf([1, 0, 50_000]), true);
  inquiry.deliver({ ...lost, endUs: Number.NaN, waitUs: Number.NaN }, true);
  assert.deepEqual(told, []);
  inquiry.advance(Number.POSITIVE_INFINITY);
  assert.deepEqual(told, ["1", "3timeout"]);
});

test("what else is told comes in its place, behind those that are held", () => {
  const told: string[] = [];
  const inquiry = new Inquiry(({ connectionId }) => told.push(`${connectionId}`));
  inquiry.inTurn(() => told.push("at once"));
  inquiry.deliver(requestOf([1, 0, 50_000]), true);
  inquiry.inTurn(() => told.push("connect"));
  inquiry.deliver(requestOf([2, 0, 50_000]), true);
  assert.deepEqual(told, ["at once"]);
  inquiry.advance(Number.POSITIVE_INFINITY);
  assert.deepEqual(told, ["at once", "1", "connect", "2"]);
  inquiry.deliver(requestOf([3, 0, 50_000]), true);
  inquiry.advance(Number.POSITIVE_INFINITY);
  assert.equal(told.at(-1), "3");
});

test("no more than 4096 are held: beyond, the oldest is told as it is", () => {
  let told = 0;
  const inquiry = new Inquiry(() => told++);
  for (let i = 0; i < 5000; i++) inquiry.deliver(requestOf([i, 0, 50_000]), true);
  assert.equal(told, 5000 - 4096);
});
