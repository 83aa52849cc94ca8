import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Transaction } from "../../src/transactions/transaction.ts";
import { command, Dialogue, Ledger } from "./dialogue.ts";

/** The sequence numbers of each transaction told. */
class SequenceLedger extends Ledger {
  readonly sequences: [number, number | null][] = [];

  override answered(transaction: Transaction): void {
    this.sequences.push([transaction.requestSequence, transaction.responseSequence]);
  }

  override unanswered(transaction: Transaction): void {
    this.answered(transaction);
  }
}

/** Where a `Dialogue` begins its streams: the client's wraps to 0 after 100 bytes. */
const CLIENT_FIRST = 2 ** 32 - 100;
const SERVER_FIRST = 0x7fffffc0;
const GET = command("GET", "foo");
const ANSWER = "$3\r\nbar\r\n";

function sequencesOf(handshake: boolean, act: (dialogue: Dialogue) => void): [number, number | null][] {
  const ledger = new SequenceLedger();
  act(new Dialogue({ ledger, handshake }));
  return ledger.sequences;
}

describe("A transaction's sequence numbers", () => {
  for (const handshake of [true, false]) {
    it(`are those of its first bytes, over the wrap, ${handshake ? "with" : "without"} a handshake seen`, () => {
      const count = 8;
      const sequences = sequencesOf(handshake, (dialogue) => {
        for (let i = 0; i < count; i++) dialogue.client(2000 * i, GET).server(2000 * i + 1000, ANSWER);
        dialogue.end("closed");
      });
      const expected = Array.from({ length: count }, (_, i) => [
        (CLIENT_FIRST + i * GET.length) % 2 ** 32,
        SERVER_FIRST + i * ANSWER.length,
      ]);
      assert.deepEqual(sequences, expected);
    });
  }

  it("count the requests and responses that stand before it in a segment", () => {
    const sequences = sequencesOf(true, (dialogue) => dialogue.client(0, GET + GET).server(1000, ANSWER + ANSWER));
    assert.deepEqual(sequences[1], [CLIENT_FIRST + GET.length, SERVER_FIRST + ANSWER.length]);
  });

  it("stay right behind bytes that are missing", () => {
    const sequences = sequencesOf(true, (dialogue) => {
      dialogue.client(0, "*2\r\n$3\r\nGET\r\n$600\r\n").clientLoses(600).client(10, "\r\n");
      dialogue.server(1000, "$70\r\n").serverLoses(70).server(1010, "\r\n");
      dialogue.client(2000, GET).server(3000, ANSWER);
    });
    assert.deepEqual(sequences, [
      [CLIENT_FIRST, SERVER_FIRST],
      [(CLIENT_FIRST + 19 + 600 + 2) % 2 ** 32, SERVER_FIRST + 5 + 70 + 2],
    ]);
  });

  it("have none of the response where there was none", () => {
    const sequences = sequencesOf(true, (dialogue) => dialogue.client(0, GET).end("reset"));
    assert.deepEqual(sequences, [[CLIENT_FIRST, null]]);
  });
});
