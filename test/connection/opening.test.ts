import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue, type TestSegment } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

/** All orders of these. */
function* orders<T>(all: readonly T[]): Generator<T[]> {
  if (all.length === 0) yield [];
  for (const [i, first] of all.entries()) {
    for (const rest of orders(all.toSpliced(i, 1))) yield [first, ...rest];
  }
}

describe("an opening captured in another order than sent, by a card of several queues", () => {
  it("behind the SYN any order of the first frames gives the same pairs", () => {
    const d = new Dialogue();
    d.open();
    d.client(30, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    d.server(50, "$3\r\nabc\r\n");
    d.ack("client", 60);
    const first = d.segments.slice(1);
    const later: TestSegment[] = [];
    for (let at = 100; at <= 500; at += 100) {
      later.push(d.client(at, "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"), d.server(at + 20, `$${at}\r\n${"v".repeat(at)}\r\n`));
    }
    for (const order of orders(first)) {
      const { answered, unanswered, violations } = runSegments([d.segments[0]!, ...order, ...later]);
      assert.deepEqual(violations, []);
      assert.deepEqual(unanswered, []);
      assert.deepEqual(
        answered.map((one) => [one.responseBytes, one.latencyUs]),
        [9, 108, 208, 308, 408, 508].map((bytes) => [bytes, 20]),
        order.map((segment) => segment.timeUs).join(" "),
      );
    }
  });

  it("what the server sent before the acknowledgement that was captured first is no gap, and not sent again", () => {
    const d = new Dialogue();
    d.open();
    const request = d.client(30, "get");
    const response = d.server(50, "value");
    const acknowledged = d.ack("client", 60);
    const [syn, synAck] = d.segments;
    const recorder = new Recorder().take(syn!, acknowledged, response, synAck!, request, d.client(100, "next"));
    assert.deepEqual(recorder.lines, ["c get @30", "s value @50", "c next @100"]);
    assert.equal(recorder.table.servers.other.retransmittedSegments, 0);
  });

  it("what came with the SYN begins in front of what the server had acknowledged before", () => {
    const d = new Dialogue();
    const syn = d.syn(0, "get");
    const data = { ...syn, payload: new Uint8Array(Buffer.from("get")) };
    const synAck = d.synAck(10);
    const recorder = new Recorder().take({ ...synAck, acknowledgement: syn.sequence + 4 }, data);
    assert.deepEqual(recorder.lines, ["c get @0"]);
  });
});
