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

  it("is forgotten then: what comes later waits behind nobody, and pairs", () => {
    const dialogue = new Dialogue({ port: PORT, requestTimeoutUs: 5 * S }).client(S, "ms a 1 q\r\nx\r\nmd b q\r\n");
    dialogue.conversation.expire(6 * S + 1);
    dialogue
      .client(10 * S, "md c q\r\nmd d\r\n")
      .server(11 * S, "NF\r\n")
      .client(12 * S, "mn\r\n")
      .server(13 * S, "MN\r\n");
    assert.deepEqual(dialogue.outcome, [`md d ${S}`, `mn ${S}`]);
    assert.deepEqual(
      dialogue.told.map((each) => each.flags),
      [["pipelined"], []],
    );
    assert.equal(dialogue.ledger.noReply, 3);
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
