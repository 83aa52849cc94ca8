import { concat, latin1 } from "../support/segments.ts";
import type { Bound } from "./bound.ts";
import { GET, OK, Talk } from "./talk.ts";
import { endsOf } from "./wire.ts";

const MILLION = 1_000_000;
/** Whole requests in a segment. */
const A_SEGMENT = 50;
const GETS = concat(new Array<Uint8Array>(A_SEGMENT).fill(GET));
const OKS = concat(new Array<Uint8Array>(A_SEGMENT).fill(OK));
/** One connection's, as src/transactions/pairing.ts has it; and of all connections, src/transactions/pending.ts. */
const MOST_PENDING = 65_536;
const MOST_IN_ALL = 524_288;

/** Requests that wait. */
export const PIPELINES: readonly Bound[] = [
  {
    name: "one connection with 1,000,000 pipelined requests, answered at last",
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let n = 0; n < MILLION; n += A_SEGMENT) yield* talk.client(GETS);
      for (let n = 0; n < MILLION; n += A_SEGMENT) yield* talk.server(OKS);
    },
    frameUs: 100,
    expected: {
      answered: MOST_PENDING,
      requests: MOST_PENDING,
      "unmatched.gap": MILLION - MOST_PENDING,
      "parserErrors.pending_limit": 1,
    },
  },
  {
    name: "60,000 requests in flight on one connection, each answered in a segment of its own",
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let n = 0; n < 60_000; n += A_SEGMENT) yield* talk.client(GETS);
      for (let n = 0; n < 60_000; n++) yield* talk.server(OK);
    },
    expected: { answered: 60_000, requests: 60_000 },
  },
  {
    name: "60,000 requests in flight on one connection, the last segment sent again 100,000 times",
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let n = 0; n < 60_000; n += A_SEGMENT) yield* talk.client(GETS);
      const last = talk.clientNext - GETS.length;
      for (let n = 0; n < 100_000; n++) {
        wire.send(talk.ends, true, last, talk.serverNext, GETS);
        yield;
      }
    },
    expected: { requests: 60_000, "unanswered.end": 60_000, retransmitted: 100_000 },
  },
  {
    name: "60,000 requests in flight on one connection, then one cut in its header, and 100,000 segments of it",
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let n = 0; n < 60_000; n += A_SEGMENT) yield* talk.client(GETS);
      const cut = latin1("*3\r\n$3\r\nSET\r\n$4");
      yield* talk.client(cut, { length: 600, snaplen: cut.length });
      for (let n = 0; n < 100_000; n++) yield* talk.client(GETS);
    },
    frameUs: 20,
    expected: { requests: 60_001, "unanswered.end": 60_001 },
  },
  {
    name: "60,000 requests in flight on one connection for ten minutes",
    *frames(wire) {
      const talk = new Talk(wire, endsOf(0));
      yield* talk.open();
      for (let n = 0; n < 60_000; n += A_SEGMENT) yield* talk.client(GETS);
      wire.stepUs = 1_000_000;
      for (let second = 0; second < 600; second++) yield* talk.acknowledge(false);
      for (let n = 0; n < 60_000; n += A_SEGMENT) yield* talk.server(OKS);
    },
    frameUs: 1000,
    expected: { requests: 60_000, "unanswered.timeout": 60_000, "unmatched.late": 60_000 },
  },
  {
    name: "1,000 connections with 1,000 requests in flight each",
    *frames(wire) {
      const talks = Array.from({ length: 1000 }, (_, n) => new Talk(wire, endsOf(n)));
      for (const talk of talks) yield* talk.open();
      for (let n = 0; n < 1000; n += A_SEGMENT) for (const talk of talks) yield* talk.client(GETS);
      for (let n = 0; n < 1000; n += A_SEGMENT) for (const talk of talks) yield* talk.server(OKS);
    },
    frameUs: 100,
    expected: { requests: MOST_IN_ALL, answered: MOST_IN_ALL, "unmatched.gap": MILLION - MOST_IN_ALL },
  },
];
