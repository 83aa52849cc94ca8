import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_PENDING_PER_CONNECTION } from "../../src/transactions/requesting.ts";
import { command, Dialogue } from "./dialogue.ts";

const GET = command("GET", "k");

/** Segments (time, who, text), and for each answered request latency, send, wait, receive, queue, and its flags. */
interface Case {
  readonly name: string;
  readonly segments: readonly (readonly [number, "client" | "server", string])[];
  readonly times: readonly (readonly [number, number, number, number, number])[];
  readonly flags: readonly (readonly string[])[];
}

const cases: readonly Case[] = [
  {
    name: "a request and its response",
    segments: [
      [1000, "client", GET],
      [1700, "server", "$1\r\nx\r\n"],
    ],
    times: [[700, 0, 700, 0, 0]],
    flags: [[]],
  },
  {
    name: "a request in three segments, a response in three",
    segments: [
      [1000, "client", GET.slice(0, 5)],
      [1010, "client", GET.slice(5, 9)],
      [1030, "client", GET.slice(9)],
      [1100, "server", "$6\r\n"],
      [1150, "server", "abc"],
      [1400, "server", "def\r\n"],
    ],
    times: [[400, 30, 70, 300, 0]],
    flags: [[]],
  },
  {
    name: "three requests in one segment, answered one by one: what they wait behind is queue",
    segments: [
      [1000, "client", GET + GET + GET],
      [1100, "server", "+A\r\n"],
      [1300, "server", "+B\r\n"],
      [1350, "server", "+C\r\n"],
    ],
    times: [
      [100, 0, 100, 0, 0],
      [300, 0, 300, 0, 100],
      [350, 0, 350, 0, 300],
    ],
    flags: [[], ["pipelined"], ["pipelined"]],
  },
  {
    name: "three requests answered in one segment",
    segments: [
      [1000, "client", GET],
      [1010, "client", GET],
      [1050, "client", GET],
      [1100, "server", "+A\r\n+B\r\n+C\r\n"],
    ],
    times: [
      [100, 0, 100, 0, 0],
      [90, 0, 90, 0, 90],
      [50, 0, 50, 0, 50],
    ],
    flags: [[], ["pipelined"], ["pipelined"]],
  },
  {
    name: "a clock that is set back between two requests: the second waits behind nobody",
    segments: [
      [9000, "client", GET],
      [9100, "server", "+A\r\n"],
      [1000, "client", GET],
      [1100, "server", "+B\r\n"],
    ],
    times: [
      [100, 0, 100, 0, 0],
      [100, 0, 100, 0, 0],
    ],
    flags: [[], []],
  },
  {
    name: "sent when the server was half through: only the rest is queue",
    segments: [
      [1000, "client", GET],
      [1200, "client", GET],
      [1300, "server", "+A\r\n"],
      [1700, "server", "+B\r\n"],
    ],
    times: [
      [300, 0, 300, 0, 0],
      [500, 0, 500, 0, 100],
    ],
    flags: [[], ["pipelined"]],
  },
  {
    name: "a request sent after the response before it has no queue",
    segments: [
      [1000, "client", GET],
      [1300, "server", "+A\r\n"],
      [1300, "client", GET],
      [1400, "server", "+B\r\n"],
    ],
    times: [
      [300, 0, 300, 0, 0],
      [100, 0, 100, 0, 0],
    ],
    flags: [[], []],
  },
  {
    name: "the reply before ends in the segment that begins this one",
    segments: [
      [1000, "client", GET + GET],
      [1100, "server", "$4\r\nab"],
      [1200, "server", "cd\r\n$4\r\nab"],
      [1250, "server", "cd\r\n"],
    ],
    times: [
      [200, 0, 100, 100, 0],
      [250, 0, 200, 50, 200],
    ],
    flags: [[], ["pipelined"]],
  },
  {
    name: "an answer before the request has ended: nothing was waited for",
    segments: [
      [1000, "client", `*2\r\n$3\r\nSET\r\n$-1\r\n`],
      [1100, "server", "-ERR Protocol error: invalid bulk length\r\n"],
    ],
    times: [[100, 0, 100, 0, 0]],
    flags: [[]],
  },
  {
    name: "a response 1 µs before its request: latency 0, and marked",
    segments: [
      [1000, "client", GET],
      [999, "server", "+A\r\n"],
    ],
    times: [[0, 0, 0, 0, 0]],
    flags: [["clock_skew"]],
  },
  {
    name: "a response that begins before its request and ends after it",
    segments: [
      [1000, "client", GET],
      [900, "server", "$4\r\nab"],
      [1100, "server", "cd\r\n"],
    ],
    times: [[100, 0, 0, 100, 0]],
    flags: [["clock_skew"]],
  },
  {
    name: "times that run backwards within a message: the latest of its bytes counts",
    segments: [
      [1000, "client", GET.slice(0, 9)],
      [990, "client", GET.slice(9)],
      [1200, "server", "$4\r\nab"],
      [1150, "server", "cd\r\n"],
    ],
    times: [[200, 0, 200, 0, 0]],
    flags: [[]],
  },
  {
    name: "a subscription to three channels is answered by the last confirmation",
    segments: [
      [1000, "client", command("SUBSCRIBE", "a", "b", "c")],
      [1100, "server", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"],
      [1200, "server", "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:3\r\n"],
    ],
    times: [[200, 0, 100, 100, 0]],
    flags: [[]],
  },
  {
    name: "behind a blocking command",
    segments: [
      [1000, "client", command("BLPOP", "k", "0")],
      [1010, "client", GET],
      [5000, "server", "*-1\r\n+A\r\n"],
      [5100, "client", GET],
      [5200, "server", "+A\r\n"],
    ],
    times: [
      [4000, 0, 4000, 0, 0],
      [3990, 0, 3990, 0, 3990],
      [100, 0, 100, 0, 0],
    ],
    flags: [[], ["pipelined", "behind_blocking"], []],
  },
];

for (const each of cases) {
  test(`times: ${each.name}`, () => {
    const dialogue = new Dialogue();
    for (const [timeUs, who, text] of each.segments) dialogue[who](timeUs, text);
    assert.deepEqual(
      dialogue.told.map((told) => told.times),
      each.times,
    );
    assert.deepEqual(
      dialogue.told.map((told) => told.flags),
      each.flags,
    );
    for (const { times } of dialogue.told) {
      const [latency, send, wait, receive, queue] = times;
      assert.equal(latency, send + wait + receive);
      assert.ok(queue <= wait && Math.min(...times) >= 0);
    }
  });
}

test("bytes, numbers and the errors of responses", () => {
  const dialogue = new Dialogue({ id: 7 });
  dialogue.client(1, GET + command("SET", "key", "value")).server(2, "$-1\r\n-WRONGTYPE no\r\n");
  assert.deepEqual(
    dialogue.told.map(({ id, requestBytes, responseBytes, error }) => [id, requestBytes, responseBytes, error]),
    [
      ["7-1", GET.length, 5, ""],
      ["7-2", command("SET", "key", "value").length, 15, "WRONGTYPE"],
    ],
  );
});

test("a push between the confirmations of a subscription belongs to neither", () => {
  const confirmation = (channel: string, count: number) => `>3\r\n$9\r\nsubscribe\r\n$1\r\n${channel}\r\n:${count}\r\n`;
  const message = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n";
  const dialogue = new Dialogue();
  dialogue.client(1, command("SUBSCRIBE", "a", "b")).server(2, confirmation("a", 1) + message + confirmation("b", 2));
  assert.deepEqual(dialogue.ledger.pushedBytes, [message.length]);
  assert.equal(dialogue.told[0]?.responseBytes, 2 * confirmation("a", 1).length);
});

const TEXTS: readonly (readonly [string, readonly string[], string, string])[] = [
  ["the command and its key", ["SET", "foo", "bar"], "SET foo", "foo"],
  ["no key", ["PING"], "PING", ""],
  ["an empty key", ["GET", ""], "GET ", ""],
  ["a key of 124 bytes just fits", ["GET", "k".repeat(124)], `GET ${"k".repeat(124)}`, "k".repeat(124)],
  ["a longer key is cut", ["GET", "k".repeat(125)], `GET ${"k".repeat(124)}`, "k".repeat(124)],
  ["a key of a megabyte", ["GET", "k".repeat(1e6)], `GET ${"k".repeat(124)}`, "k".repeat(124)],
  ["a name of 127 bytes", ["x".repeat(127), "k"], "x".repeat(127), ""],
  ["a name of 500 bytes", ["x".repeat(500), "k"], "x".repeat(128), ""],
  ["a word before the key", ["OBJECT", "ENCODING", "k"], "OBJECT ENCODING k", "k"],
  ["no room for the key", ["OBJECT", "e".repeat(200), "k"], `OBJECT ${"e".repeat(121)}`, ""],
  ["room for the blank alone", ["OBJECT", "e".repeat(120), "k"], `OBJECT ${"e".repeat(120)} `, ""],
  ["whatever bytes", ["GET", "\0\xff\r\n"], "GET \0\xff\r\n", "\0\xff\r\n"],
];

for (const [name, words, text, key] of TEXTS) {
  test(`text: ${name}`, () => {
    for (const cuts of [[], [1, 6, 20], [15, 16, 17, 30, 100, 130]]) {
      const dialogue = new Dialogue();
      const bytes = command(...words);
      const places = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length];
      for (const [index, from] of places.slice(0, -1).entries())
        dialogue.client(1, bytes.slice(from, places[index + 1]));
      dialogue.client(2, GET).server(3, "+OK\r\n$1\r\nx\r\n");
      assert.deepEqual([dialogue.told[0]?.text, dialogue.told[0]?.key], [text, key]);
      // The entry used next is not touched by what did not fit.
      assert.deepEqual([dialogue.told[1]?.text, dialogue.told[1]?.key], ["GET k", "k"]);
    }
  });
}

