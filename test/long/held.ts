import { random } from "../properties/simulation.ts";
import type { Bound } from "./bound.ts";
import { GET, OK, Talk } from "./talk.ts";
import { endsOf, NOTHING, type Wire } from "./wire.ts";

/** Segments beyond a hole that nobody acknowledges: `sizes` bytes each, `count` of them, on each of the connections. */
function* beyondAHole(wire: Wire, connections: number, count: number, bytes: number): Generator<void> {
  const talks = Array.from({ length: connections }, (_, n) => new Talk(wire, endsOf(n)));
  for (const talk of talks) yield* talk.open();
  for (const talk of talks) yield* talk.client(GET);
  for (let n = 0; n < count; n++) {
    for (const talk of talks) {
      // The first byte is missing, and so is one between any two segments.
      const sequence = talk.serverNext + 1 + n * (bytes + 1);
      wire.send(talk.ends, false, sequence, talk.clientNext, NOTHING, { length: bytes });
      yield;
    }
  }
}

function inOrderOf(name: string, order: (count: number) => number[]): Bound {
  const count = 8000;
  return {
    name: `8,000 segments held by one connection, ${name}, ten times over`,
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let time = 0; time < 10; time++) {
        yield* talk.client(GET);
        const base = talk.serverNext;
        for (const n of order(count)) {
          wire.send(talk.ends, false, base + 1 + n, talk.clientNext, NOTHING, { length: 1 });
          yield;
        }
        wire.send(talk.ends, false, base, talk.clientNext, OK.subarray(0, 1));
        talk.serverNext = base + 1 + count;
        yield;
      }
    },
    // Each goes to its place in a list of 8,000.
    frameUs: 200,
    expected: { connections: 1, stillHeld: 0, outOfOrder: 10 * count },
  };
}

/** What came too early. */
export const HELD: readonly Bound[] = [
  {
    name: "10,000 connections that hold 16 segments of 1,448 bytes each",
    *frames(wire) {
      yield* beyondAHole(wire, 10_000, 16, 1448);
    },
    frameUs: 100,
    expected: { connections: 10_000, stillHeld: 0 },
  },
  {
    name: "10,000 connections that hold 160 segments of one byte each",
    *frames(wire) {
      yield* beyondAHole(wire, 10_000, 160, 1);
    },
    frameUs: 100,
    expected: { connections: 10_000, stillHeld: 0 },
  },
  {
    name: "50,000 connections that hold a segment for ten minutes",
    *frames(wire) {
      yield* beyondAHole(wire, 50_000, 1, 100);
      wire.stepUs = 10_000;
      const talk = new Talk(wire, endsOf(50_000));
      yield* talk.open();
      for (let n = 0; n < 30_000; n++) yield* talk.exchange();
    },
    frameUs: 200,
    expected: { answered: 30_000, stillHeld: 0 },
  },
  {
    name: "100,000 segments of 1,448 bytes beyond a hole of one connection",
    *frames(wire) {
      yield* beyondAHole(wire, 1, 100_000, 1448);
    },
    expected: { connections: 1, stillHeld: 0 },
  },
  inOrderOf("backwards", (count) => Array.from({ length: count }, (_, n) => count - 1 - n)),
  inOrderOf("shuffled", (count) => shuffled(count)),
  inOrderOf("every other one first", (count) =>
    Array.from({ length: count }, (_, n) => (n < count / 2 ? 2 * n : 2 * (n - count / 2) + 1)),
  ),
];

function shuffled(count: number): number[] {
  const below = random(count);
  const numbers = Array.from({ length: count }, (_, n) => n);
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}
