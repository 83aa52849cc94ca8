import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue, sentAgain } from "../support/segments.ts";

const PING = "*1\r\n$4\r\nPING\r\n";

test("a request that was seen only when it was sent again, after its response, does not hold up the connection for good", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  const lost = dialogue.client(100, PING);
  const answer = dialogue.server(200, "+PONG\r\n");
  dialogue.client(100_300, PING);
  dialogue.server(100_400, "+PONG\r\n");
  dialogue.client(200_300, PING);
  dialogue.server(200_400, "+PONG\r\n");
  const again = { ...sentAgain(lost, 250), acknowledgement: answer.sequence + answer.payload.length };
  const segments = dialogue.segments.filter((segment) => segment !== lost);
  segments.splice(segments.indexOf(answer) + 1, 0, again);
  const result = runSegments(segments);
  assert.deepEqual(
    result.finished.map((one) => [one.unanswered, one.latencyUs]),
    [
      ["", 0],
      ["", 100],
      ["", 100],
    ],
  );
  assert.equal(result.pipeline.table.reassembly.heldBytes, 0);
});