test("with --show-values what follows the key is kept, up to the limit; without text nothing is", () => {
  const words = ["SET", "foo", "v".repeat(200)];
  const shown = new Dialogue({ wantsValues: true }).client(1, command(...words)).server(2, "+OK\r\n");
  assert.equal(shown.told[0]?.text, `SET foo ${"v".repeat(120)}`);
  assert.equal(shown.told[0]?.key, "foo");
  const silent = new Dialogue({ wantsText: false }).client(1, command(...words)).server(2, "+OK\r\n");
  assert.deepEqual([silent.told[0]?.text, silent.told[0]?.command], ["", "SET"]);
});

test("segments sent again are charged to the requests they carry, and to the response being read", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, GET).client(2, GET).again(true, GET.length).server(3, "+A\r\n+B\r\n");
  dialogue.client(4, GET).server(5, "$4\r\nab").again(false, 2).server(6, "cd\r\n");
  // Bytes of responses that are complete concern nobody.
  dialogue
    .client(7, GET)
    .again(false, 3)
    .server(8, "+A\r\n")
    .client(9, GET)
    .again(true, 3 * GET.length)
    .server(10, "+A\r\n");
  assert.deepEqual(
    dialogue.told.map(({ retransmissions, flags }) => [retransmissions, flags.includes("retransmission")]),
    [
      [0, false],
      [1, true],
      [1, true],
      [0, false],
      [1, true],
    ],
  );
});

