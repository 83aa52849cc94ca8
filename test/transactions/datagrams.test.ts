import assert from "node:assert/strict";
import { test } from "node:test";
import { flagNames } from "../../src/transactions/names.ts";
import { runBatches } from "../properties/run.ts";
import { answer, question } from "../support/dns.ts";
import { BEGIN_US, batchOf, datagram, type TestHost, type TestSegment } from "../support/segments.ts";

const CLIENT: TestHost = { address: "10.0.0.1", port: 40_001 };
const SERVER: TestHost = { address: "10.0.0.2", port: 53 };
const SECOND = 1_000_000;

const asked = (at: number, id: number, name: string) => datagram(at, CLIENT, SERVER, question(id, name), at & 0xffff);
const said = (at: number, id: number, name: string) => datagram(at + 10, SERVER, CLIENT, answer(id, name), at & 0xffff);

/** Others keep the port busy, each second: what has been told is remembered only so long as something is said. */
function others(): TestSegment[] {
  return [1, 2, 3, 4, 5, 6].flatMap((n) => [asked(n * SECOND, n, `n${n}`), said(n * SECOND, n, `n${n}`)]);
}

/** What is told of `a`, and why answers found no question, with a time-out of 5 s. */
function outcome(...frames: readonly TestSegment[]): readonly string[] {
  const all = [...frames, ...others()].sort((one, other) => one.timeUs - other.timeUs);
  const result = runBatches(
    all.map((frame) => batchOf([frame])),
    1,
    { requestTimeoutUs: 5 * SECOND },
  );
  assert.deepEqual(result.violations, []);
  const late = result.pipeline
    .snapshot()
    .servers.flatMap(({ services }) => services)
    .reduce((sum, { unmatched }) => sum + unmatched.late, 0);
  return [
    ...result.finished
      .filter(({ text }) => text === "A a")
      .map((one) => one.unanswered || `${one.startUs - BEGIN_US} ${one.endUs - BEGIN_US}`),
    `${late} late`,
  ];
}

test("a question that is asked again after its time-out is a request of its own, with its own answer", () => {
  const again = 6.5 * SECOND;
  assert.deepEqual(outcome(asked(0, 99, "a"), asked(again, 99, "a"), said(again, 99, "a")), [
    "timeout",
    `${again} ${again + 10}`,
    "0 late",
  ]);
});

test("one that is asked again before its time-out is the same request", () => {
  const again = 4.5 * SECOND;
  assert.deepEqual(outcome(asked(0, 99, "a"), asked(again, 99, "a"), said(again, 99, "a")), [
    `0 ${again + 10}`,
    "0 late",
  ]);
});

test("an answer that comes after the time-out is late where nobody has asked again", () => {
  assert.deepEqual(outcome(asked(0, 99, "a"), said(6.5 * SECOND, 99, "a")), ["timeout", "1 late"]);
});

test("two servers that ask each other from port 53 are each the other's client, with the same id and question, too", () => {
  const [one, other]: TestHost[] = [{ ...CLIENT, port: 53 }, SERVER];
  const frames = [
    datagram(0, one!, other!, question(5, "a"), 1),
    datagram(10, other!, one!, question(5, "a"), 2),
    datagram(30, other!, one!, answer(5, "a"), 3),
    datagram(70, one!, other!, answer(5, "a"), 4),
    datagram(100, other!, one!, question(6, "b"), 5),
    datagram(110, one!, other!, answer(6, "b"), 6),
  ];
  const result = runBatches([batchOf(frames)], 1);
  assert.deepEqual(result.violations, []);
  assert.deepEqual(
    result.finished.map((each) => [each.text, each.startUs - BEGIN_US, each.endUs - BEGIN_US]),
    [
      ["A a", 0, 30],
      ["A a", 10, 70],
      ["A b", 100, 110],
    ],
  );
});

/** What is told, by name: its flags and latency, or why it has none; and how many answers are nobody's. */
function told(...frames: readonly TestSegment[]): readonly string[] {
  const result = runBatches(
    frames.map((frame) => batchOf([frame])),
    1,
    { requestTimeoutUs: 5 * SECOND },
  );
  assert.deepEqual(result.violations, []);
  const nobodys = result.pipeline
    .snapshot()
    .servers.flatMap(({ services }) => services)
    .reduce((sum, { unmatched }) => sum + unmatched.no_request, 0);
  const lines = result.finished.map((one) =>
    [one.text, one.unanswered || one.latencyUs, ...flagNames(one.flags)].join(" "),
  );
  return [...lines, `${nobodys} unmatched`];
}

/** An answer at exactly this time. */
const answered = (at: number, id: number, name: string) => said(at - 10, id, name);

test("an answer that was captured before its question is its own, with the latency that its time leaves", () => {
  assert.deepEqual(told(answered(100, 7, "a"), asked(130, 7, "a")), ["A a 0 out_of_order clock_skew", "0 unmatched"]);
  assert.deepEqual(told(answered(130, 7, "a"), asked(100, 7, "a")), ["A a 30 out_of_order", "0 unmatched"]);
});

test("so are two, to questions that were asked together", () => {
  assert.deepEqual(told(answered(100, 7, "a"), answered(110, 8, "b"), asked(120, 8, "b"), asked(130, 7, "a")), [
    "A b 0 out_of_order clock_skew",
    "A a 0 out_of_order clock_skew",
    "0 unmatched",
  ]);
});

test("one that came more than 50 ms before is another's, and so is one to another question", () => {
  assert.deepEqual(told(answered(0, 7, "a"), asked(50_001, 7, "a")), ["A a end", "1 unmatched"]);
  assert.deepEqual(told(answered(0, 7, "b"), asked(10, 7, "a"), answered(30, 7, "a")), ["A a 20", "1 unmatched"]);
});

test("an answer too many does not become that of the next question with its id", () => {
  const frames = [
    asked(0, 7, "a"),
    answered(20, 7, "a"),
    answered(40, 7, "a"),
    asked(100, 7, "a"),
    answered(130, 7, "a"),
  ];
  assert.deepEqual(told(...frames), ["A a 20", "A a 30", "1 unmatched"]);
});

test("answers that nobody has asked for are counted, however many come first", () => {
  const frames = [1, 2, 3, 4, 5, 6].map((n) => answered(n * 1000, n, "a"));
  assert.deepEqual(told(...frames), ["6 unmatched"]);
  assert.deepEqual(told(...frames, asked(3 * SECOND, 9, "z"), answered(3 * SECOND + 10, 9, "z")), [
    "A z 10",
    "6 unmatched",
  ]);
});
