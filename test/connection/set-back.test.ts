import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { SetBack } from "../../src/connection/set-back.ts";
import type { Pipeline } from "../../src/pipeline.ts";
import { runSegments } from "../properties/run.ts";
import { BEGIN_US, Dialogue, SERVER, type TestSegment } from "../support/segments.ts";

const S = 1_000_000;
const HOUR = 3600 * S;
const GET = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
const PING = "*1\r\n$4\r\nPING\r\n";

/** Frames of another connection, one a second, until `second`: they move the clock. */
function others(untilSecond: number): TestSegment[] {
  const d = new Dialogue({ address: "10.0.0.9", port: 50_000 }, SERVER);
  d.open(-HOUR);
  for (let at = 1; at <= untilSecond; at++) {
    d.client(at * S - HOUR, PING);
    d.server(at * S - HOUR + 100, "+PONG\r\n");
  }
  return d.segments;
}

/** In the order of their times, behind what was captured before the clock was set back. */
function inOrder(before: number, d: Dialogue, more: readonly TestSegment[]): TestSegment[] {
  const after = [...d.segments.slice(before), ...more].sort((a, b) => a.timeUs - b.timeUs);
  return [...d.segments.slice(0, before), ...after];
}

describe("where the clock was set back by an hour", () => {
  it("a frame that the capture has lost does not hold its connection up until the hour is over", () => {
    const d = new Dialogue();
    d.open();
    const before = d.segments.length;
    const lost: TestSegment[] = [];
    for (let i = 0; i < 40; i++) {
      d.client(i * S + 100 - HOUR, GET);
      const reply = d.server(i * S + 300 - HOUR, "$1\r\nv\r\n");
      if (i === 1) lost.push(reply);
    }
    const segments = inOrder(before, d, others(40)).filter((segment) => !lost.includes(segment));
    let heldAtEnd = -1;
    const result = runSegments(segments, {
      checksEveryFrame: true,
      meanwhile: (pipeline, index) => {
        if (index === segments.length - 1) heldAtEnd = pipeline.table.reassembly.heldBytes;
      },
    });
    assert.equal(heldAtEnd, 0);
    assert.equal(result.unanswered.length, 1);
    assert.ok(result.answered.every((one) => one.latencyUs === 200 || one.latencyUs === 100));
  });

  it("a request waits for its response as long as ever: by the time stamps of its frames", () => {
    const d = new Dialogue();
    d.open();
    const before = d.segments.length;
    d.client(2 * S - HOUR, GET);
    const told = (untilSecond: number): string[] =>
      runSegments(inOrder(before, d, others(untilSecond))).unanswered.map((one) => one.unanswered);
    assert.deepEqual(told(61), ["end"]);
    assert.deepEqual(told(65), ["timeout"]);
  });

  it("a request of a quiet host times out as well: time passes while nothing comes", () => {
    const told = (untilSecond: number): string[] => {
      const d = new Dialogue();
      d.open();
      d.client(2 * S - HOUR, GET);
      const silent = d.segments.length;
      d.ack("client", untilSecond * S - HOUR);
      const meanwhile = (pipeline: Pipeline, index: number): void => {
        for (let at = 1; index === silent && at <= untilSecond; at += 0.25) pipeline.idle(BEGIN_US + at * S - HOUR);
      };
      return runSegments(d.segments, { checksEveryFrame: true, meanwhile }).unanswered.map((one) => one.unanswered);
    };
    assert.deepEqual(told(61), ["end"]);
    assert.deepEqual(told(65), ["timeout"]);
  });
});

test("frames without times, all stamped 0, are none that go back", () => {
  const d = new Dialogue();
  d.open();
  d.client(0, PING);
  d.server(0, "+PONG\r\n");
  const { answered, pipeline } = runSegments(d.segments.map((segment) => ({ ...segment, timeUs: 0 })));
  assert.equal(answered.length, 1);
  assert.equal(pipeline.table.clockRegressions, 0);
});

describe("time behind the clock", () => {
  const passed = (...stamps: readonly number[]): number[] => {
    const setBack = new SetBack();
    return stamps.map((stamp) => setBack.passed(1_000 * S + stamp, 1_000 * S));
  };

  it("goes by from frame to frame once the clock was set back", () => {
    assert.deepEqual(passed(-100 * S, -99 * S, -99 * S + 5, -90 * S), [0, S, 5, 9 * S - 5]);
  });

  it("does not go by for frames that are a moment late", () => {
    assert.deepEqual(passed(-5, -3, -9 * S, -2 * S), [0, 0, 0, 0]);
  });

  it("goes by once where frames come out of order", () => {
    assert.deepEqual(passed(-100 * S, -99 * S, -99 * S - 10, -99 * S + 10), [0, S, 0, 10]);
  });

  it("does not go by with a jump", () => {
    assert.deepEqual(passed(-100 * S, -50 * S, -300 * S, -299 * S), [0, 0, 0, S]);
  });
});
