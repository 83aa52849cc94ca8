import assert from "node:assert/strict";
import { test } from "node:test";
import { runSegments } from "../properties/run.ts";
import { Dialogue as Segments } from "../support/segments.ts";
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

test("on a port that nothing names, whoever sends a list of values first is not taken for the client", () => {
  const dialogue = new Segments(undefined, { address: "10.0.0.2", port: 7001 });
  // A worker waits: its BLPOP was sent before the capture began.
  dialogue.server(0, "*2\r\n$5\r\nqueue\r\n$5\r\njob:1\r\n");
  for (let i = 1; i <= 20; i++) {
    dialogue.client(i * 100_000, command("BLPOP", "queue", "0"));
    dialogue.server(i * 100_000 + 90_000, "*2\r\n$5\r\nqueue\r\n$5\r\njob:2\r\n");
  }
  const { answered, unanswered } = runSegments(dialogue.segments);
  assert.deepEqual([answered.length, unanswered.length], [20, 0]);
  assert.ok(answered.every(({ text, latencyUs }) => text === "BLPOP queue" && latencyUs === 90_000));
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

test("the first responses of a connection older than the capture may be to earlier requests: one too many tells", () => {
  const dialogue = new Dialogue({ handshake: false });
  // An earlier GET is under way when the capture begins: A's response is not to "b".
  dialogue.client(1000, get("b")).server(1100, "+A\r\n").client(1200, get("c")).server(1300, "+B\r\n", { unread: 22 });
  dialogue.client(1400, get("d")).server(1500, "+C\r\n").end("closed");
  assert.ok(
    dialogue.told.every(({ unanswered }) => unanswered !== ""),
    dialogue.outcome.join(", "),
  );
});

/** What is paired where the capture begins with two requests, and the server acknowledges then so many bytes before them. */
function pairedBehind(unreceivedBytes: number): string[] {
  const dialogue = new Segments();
  const first = dialogue.client(0, get("b") + get("c"));
  dialogue.ack("server", 100, { acknowledgement: first.sequence - unreceivedBytes });
  dialogue.server(200, "+1\r\n+2\r\n");
  return runSegments(dialogue.segments).answered.map(({ text }) => text);
}

test("a server that receives earlier requests after the capture began answers these first, not the first that was captured", () => {
  assert.deepEqual(pairedBehind(0), ["GET b", "GET c"]);
  assert.deepEqual(pairedBehind(get("a").length), []);
});

test("a client that sends while a response is due never waited, and its first pairs are not believed", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue
    .client(1000, get("b") + get("c"))
    .server(1100, "+A\r\n")
    .client(1200, get("d"));
  dialogue.server(1300, "+B\r\n+C\r\n+D\r\n").end("closed");
  assert.ok(
    dialogue.told.every(({ unanswered }) => unanswered !== ""),
    dialogue.outcome.join(", "),
  );
});

test("the first pairs are told after sixteen more requests, after a second of silence, or when the connection ends", () => {
  const exchange = (dialogue: Dialogue, n: number) =>
    dialogue.client(n * 1000, get(`${n}`)).server(n * 1000 + 100, "+A\r\n");
  const waits = new Dialogue({ handshake: false });
  for (let n = 1; n <= 16; n++) exchange(waits, n);
  assert.deepEqual(waits.outcome, []);
  assert.equal(waits.conversation.hasPending, true);
  exchange(waits, 17);
  assert.deepEqual(
    waits.outcome,
    Array.from({ length: 17 }, (_, n) => `GET ${n + 1} 100`),
  );

  const silent = exchange(new Dialogue({ handshake: false }), 1);
  silent.conversation.expire(1_001_099);
  assert.deepEqual(silent.outcome, []);
  silent.conversation.expire(1_001_100);
  assert.deepEqual(silent.outcome, ["GET 1 100"]);

  for (const reason of ["closed", "reset", "evicted", "idle", "end"] as const) {
    assert.deepEqual(exchange(new Dialogue({ handshake: false }), 1).end(reason).outcome, ["GET 1 100"]);
  }
});

test("several pauses prove as much as one of a second, but short ones, in which an acknowledgement may be late, prove nothing", () => {
  const asking = (...atUs: readonly number[]) => {
    const dialogue = new Dialogue({ handshake: false });
    for (const us of atUs) dialogue.client(us, get(`${us}`)).server(us + 100, "+A\r\n");
    return dialogue;
  };
  const slow = asking(1000, 701_000);
  slow.conversation.expire(1_001_199);
  assert.deepEqual(slow.outcome, []);
  slow.conversation.expire(1_001_200);
  assert.deepEqual(slow.outcome, ["GET 1000 100", "GET 701000 100"]);

  const third = asking(1000, 501_000, 1_001_300);
  assert.deepEqual(third.outcome, ["GET 1000 100", "GET 501000 100", "GET 1001300 100"]);

  const quick = asking(...Array.from({ length: 15 }, (_, n) => 1000 + n * 50_000));
  quick.conversation.expire(1_500_000);
  assert.deepEqual(quick.outcome, []);
});

test("pauses before a loss prove nothing of what comes behind it", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(1000, get("a")).server(1100, "+A\r\n").client(801_000, get("b")).serverLoses(5);
  dialogue.client(802_000, get("c")).server(802_100, "+C\r\n").conversation.expire(1_400_000);
  assert.ok(!dialogue.outcome.includes("GET c 100"), dialogue.outcome.join(", "));
});