test("a message out of order is marked, the one before and behind it is not", () => {
  const dialogue = new Dialogue();
  dialogue
    .client(1, GET)
    .server(2, "+A\r\n")
    .client(3, GET)
    .server(4, "$2\r\n")
    .server(3.5, "ab\r\n", { wasHeld: true });
  dialogue.client(5, GET).server(6, "+A\r\n");
  assert.deepEqual(
    dialogue.told.map(({ flags }) => flags),
    [[], ["out_of_order"], []],
  );
});

test("a connection's queue has a limit: beyond it requests are lost, and nothing is paired wrongly", () => {
  const dialogue = new Dialogue({ wantsText: false });
  for (let i = 0; i < MAX_PENDING_PER_CONNECTION / 1024; i++) dialogue.client(1, "PING\n".repeat(1024));
  assert.deepEqual(dialogue.ledger.parserErrors, []);
  dialogue.client(1, "PING\n".repeat(10));
  assert.deepEqual(dialogue.ledger.parserErrors, ["pending_limit"]);
  dialogue.client(1, "PING\n".repeat(10));
  for (let i = 0; i < MAX_PENDING_PER_CONNECTION / 1024; i++) dialogue.server(2, "+PONG\r\n".repeat(1024));
  assert.equal(dialogue.told.length, MAX_PENDING_PER_CONNECTION);
  dialogue.server(3, "+PONG\r\n".repeat(20));
  assert.equal(dialogue.told.length, MAX_PENDING_PER_CONNECTION);
  assert.deepEqual(new Set(dialogue.ledger.unmatchedReasons), new Set(["gap"]));
  assert.equal(dialogue.ledger.unmatchedReasons.length, 20);
  // After a while without a word all is clear again.
  dialogue.client(10_000_000, GET).server(10_000_500, "+A\r\n").end("closed");
  assert.deepEqual(dialogue.told.at(-1)?.times.slice(0, 1), [500]);
});
