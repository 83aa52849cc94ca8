import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { BEGIN_US, Dialogue } from "../support/segments.ts";

const SNAPLEN = 96;

function confirmation(word: string, channel: string, left: number): string {
  return `*3\r\n$${word.length}\r\n${word}\r\n$1\r\n${channel}\r\n:${left}\r\n`;
}

const MESSAGE = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n";

/** Found by cutting a recorded subscriber at 96 bytes: the confirmations then ended with the last message. */
test("messages behind confirmations that were cut off are not the end of these", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  dialogue.client(100, "SUBSCRIBE a b c\r\n");
  dialogue.server(200, ["a", "b", "c"].map((channel, i) => confirmation("subscribe", channel, i + 1)).join(""));
  dialogue.ack("client", 210);
  for (let i = 0; i < 5; i++) {
    dialogue.server(10_000 * (i + 1), MESSAGE);
    dialogue.ack("client", 10_000 * (i + 1) + 10);
  }
  dialogue.client(100_000, "PING\r\n");
  dialogue.server(100_100, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  dialogue.fin("client", 200_000);
  dialogue.fin("server", 200_010);
  const whole = runSegments(dialogue.segments);
  assert.deepEqual(
    whole.answered.map(({ text, endUs }) => [text, endUs - BEGIN_US]),
    [
      ["SUBSCRIBE a", 200],
      ["PING", 100_100],
    ],
  );
  const cut = runSegments(dialogue.segments, { snaplen: SNAPLEN });
  assert.deepEqual(cut.violations, []);
  for (const { text, endUs } of cut.answered) {
    assert.ok(
      whole.answered.some((pair) => pair.text === text && pair.endUs === endUs),
      `${text} ${endUs - BEGIN_US}`,
    );
  }
});
