import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue, latin1 } from "../support/segments.ts";

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
