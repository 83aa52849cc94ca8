import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue, latin1 } from "../support/segments.ts";
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
