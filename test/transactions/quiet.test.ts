import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EndReason } from "../../src/connection/receiver.ts";
import { Dialogue } from "./dialogue.ts";

const S = 1_000_000;
const PORT = 11211;
const SETQ = "\x80\x11\0\x01\x08\0\0\0\0\0\0\x0a\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0kv";
const QUIET: readonly (readonly [name: string, request: string])[] = [
  ["a meta set", "ms k 1 q\r\nx\r\n"],
  ["a meta get", "mg k v q\r\n"],
  ["SETQ", SETQ],
];

describe("a quiet request of memcached that nobody answers", () => {
  for (const [name, request] of QUIET) {
    for (const reason of ["closed", "reset", "end"] as const satisfies readonly EndReason[]) {
      it(`${name}: has not failed where its connection is over (${reason})`, () => {
        const dialogue = new Dialogue({ port: PORT }).client(1, request).end(reason);
        assert.deepEqual(dialogue.outcome, []);
        assert.deepEqual([dialogue.ledger.requests, dialogue.ledger.noReply], [1, 1]);
      });
    }

    it(`${name}: has not failed after the time-out either, and counts once`, () => {
      const dialogue = new Dialogue({ port: PORT, requestTimeoutUs: 5 * S }).client(S, request);
      dialogue.conversation.expire(6 * S);
      assert.equal(dialogue.ledger.noReply, 0);
      dialogue.conversation.expire(6 * S + 1);
      dialogue.end("closed");
      assert.deepEqual([dialogue.outcome, dialogue.ledger.noReply], [[], 1]);
    });

    it(`${name}: may have been answered in bytes that are missing`, () => {
      const dialogue = new Dialogue({ port: PORT }).client(1, request).serverLoses(10).end("closed");
      assert.deepEqual([dialogue.told.map((each) => each.unanswered), dialogue.ledger.noReply], [["gap"], 0]);
    });
  }

  it("keeps its place, should its reply be late: those behind it have their own", () => {
    const dialogue = new Dialogue({ port: PORT, requestTimeoutUs: S });
    dialogue.client(0, "mg a v q\r\nmg b v\r\n").conversation.expire(1.1 * S);
    dialogue.client(1.2 * S, "mg c v\r\nmg d v\r\n");
    for (const [i, key] of ["A", "B", "C", "D"].entries()) dialogue.server((1.5 + i / 10) * S, `VA 1\r\n${key}\r\n`);
    assert.deepEqual(dialogue.outcome, ["mg b timeout", `mg c ${0.5 * S}`, `mg d ${0.6 * S}`]);
    assert.deepEqual(dialogue.ledger.unmatchedReasons, ["late", "late"]);
  });

  it("has failed where one before it was to be answered and was not: the server has not come to it", () => {
    const dialogue = new Dialogue({ port: PORT }).client(1, "mg a v\r\nmd b q\r\nmd c q\r\n").end("reset");
    assert.deepEqual(dialogue.outcome, ["mg a reset", "md b reset", "md c reset"]);
    assert.equal(dialogue.ledger.noReply, 0);
  });

  it("may be followed by any number of them: a client that sends nothing else loses none", () => {
    const dialogue = new Dialogue({ port: PORT, requestTimeoutUs: S });
    for (let second = 1; second <= 100; second++) {
      dialogue.client(second * S, "ms k 1 q\r\nx\r\n".repeat(1000));
      dialogue.conversation.expire(second * S);
    }
    dialogue.client(101 * S, "mn\r\n").server(102 * S, "MN\r\n");
    assert.deepEqual([dialogue.outcome, dialogue.ledger.parserErrors], [[`mn ${S}`], []]);
    assert.deepEqual([dialogue.ledger.requests, dialogue.ledger.noReply], [100_001, 100_000]);
  });
});
