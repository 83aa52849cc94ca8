import assert from "node:assert/strict";
import { test } from "node:test";
import { RoundTrip } from "../../src/connection/round-trip.ts";

const SECOND = 1_000_000;

/** What happens at a time, and the estimate behind it. */
type Step = readonly ["hands" | "ack" | "dataAck", atUs: number, tookUs: number, estimateUs: number];

const CASES: readonly (readonly [string, readonly Step[]])[] = [
  ["the handshake is the first estimate", [["hands", 0, 3100, 3100]]],
  [
    "an acknowledgement with data makes it shorter, and never longer: it waited for the data",
    [
      ["hands", 0, 3100, 3100],
      ["dataAck", 100, 2900, 2900],
      ["dataAck", 200, 9000, 2900],
      ["dataAck", 20 * SECOND, 9000, 2900],
    ],
  ],
  [
    "one that a host held back for 40 ms, as it may, makes it no longer",
    [
      ["hands", 0, 500, 500],
      ["ack", 15 * SECOND, 40_500, 500],
      ["ack", 30 * SECOND, 200_500, 500],
    ],
  ],
  [
    "the least of the last ten to twenty seconds counts: a longer way is noticed, and a shorter one at once",
    [
      ["hands", 0, 1000, 1000],
      ["ack", 2 * SECOND, 5000, 1000],
      ["ack", 11 * SECOND, 5000, 1000],
      ["ack", 21 * SECOND + 1, 5100, 5000],
      ["ack", 22 * SECOND, 800, 800],
      ["ack", 33 * SECOND, 2000, 800],
      ["ack", 44 * SECOND, 2100, 2000],
    ],
  ],
  [
    "without a handshake four acknowledgements are waited for, and the least of them counts",
    [
      ["ack", 1, 5000, -1],
      ["dataAck", 2, 700, -1],
      ["ack", 3, 900, -1],
      ["dataAck", 4, 60_000, 700],
      ["dataAck", 5, 60_000, 700],
    ],
  ],
  [
    "times that run backwards are none",
    [
      ["hands", 0, -5, -1],
      ["hands", 0, 400, 400],
      ["ack", 1, -300, 400],
    ],
  ],
  [
    "the clock's low 32 bits wrap",
    [
      ["hands", 2 ** 31 - 5 * SECOND, 1000, 1000],
      ["ack", (2 ** 31 + 6 * SECOND) | 0, 5000, 1000],
      ["ack", (2 ** 31 + 17 * SECOND) | 0, 5000, 5000],
    ],
  ],
];

for (const [name, steps] of CASES) {
  test(`a round trip: ${name}`, () => {
    const roundTrip = new RoundTrip();
    for (const [kind, atUs, tookUs, estimateUs] of steps) {
      if (kind === "hands") roundTrip.shookHands(tookUs, atUs);
      else roundTrip.acknowledged(tookUs, kind === "dataAck", atUs);
      assert.equal(roundTrip.us, estimateUs, `${kind} at ${atUs}`);
    }
  });
}

test("what counts as a round trip of its own is an acknowledgement without data, not held back", () => {
  const roundTrip = new RoundTrip();
  roundTrip.shookHands(1000, 0);
  assert.deepEqual(
    [
      roundTrip.acknowledged(1200, false, 1),
      roundTrip.acknowledged(1200, true, 2),
      roundTrip.acknowledged(41_200, false, 3),
    ],
    [true, false, false],
  );
});
