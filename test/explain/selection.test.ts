import assert from "node:assert/strict";
import { test } from "node:test";
import { TcpFlag } from "../../src/decode/segment.ts";
import { Selection } from "../../src/explain/selection.ts";
import { isElision, type Rung } from "../../src/explain/steps.ts";

/** The n-th of many segments: 100 bytes, from the client and the server in turn. */
function rung(n: number, changes: Partial<Rung> = {}): Rung {
  return {
    atUs: n,
    gapUs: n === 0 ? null : 1,
    isFromClient: n % 2 === 0,
    flags: TcpFlag.ack,
    bytes: 100,
    sequence: n,
    acknowledgement: 0,
    window: 512,
    parts: [],
    acknowledges: null,
    oddities: [],
    ...changes,
  };
}

/** When each of those kept came; of those that are only counted what they stand for. */
function kept(rungs: readonly Rung[]): (number | string)[] {
  const selection = new Selection();
  for (const each of rungs) selection.add(each);
  return selection.end().map((step) => {
    if (!isElision(step)) return step.atUs;
    const { elided, fromClientBytes, fromServerBytes, retransmissions } = step;
    return `${elided}: ${fromClientBytes} up, ${fromServerBytes} down, ${retransmissions} again`;
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

test("of few segments all are kept, of many the first 24 and the last 16, and the others are counted", () => {
  const few = range(0, 40);
  assert.deepEqual(kept(few.map((n) => rung(n))), few);
  const many = range(0, 101).map((n) => rung(n));
  assert.deepEqual(kept(many), [...range(0, 24), "61: 3100 up, 3000 down, 0 again", ...range(85, 101)]);
});

test("of segments sent again five are kept of each direction, and the others are counted as such", () => {
  const again = { what: "retransmission", us: 1, by: "fast", isNeeded: true } as const;
  const many = range(0, 100).map((n) => rung(n, n >= 30 && n < 50 ? { oddities: [again] } : {}));
  const steps = kept(many);
  assert.deepEqual(steps.slice(24, 36), [
    "6: 300 up, 300 down, 0 again",
    ...range(30, 40),
    "44: 2200 up, 2200 down, 10 again",
  ]);
});

test("a connection's beginning and end are kept, and of a series of duplicate acknowledgements the first", () => {
  const duplicate = (times: number): Partial<Rung> => ({ oddities: [{ what: "duplicate_ack", times }] });
  const odd = new Map<number, Partial<Rung>>([
    [30, { flags: TcpFlag.fin | TcpFlag.ack }],
    [41, duplicate(1)],
    [43, duplicate(2)],
  ]);
  const steps = kept(range(0, 100).map((n) => rung(n, odd.get(n))));
  assert.deepEqual(
    steps.slice(24, -16).filter((step) => typeof step === "number"),
    [30, 41],
  );
});
