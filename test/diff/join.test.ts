import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { join } from "../../src/diff/join.ts";
import { emptyRecord, RecordStore, type SideRecord } from "../../src/diff/record-store.ts";
import { Flag } from "../../src/transactions/transaction.ts";
import { BEGIN_US } from "../support/segments.ts";

/** A request answered within 200 µs; `at` is µs from the beginning by the side's own clock. */
function storeOf(records: readonly (Partial<SideRecord> & { readonly at: number })[]): RecordStore {
  const store = new RecordStore();
  for (const { at, ...changes } of records) {
    const usual = { responseSequence: -1, latencyUs: 200, waitUs: 200, requestBytes: 25 };
    store.add({ ...emptyRecord(), ...usual, startUs: BEGIN_US + at, ...changes });
  }
  return store;
}

const SAME_PORT = () => "6379";
const OTHER_PORTS = (pair: number) => `${6000 + pair}`;

interface Case {
  readonly name: string;
  readonly client: readonly (Partial<SideRecord> & { readonly at: number })[];
  readonly server: readonly (Partial<SideRecord> & { readonly at: number })[];
  /** By the client's record: the server's, or -1. */
  readonly expected: readonly number[];
  readonly translated?: readonly number[];
  readonly portOf?: (pair: number) => string;
}

const CASES: readonly Case[] = [
  {
    name: "the same connection and sequence number are the same request, in whatever order they stand",
    client: [
      { at: 0, requestSequence: 1 },
      { at: 10, requestSequence: 26 },
    ],
    server: [
      { at: 15, requestSequence: 26 },
      { at: 5, requestSequence: 1 },
    ],
    expected: [1, 0],
  },
  {
    name: "the same number on another connection is another request",
    client: [
      { at: 0, pair: 1, requestSequence: 1 },
      { at: 9, pair: 1, requestSequence: 9 },
    ],
    server: [
      { at: 0, pair: 2, requestSequence: 1 },
      { at: 9, pair: 1, requestSequence: 9 },
    ],
    expected: [-1, 1],
  },
  {
    name: "another command is another request, the ports having been used again",
    client: [{ at: 0, kind: 1, requestSequence: 1 }],
    server: [{ at: 0, kind: 2, requestSequence: 1 }],
    expected: [-1],
  },
  {
    name: "a command cut by one side's snaplen is not compared",
    client: [{ at: 0, kind: 1, requestSequence: 1, flags: Flag.truncated }],
    server: [{ at: 0, kind: 2, requestSequence: 1 }],
    expected: [0],
  },
  {
    name: "a number that came again, after 4 GiB, belongs to the request nearest in time, the clocks being an hour apart",
    client: [
      { at: 0, requestSequence: 1 },
      { at: 20_000_000, requestSequence: 7 },
      { at: 40_000_000, requestSequence: 1 },
    ],
    server: [
      { at: 3_640_000_100, requestSequence: 1 },
      { at: 3_620_000_100, requestSequence: 7 },
    ],
    expected: [-1, 1, 0],
  },
  {
    name: "a connection that one side knows by other addresses is told by both sequence numbers, whatever its port",
    client: [{ at: 0, pair: 1, requestSequence: 77, responseSequence: 99 }],
    server: [{ at: 0, pair: 2, requestSequence: 77, responseSequence: 99 }],
    expected: [0],
    translated: [1],
    portOf: OTHER_PORTS,
  },
  {
    name: "without a response's number the server's port must be the same",
    client: [{ at: 0, pair: 1, requestSequence: 77 }],
    server: [{ at: 0, pair: 2, requestSequence: 77 }],
    expected: [-1],
    portOf: OTHER_PORTS,
  },
  {
    name: "without a response's number the server's port will do",
    client: [{ at: 0, pair: 1, requestSequence: 77 }],
    server: [{ at: 0, pair: 2, requestSequence: 77 }],
    expected: [0],
    translated: [1],
  },
  {
    name: "another response, another request",
    client: [{ at: 0, pair: 1, requestSequence: 77, responseSequence: 99 }],
    server: [{ at: 0, pair: 2, requestSequence: 77, responseSequence: 100 }],
    expected: [-1],
  },
  {
    name: "where two could be meant, none is",
    client: [{ at: 0, pair: 1, requestSequence: 77 }],
    server: [
      { at: 0, pair: 2, requestSequence: 77 },
      { at: 0, pair: 3, requestSequence: 77 },
    ],
    expected: [-1],
  },
];

describe("Requests of two hosts", () => {
  for (const { name, client, server, expected, translated, portOf } of CASES) {
    it(name, () => {
      const found = join(storeOf(client), storeOf(server), portOf ?? SAME_PORT);
      assert.deepEqual([...found.serverOf], expected);
      for (const [mine, theirs] of expected.entries()) if (theirs >= 0) assert.equal(found.clientOf[theirs], mine);
      assert.deepEqual([...found.isTranslated], translated ?? expected.map(() => 0));
    });
  }
});
