import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue, latin1, sentAgain } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

test("a SYN with data that is captured after later data does not start the connection's conversation anew", () => {
  const dialogue = new Dialogue();
  const syn = dialogue.syn(0, "*1\r\n$4\r\nPING\r\n");
  dialogue.segments.length = 0;
  dialogue.client(100, "*1\r\n$4\r\nPING\r\n");
  dialogue.segments.push({ ...syn, timeUs: syn.timeUs + 110, payload: latin1("*1\r\n$4\r\nPING\r\n") });
  const { finished, requests, violations, pipeline } = runSegments(dialogue.segments);
  assert.deepEqual(violations, []);
  assert.equal(finished.length, requests);
  assert.equal(pipeline.requestsHeld, 0);
});

test("addresses and ports used again within seconds, without a SYN that was seen: another connection, midstream", () => {
  const first = new Dialogue();
  first.open();
  first.client(100, "get a");
  first.server(200, "value a");
  first.reset("client", 300);
  const second = new Dialogue();
  second.open();
  const { length } = second.segments;
  const far = { sequence: 0x5000_0000 };
  second.client(5_000_000, "get b", far);
  const recorder = new Recorder().take(...first.segments, ...second.segments.slice(length));
  assert.equal(recorder.connections.length, 2);
  assert.ok(recorder.lines.some((line) => line.includes("get b")));
});

for (const [what, ends, pauseUs] of [
  ["ended a moment ago", true, 1_000],
  ["was silent for a second", false, 1_000_000],
] as const) {
  test(`a SYN numbered a little below a connection whose own was not seen, and which ${what}: another connection`, () => {
    const first = new Dialogue(undefined, undefined, 9000, 90_000);
    first.client(0, "get a");
    first.server(100, "value a");
    if (ends) first.reset("client", 200);
    const second = new Dialogue();
    second.open(200 + pauseUs);
    second.client(400 + pauseUs, "get b");
    second.server(500 + pauseUs, "value b");
    const recorder = new Recorder().take(...first.segments, ...second.segments);
    assert.equal(recorder.connections.length, 2);
    assert.ok(recorder.lines.some((line) => line.includes("get b")));
  });
}

test("data numbered behind a FIN, without a SYN that was seen: another connection, midstream", () => {
  const first = new Dialogue();
  first.open();
  first.client(100, "get a");
  first.server(200, "value a");
  first.fin("client", 300);
  first.fin("server", 310);
  first.ack("client", 320);
  // As Linux chooses them where it takes a port again.
  const second = new Dialogue(undefined, undefined, 1000 + 65_537, 5000 + 300_000);
  second.client(1_000_000, "get b");
  second.server(1_000_100, "value b");
  const recorder = new Recorder().take(...first.segments, ...second.segments);
  assert.equal(recorder.connections.length, 2);
  assert.ok(recorder.lines.some((line) => line.includes("get b")));
});

test("the last data, sent again with their FIN after the end, are no other connection", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  dialogue.client(100, "get a");
  const last = dialogue.server(200, "value a");
  dialogue.fin("server", 210);
  dialogue.fin("client", 220);
  dialogue.ack("server", 230);
  dialogue.segments.push(sentAgain(last, 200_000));
  const recorder = new Recorder().take(...dialogue.segments);
  assert.equal(recorder.connections.length, 1);
});