test("memcached: the first request seen need not look like nothing else, for its response shows whether it is one", () => {
  const memcached = { handshake: false, port: 11211, selections: [{ name: "memcached", ports: [] }] };
  const whole = new Dialogue(memcached).client(1000, "get a\r\n").server(1100, "END\r\n").end("closed");
  assert.deepEqual(whole.outcome, ["get a 100"]);
  for (const [end, response] of [
    ["get a\r\n", "STORED\r\n"],
    ["get a\r\nget b\r\n\r\n", "STORED\r\n"],
    ["version\r\n", "STORED\r\n"],
    ["incr a 1\r\n", "NOT_STORED\r\n"],
    ["touch a 1\r\n", "EXISTS\r\n"],
  ] as const) {
    const value = new Dialogue(memcached).client(1000, end).server(1100, response);
    value
      .client(1200, "get k\r\n")
      .server(1300, "END\r\n")
      .client(1400, "get l\r\n")
      .server(1500, "END\r\n")
      .end("closed");
    const pairs = value.outcome.filter((line) => !line.endsWith("gap"));
    assert.ok(
      pairs.every((line) => /^get [kl] 100$/.test(line)),
      `${end} ${response}: ${pairs.join(", ")}`,
    );
  }
});

test("a connection older than the capture that makes room for another soon after its first responses: of a client that was seen to send ahead more of them may have come", () => {
  for (const [reason, outcome] of [
    ["evicted", ["GET b gap", "GET c gap"]],
    ["end", ["GET b 100", "GET c 200"]],
  ] as const) {
    const dialogue = new Dialogue({ handshake: false });
    dialogue.client(1000, get("b")).client(1000, get("c")).server(1100, "+1\r\n").server(1200, "+2\r\n").end(reason);
    assert.deepEqual(dialogue.outcome, outcome);
  }
});

test("a response of memcached's binary protocol to what nobody has asked for contradicts what is held", () => {
  const selections = [{ name: "memcached", ports: [11211] }] as const;
  const packet = (magic: string, opcode: string) => `${magic}${opcode}${"\0".repeat(22)}`;
  const [version, stat, noop] = ["\x0b", "\x10", "\x0a"] as const;
  const dialogue = new Dialogue({ handshake: false, port: 11211, selections });
  // A VERSION and a STAT from before the capture are under way.
  dialogue.client(1000, packet("\x80", version)).server(1100, packet("\x81", version));
  dialogue.client(1200, packet("\x80", noop)).server(1300, packet("\x81", stat));
  dialogue.server(1400, packet("\x81", version)).server(1500, packet("\x81", noop)).end("closed");
  assert.deepEqual(dialogue.outcome, ["version gap", "noop gap"]);
});

test("a response that Nagle's algorithm keeps back until a delayed acknowledgement comes has not been given already", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a")).client(2, get("b")).server(3, "+A\r\n").client(4, get("c"));
  dialogue.server(5, "+B\r\n").server(6, "+C\r\n").client(100, get("d")).serverLoses(4);
  // G waits for the acknowledgement of F, and H, once more, for that of G.
  dialogue.client(1000, get("f")).client(1010, get("g")).server(1100, "+F\r\n");
  dialogue
    .client(41_100, get("h"))
    .server(41_110, "+G\r\n")
    .client(81_100, get("i"))
    .server(81_110, "+H\r\n")
    .end("end");
  const wrong = dialogue.outcome.filter((each) => /^GET [hi] \d/.test(each));
  assert.deepEqual(wrong, []);
});
