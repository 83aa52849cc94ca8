import assert from "node:assert/strict";
import { test } from "node:test";
import { command, Dialogue } from "./dialogue.ts";

const get = (key: string) => command("GET", key);

test("a request begun in the very segment that ends an assumption counts no bytes, never fewer than none", () => {
  const dialogue = new Dialogue({ handshake: false });
  // The blank line between the two shows that these are lines of a value.
  dialogue.client(1000, `${get("a")}\r\n${get("b")}*2\r\n$3\r\nGET\r\n$9\r\nabc`).end("end");
  assert.ok(dialogue.told.length > 0);
  for (const each of dialogue.told) {
    assert.equal(each.unanswered, "gap");
    assert.ok(each.requestBytes > 0, `${each.text}: ${each.requestBytes} bytes`);
  }
});

test("a client that began before the capture, with responses under way that were lost, is not paired for looking like one that waits", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(1000, get("b"));
  // The client's next segment acknowledges a response that nobody saw: it is that of an earlier request.
  dialogue.serverLoses(5).client(1100, get("c"));
  dialogue.server(1200, "+B\r\n+C\r\n").client(1300, get("d")).server(1400, "+D\r\n").end("end");
  assert.ok(!dialogue.outcome.includes("GET c 100"), dialogue.outcome.join(", "));
});

test("requests without a reply stand between those of a client that began before the capture, and contradict nothing", () => {
  const dialogue = new Dialogue({ handshake: false, port: 11211, selections: [{ name: "memcached", ports: [] }] });
  dialogue.client(
    1000,
    "set a 0 0 1 noreply\r\n1\r\ngets a\r\nset b 0 0 1 noreply\r\n2\r\ngets b\r\nset c 0 0 1 noreply\r\n3\r\n",
  );
  dialogue.server(1100, "VALUE a 0 1 1\r\n1\r\nEND\r\nVALUE b 0 1 2\r\n2\r\nEND\r\n").end("end");
  assert.deepEqual(dialogue.outcome, ["gets a 100", "gets b 100"]);
});
