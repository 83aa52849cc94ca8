import assert from "node:assert/strict";
import { test } from "node:test";
import { bulk, command, Dialogue } from "./dialogue.ts";

const get = (key: string) => command("GET", key);
const S = 1_000_000;

test("a request unanswered for longer than the time-out is reported once; its response comes late, and shifts nothing", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 5 * S });
  dialogue.client(1 * S, get("slow") + get("behind"));
  dialogue.conversation.expire(6 * S);
  assert.deepEqual(dialogue.outcome, []);
  assert.equal(dialogue.conversation.hasPending, true);
  dialogue.conversation.expire(6 * S + 1);
  dialogue.conversation.expire(7 * S);
  assert.deepEqual(dialogue.outcome, ["GET slow timeout", "GET behind timeout"]);
  assert.equal(dialogue.told[0]?.waitedUs, 5 * S + 1);
  assert.ok(dialogue.told[0]?.times.every(Number.isNaN) && Number.isNaN(dialogue.told[0].endUs));
  assert.equal(dialogue.conversation.hasPending, false);
  dialogue.client(8 * S, get("next")).server(9 * S, "+A\r\n+B\r\n+C\r\n");
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["late", "late"]);
  assert.deepEqual(dialogue.outcome.slice(2), [`GET next ${S}`]);
  dialogue.end("closed");
  assert.equal(dialogue.told.length, 3);
});

test("a request is not timed out while its response is coming, for as long as that takes; those behind it are", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 5 * S });
  dialogue.client(1 * S, get("large") + get("behind")).server(2 * S, bulk(100).slice(0, 50));
  dialogue.server(6 * S, bulk(100).slice(50, 60));
  dialogue.conversation.expire(11 * S);
  assert.deepEqual(dialogue.outcome, ["GET behind timeout"]);
  dialogue.server(12 * S, `${bulk(100).slice(60)}+B\r\n`);
  assert.deepEqual(dialogue.outcome.slice(1), [`GET large ${11 * S}`]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["late"]);
});

test("a response that stopped coming for longer than the time-out is given up", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 5 * S });
  dialogue.client(1 * S, get("large")).server(6 * S, bulk(100).slice(0, 50));
  dialogue.conversation.expire(11 * S);
  assert.deepEqual(dialogue.outcome, []);
  dialogue.conversation.expire(11 * S + 1);
  assert.deepEqual(dialogue.outcome, ["GET large timeout"]);
});

test("a request is timed out from its last byte on: an upload that took minutes is told with its latency", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 5 * S });
  const upload = command("SET", "large", "x".repeat(20));
  dialogue.client(1 * S, upload.slice(0, 30)).client(60 * S, upload.slice(30));
  dialogue.conversation.expire(65 * S);
  assert.deepEqual(dialogue.outcome, []);
  dialogue.server(65 * S, "+OK\r\n");
  assert.deepEqual(dialogue.outcome, [`SET large ${64 * S}`]);
  dialogue.client(70 * S, upload).conversation.expire(75 * S + 1);
  assert.deepEqual(dialogue.outcome.slice(1), ["SET large timeout"]);
});

for (const [end, reason] of [
  ["closed", "closed"],
  ["reset", "reset"],
  ["idle", "timeout"],
  ["evicted", "evicted"],
  ["end", "end"],
] as const) {
  test(`a request that was not sent whole before the connection's end (${end}) is none, and counted as unfinished`, () => {
    const dialogue = new Dialogue();
    dialogue.client(1 * S, get("a") + command("SET", "large", "x".repeat(90)).slice(0, 60)).server(2 * S, "+A\r\n");
    assert.deepEqual(dialogue.ledger.unfinishedReasons, []);
    dialogue.end(end);
    assert.deepEqual(dialogue.outcome, [`GET a ${S}`]);
    assert.equal(dialogue.ledger.requests, 1);
    assert.deepEqual(dialogue.ledger.unfinishedReasons, [reason]);
  });
}

test("a request that was answered before its body was sent is no unfinished one; one cut off by a loss is not either", () => {
  const refused = new Dialogue({ port: 80 });
  refused.client(1 * S, "PUT /a HTTP/1.1\r\nContent-Length: 900\r\n\r\nx");
  refused.server(2 * S, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n").end("reset");
  assert.deepEqual([refused.ledger.unfinishedReasons, refused.told.length], [[], 1]);
  const lossy = new Dialogue();
  lossy
    .client(1 * S, "*2\r\n$3\r\nGE")
    .clientLoses(30)
    .end("closed");
  assert.deepEqual(lossy.ledger.unfinishedReasons, []);
});

test("requests that wait on purpose are not timed out, unless their connection is dead; others behind them are", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 5 * S });
  dialogue.client(1 * S, command("BLPOP", "q", "0") + get("a"));
  dialogue.conversation.expire(3000 * S);
  assert.deepEqual(dialogue.outcome, ["GET a timeout"]);
  dialogue.conversation.expire(3601 * S);
  assert.equal(dialogue.told.length, 1);
  dialogue.conversation.expire(3601 * S + 1);
  assert.deepEqual(dialogue.outcome, ["GET a timeout", "BLPOP q timeout"]);
});

test("a time-out of more than an hour is waited for in full, though nobody says a word meanwhile", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: 3 * 3600 * S });
  dialogue.client(1 * S, get("export") + command("BLPOP", "q", "0"));
  dialogue.conversation.expire(2 * 3600 * S);
  assert.deepEqual(dialogue.outcome, []);
  dialogue.conversation.expire((3 * 3600 + 1) * S + 1);
  assert.deepEqual(dialogue.outcome, ["GET export timeout", "BLPOP q timeout"]);
});

test("a timed-out request that never is answered is not reported again when the connection ends", () => {
  const dialogue = new Dialogue({ requestTimeoutUs: S }).client(0, get("a"));
  dialogue.conversation.expire(2 * S);
  dialogue.client(3 * S, get("b")).end("reset");
  assert.deepEqual(dialogue.outcome, ["GET a timeout", "GET b reset"]);
});

for (const [reason, expected] of [
  ["closed", "closed"],
  ["reset", "reset"],
  ["evicted", "evicted"],
  ["idle", "timeout"],
  ["end", "end"],
] as const) {
  test(`what is pending when the connection ends (${reason}) is unanswered: ${expected}`, () => {
    const dialogue = new Dialogue()
      .client(1000, get("a") + get("b"))
      .server(1500, "+A\r\n")
      .end(reason);
    assert.deepEqual(dialogue.outcome, ["GET a 500", `GET b ${expected}`]);
    assert.equal(dialogue.told[1]?.waitedUs, 500);
  });

  test(`a request half sent when the connection ends (${reason}) is none`, () => {
    const dialogue = new Dialogue().client(1000, get("a").slice(0, 12)).end(reason);
    assert.deepEqual(dialogue.outcome, []);
    assert.equal(dialogue.ledger.requests, 0);
  });

  test(`a response half sent when the connection ends (${reason}) is none`, () => {
    const dialogue = new Dialogue().client(1000, get("a")).server(1100, "$100\r\nabc").end(reason);
    assert.deepEqual(dialogue.outcome, [`GET a ${expected}`]);
  });

  test(`a response that was acknowledged and never captured is a gap, however the connection ends (${reason})`, () => {
    const dialogue = new Dialogue().client(1000, get("a")).clientHasRead(5).end(reason);
    assert.deepEqual(dialogue.outcome, ["GET a gap"]);
  });
}

test("what cannot be Redis ends the parsing of that direction, is counted once, and is answered by the error that follows", () => {
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a"))
    .server(2, "+A\r\n")
    .client(3, "*1\r\n!garbage")
    .client(4, "more")
    .server(5, "-ERR Protocol error\r\n");
  assert.deepEqual(dialogue.ledger.parserErrors, ["request"]);
  assert.deepEqual(
    dialogue.told.map((told) => told.error),
    ["", "ERR"],
  );
});

test("a response that cannot be one: nothing after it is paired by luck", () => {
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a") + get("b"))
    .server(2, "HTTP/1.1 400\r\n")
    .server(3, "+A\r\n+B\r\n")
    .end("closed");
  assert.deepEqual(dialogue.ledger.parserErrors, ["response"]);
  assert.deepEqual(dialogue.outcome, ["GET a gap", "GET b gap"]);
});

// ---- snaplen ----

test("a snaplen cut within values changes no time, and no byte count", () => {
  const value = "v".repeat(1000);
  const [set, reply] = [command("SET", "k", value), bulk(5000)];
  const whole = new Dialogue();
  const cut = new Dialogue();
  whole.client(1, set).server(5, "+OK\r\n").client(10, get("k")).server(20, reply).server(30, "");
  cut.client(1, set, { cut: 900 }).server(5, "+OK\r\n").client(10, get("k")).server(20, reply, { cut: 4900 });
  assert.deepEqual(
    cut.told.map(({ flags, ...rest }) => rest),
    whole.told.map(({ flags, ...rest }) => rest),
  );
});

test("where the command itself is cut, it is marked; the times stand", () => {
  const request = command("GET", "k".repeat(200));
  const dialogue = new Dialogue()
    .client(1, request, { cut: 150 })
    .server(5, bulk(10))
    .client(6, get("b"))
    .server(8, "+B\r\n");
  assert.deepEqual(
    dialogue.told.map(({ key, flags, times, requestBytes }) => [
      key.length,
      flags.includes("truncated"),
      times[0],
      requestBytes,
    ]),
    [
      [52, true, 4, request.length],
      [1, false, 2, get("b").length],
    ],
  );
});

test("several pipelined requests cut away in one segment end with their responses, if these stand in one segment", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a")).server(2, "+A\r\n").client(3, get("b")).server(4, "+B\r\n");
  const three = command("SET", "a", "x".repeat(50)) + get("c");
  dialogue
    .client(10, three, { cut: get("c").length + 3 })
    .server(20, "+OK\r\n+C\r\n")
    .client(30, get("d"))
    .server(35, "+D\r\n")
    .end("closed");
  // The second request cannot be seen: its response belongs to none.
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET b 1", "SET a 10", "GET d 5"]);
  assert.equal(dialogue.ledger.unmatchedReasons.length, 1);
});

test("a reply cut in an array, where its end cannot be counted, ends with the segment when the client goes on", () => {
  const array = `*3\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a"))
    .server(2, "+A\r\n")
    .client(3, command("LRANGE", "l", "0", "-1"));
  dialogue
    .server(7, array, { cut: array.length - 40 })
    .client(9, get("b"))
    .server(12, "+B\r\n")
    .end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "LRANGE l 4", "GET b 3"]);
  assert.deepEqual(
    dialogue.told.map(({ flags }) => flags.includes("truncated")),
    [false, true, false],
  );
});

test("a client is known to wait though all its replies are cut off: they are told all the same", () => {
  const array = `*3\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
  const dialogue = new Dialogue();
  for (let i = 0; i < 20; i++) {
    dialogue.client(10 * i, command("LRANGE", "l", "0", "-1")).server(10 * i + 4, array, { cut: array.length - 40 });
  }
  dialogue.end("closed");
  assert.deepEqual(dialogue.outcome, Array(20).fill("LRANGE l 4"));
});

test("a reply that was cut off has ended when nobody has spoken for long, unless several were due", () => {
  const array = `*3\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
  const lrange = command("LRANGE", "l", "0", "-1");
  const cut = { cut: array.length - 40 };
  const dialogue = new Dialogue();
  for (const at of [100_000, 200_000, 300_000]) dialogue.client(at, lrange).server(at + 4, array, cut);
  dialogue
    .client(400_000, lrange)
    .client(400_001, get("b"))
    .server(400_004, array, cut)
    .server(400_005, "+B\r\n")
    .client(500_000, get("c"))
    .server(500_004, array, cut)
    .end("closed");
  assert.deepEqual(dialogue.outcome.slice(0, 3), ["LRANGE l 4", "LRANGE l 4", "LRANGE l 4"]);
  assert.deepEqual(dialogue.outcome.slice(3), ["LRANGE l gap", "GET b gap", "GET c gap"]);
});

for (const waits of [0, 20]) {
  test(`a reply that was cut off has not ended where the rest of it comes after the client has sent again, having waited ${waits} times`, () => {
    const array = `*9\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
    const dialogue = new Dialogue();
    for (let i = 0; i < waits; i++) dialogue.client(10 * i, get("a")).server(10 * i + 4, "+A\r\n");
    dialogue
      .client(1000, command("LRANGE", "l", "0", "-1"))
      .server(1004, array, { cut: array.length - 40 })
      .client(1006, get("b"))
      .server(1008, `xxxxx\r\n${bulk(20)}`)
      .server(1009, "+B\r\n")
      .end("closed");
    assert.deepEqual(dialogue.outcome.slice(waits), ["LRANGE l gap", "GET b gap"]);
  });
}

test("a reply that was cut off ends when its last hole is filled, not with what was held behind that", () => {
  const array = `*3\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
  const dialogue = new Dialogue().client(1, get("a")).server(2, "+A\r\n");
  dialogue.client(100, command("LRANGE", "l", "0", "-1"));
  dialogue
    .server(110, array, { cut: array.length - 40 })
    .server(250_000, "x".repeat(100), { cut: 60 })
    .server(111, "y".repeat(50), { cut: 10, wasHeld: true })
    .client(260_000, get("b"))
    .server(260_003, "+B\r\n")
    .end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", `LRANGE l ${250_000 - 100}`, "GET b 3"]);
});

test("a reply that nobody asked for contradicts what is held, though its last bytes were cut off", () => {
  const dialogue = new Dialogue();
  const two = command("SET", "a", "x") + get("b");
  dialogue
    .client(10, two, { cut: two.length - 17 })
    .server(20, "+OK\r\n")
    .client(30, get("c"))
    .server(40, "+B\r\n")
    .server(50, bulk(20), { cut: 1 })
    .client(100_000, get("d"))
    .server(100_010, "+D\r\n")
    .end("closed");
  assert.deepEqual(
    dialogue.outcome.filter((line) => line.startsWith("GET c")),
    ["GET c gap"],
  );
});

test("a reply that was cut off answers nothing that was asked after it", () => {
  const array = `*3\r\n${bulk(20)}${bulk(20)}${bulk(20)}`;
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a") + get("b"))
    .server(2, "+A\r\n+B\r\n")
    .client(3, command("LRANGE", "l", "0", "-1"))
    .server(7, array, { cut: array.length - 40 })
    .client(9, command("BLPOP", "q", "0"))
    .end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET b 1", "LRANGE l 4", "BLPOP q gap"]);
});

test("a message that was cut off, and what came behind it, answer nothing that was asked meanwhile", () => {
  const message = `*3\r\n$7\r\nmessage\r\n$1\r\na\r\n${bulk(90)}`;
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a") + get("b"))
    .server(2, "+A\r\n+B\r\n")
    .server(3, message, { cut: message.length - 10 })
    .client(5, "PING\r\n")
    .server(6, "*2\r\n$4\r\npong\r\n$0\r\n\r\n")
    .server(7, message)
    .end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET b 1", "PING gap"]);
});

// ---- holes ----

test("a hole within the value and within the reply's body: the transactions stand, marked", () => {
  const set = command("SET", "k", "v".repeat(3000));
  const dialogue = new Dialogue()
    .client(1, set.slice(0, 1000))
    .clientLoses(1000)
    .client(3, set.slice(2000))
    .server(5, "+OK\r\n");
  const reply = bulk(3000);
  dialogue.client(6, get("k")).server(7, reply.slice(0, 1000)).serverLoses(1000).server(9, reply.slice(2000));
  dialogue.client(10, get("b")).server(11, "+B\r\n");
  assert.deepEqual(
    dialogue.told.map(({ times, flags, requestBytes, responseBytes }) => [
      times[0],
      flags,
      requestBytes,
      responseBytes,
    ]),
    [
      [4, ["gap"], set.length, 5],
      [3, ["gap"], get("k").length, reply.length],
      [1, [], get("b").length, 4],
    ],
  );
});

test("where only a response is lost, what the client had said still holds: between MULTI and EXEC requests are queued", () => {
  const dialogue = new Dialogue().client(1, get("a")).server(2, "+A\r\n").client(3, command("MULTI")).serverLoses(5);
  dialogue.client(5, get("b")).server(6, "+QUEUED\r\n").client(7, command("EXEC")).server(8, "*1\r\n+B\r\n");
  dialogue.client(9, get("c")).server(10, "+C\r\n").end("closed");
  assert.deepEqual(
    dialogue.told.map((told) => [told.text, told.class, told.unanswered]),
    [
      ["GET a", "normal", ""],
      ["MULTI", "normal", "gap"],
      ["GET b", "queued", ""],
      ["EXEC", "normal", ""],
      ["GET c", "normal", ""],
    ],
  );
});

test("a request that was seen whole ends there, whatever of those behind it is lost", () => {
  const dialogue = new Dialogue()
    .client(1, get("a"))
    .clientLoses(get("b").length)
    .client(4, get("c"))
    .server(9, "+A\r\n+B\r\n+C\r\n");
  assert.deepEqual(dialogue.told[0]?.times, [8, 0, 8, 0, 0]);
});

test("a response that ends within a hole: nobody knows when, so it is a gap", () => {
  const reply = bulk(1000);
  const dialogue = new Dialogue()
    .client(1, get("a"))
    .server(2, reply.slice(0, 500))
    .serverLoses(reply.length - 500);
  dialogue.client(5, get("b")).server(6, "+B\r\n");
  assert.deepEqual(dialogue.outcome, ["GET a gap", "GET b 1"]);
});

test("one lost response does not shift all later pairs", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a")).server(2, "+A\r\n").client(10, get("b")).serverLoses(4);
  dialogue.client(20, get("c")).server(23, "+C\r\n").client(30, get("d")).server(35, "+D\r\n").end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET b gap", "GET c 3", "GET d 5"]);
  assert.equal(dialogue.ledger.resyncs, 1);
});

test("one lost request does not shift all later pairs", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a")).server(2, "+A\r\n").client(3, get("b")).server(4, "+B\r\n");
  dialogue.clientLoses(get("c").length).server(12, "+C\r\n").client(20, get("d")).server(23, "+D\r\n").end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET b 1", "GET d 3"]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["gap"]);
});

test("of pipelined requests and responses with a hole over a boundary none is paired by luck", () => {
  const dialogue = new Dialogue();
  dialogue
    .client(1, get("a") + get("b") + get("c"))
    .server(2, "$4\r\nab")
    .serverLoses(12)
    .server(3, "\n+C\r\n");
  dialogue.client(20, get("d")).server(21, "+D\r\n").end("closed");
  for (const told of dialogue.told.slice(0, 3)) assert.equal(told.unanswered, "gap");
  assert.equal(dialogue.told.length, 4);
});

/** Of a client that sends while a response is due, once, and else is at rest `rests` times before it sends again, 1,000 µs apart. */
function restingClient(rests: number): Dialogue {
  const dialogue = new Dialogue();
  dialogue
    .client(100, get("a"))
    .client(110, get("b"))
    .server(200, "+A\r\n")
    .client(210, get("c"))
    .server(300, "+B\r\n+C\r\n");
  for (let i = 1; i <= rests; i++) dialogue.client(1000 * i, get("r")).server(1000 * i + 100, "+R\r\n");
  return dialogue;
}

test("a client that does not wait, but came to rest before a loss, is told again once it has rested as often", () => {
  for (const rests of [20, 40]) {
    const dialogue = restingClient(rests);
    dialogue.client(50_000, get("d")).serverLoses(4).client(50_100, get("e")).server(50_200, "+E\r\n");
    for (let i = 1; i <= 40; i++) dialogue.client(60_000 + 1000 * i, get(`k${i}`)).server(60_480 + 1000 * i, "+K\r\n");
    const told = dialogue.told.filter((one) => one.text.startsWith("GET k"));
    assert.equal(told.length, rests === 20 ? 0 : 40, `${rests} rests`);
    for (const one of told) assert.deepEqual([one.times[0], one.unanswered], [480, ""], one.text);
  }
});

test("of a client that came to rest before a loss, and since then always has one more request under way, nothing is told", () => {
  const dialogue = restingClient(40);
  // The response to d is lost to the capture; from then on each response is that of the request before.
  dialogue
    .client(50_000, get("d"))
    .serverLoses(4)
    .client(50_100, get("e") + get("f"))
    .server(50_200, "+E\r\n");
  for (let i = 1; i <= 100; i++) dialogue.client(60_000 + 1000 * i, get(`k${i}`)).server(60_900 + 1000 * i, "+K\r\n");
  dialogue.end("end");
  const told = dialogue.told.filter((one) => one.text.startsWith("GET k") && one.unanswered === "");
  assert.deepEqual(told, []);
});

test("a client that sent several requests at once, and waits ever since, is told again after a loss", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a") + get("b")).server(2, "+A\r\n+B\r\n");
  for (let i = 1; i <= 10; i++) dialogue.client(100 * i, get("r")).server(100 * i + 9, "+R\r\n");
  dialogue.clientLoses(get("c").length).server(2000, "+C\r\n");
  for (let i = 1; i <= 100; i++) dialogue.client(3000 + 100 * i, get(`k${i}`)).server(3009 + 100 * i, "+K\r\n");
  const told = dialogue.told.filter((one) => one.text.startsWith("GET k"));
  assert.ok(told.length > 60, `${told.length} told`);
  for (const one of told) assert.deepEqual([one.times[0], one.unanswered], [9, ""], one.text);
});

test("a client that always waited for its batches, but not once, where a request is missing: the next is not told with its response", () => {
  const dialogue = new Dialogue();
  for (let i = 1; i <= 40; i++) dialogue.client(100 * i, get("a") + get("b")).server(100 * i + 9, "+A\r\n+B\r\n");
  dialogue.client(5000, get("c")).clientLoses(get("d").length).server(5010, "+C\r\n").client(5020, get("e"));
  dialogue.server(5030, "+D\r\n+E\r\n").end("end");
  assert.deepEqual(dialogue.outcome.slice(-2), ["GET c 10", "GET e gap"]);
});

test("a client that does not wait is not taken up again while anything may be under way, but after a silence", () => {
  const dialogue = new Dialogue();
  // It sends b while a is due: asynchronous.
  dialogue.client(100, get("a")).client(110, get("b")).server(200, "+A\r\n").client(210, get("c"));
  dialogue.server(300, "+B\r\n+C\r\n");
  dialogue.client(310, get("d")).serverLoses(4).client(320, get("e")).server(400, "+E\r\n").client(410, get("f"));
  dialogue.server(500, "+F\r\n");
  assert.deepEqual(dialogue.outcome, ["GET a 100", "GET b 190", "GET c 90"]);
  dialogue
    .client(10 * S, get("g"))
    .server(10 * S + 7, "+G\r\n")
    .end("closed");
  assert.deepEqual(dialogue.outcome.slice(3), ["GET d gap", "GET e gap", "GET f gap", "GET g 7"]);
  assert.equal(dialogue.ledger.resyncs, 1);
});

// ---- from the middle ----

test("without a handshake the first pair is found at a request that looks like nothing else, and marked", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue
    .server(1, "rest of something\r\n")
    .client(2, get("a"))
    .server(3, "+A\r\n")
    .client(4, get("b"))
    .server(6, "+B\r\n");
  dialogue.end("end");
  assert.deepEqual(dialogue.outcome.at(-1), "GET b 2");
  assert.ok(dialogue.told.every(({ flags }) => flags.includes("midstream")));
  assert.equal(dialogue.ledger.parserErrors.length, 0);
});

test("from the middle a client that does not wait is told once it has made long pauses, however short its silences", () => {
  const dialogue = new Dialogue({ handshake: false });
  // It sends while a response is due.
  dialogue.client(100, get("b")).client(110, get("c")).server(200, "+B\r\n").client(210, get("d"));
  dialogue.server(300, "+C\r\n+D\r\n");
  let us = 1000;
  for (let i = 1; i <= 60; i++) {
    dialogue.client(us, get(`k${i}`)).server(us + 100, "+K\r\n");
    us += i % 4 === 0 ? 3000 : 150;
  }
  const told = dialogue.told.filter((one) => one.text.startsWith("GET k"));
  assert.equal(told.length, 60);
  for (const one of told) assert.deepEqual([one.times[0], one.unanswered], [100, ""], one.text);
});

test("of two who share a connection, and keep a request each under way, nothing is told from the middle on", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(0, get("a")).client(10, get("b")).server(50, "+A\r\n").client(90, get("k0"));
  // Each response is that of the request before; the client takes as long as the server, which has one to answer all the time.
  for (let i = 1; i <= 20_000; i++)
    dialogue.server(100 * i + 10, "+K\r\n").client(100 * i + 60 + (i % 30), get(`k${i}`));
  dialogue.end("end");
  assert.deepEqual(
    dialogue.told.filter((one) => one.unanswered === ""),
    [],
  );
  // A trial that shows nothing ends, and is not begun again soon.
  assert.ok(dialogue.told.length < 4200, `${dialogue.told.length} told as unanswered`);
});

test("of a replica's link from its middle, neither side waits for the other: what crosses on the way is no reason to take it up again", () => {
  const dialogue = new Dialogue({ handshake: false });
  const write = command("SET", "k", "v");
  dialogue.server(0, command("PING"));
  for (let i = 1; i <= 20; i++) {
    const acknowledgement = command("REPLCONF", "ACK", `${1000 + i}`);
    // The replica has not received the last write, nor the primary the acknowledgement.
    dialogue.client(i * S, acknowledgement, { unread: i === 1 ? 0 : write.length });
    dialogue.server(i * S + 100, write, { unread: acknowledgement.length }).server(i * S + 200, write);
  }
  dialogue.end("closed");
  assert.deepEqual([dialogue.ledger.noReply, dialogue.ledger.pushedBytes.length], [20, 40]);
  assert.deepEqual([dialogue.told, dialogue.ledger.unmatchedReasons, dialogue.ledger.resyncs], [[], [], 0]);
});

test("a replica's link that is taken up in the middle of a command is read on from one that begins a segment", () => {
  const dialogue = new Dialogue({ handshake: false });
  const write = command("SET", "k", "text of\r\nseveral lines\r\n".repeat(100));
  dialogue.server(0, write.slice(0, 900)).client(1, command("REPLCONF", "ACK", "1000"));
  dialogue.server(2, write.slice(900, 1800)).server(3, write.slice(1800)).server(4, write.slice(0, 900));
  dialogue.client(S, command("REPLCONF", "ACK", "3000")).server(2 * S, write.slice(900) + write);
  assert.deepEqual([dialogue.ledger.parserErrors, dialogue.ledger.pushedBytes], [[], [write.length, write.length]]);
  // Once a command has been read, its place is known.
  dialogue.server(3 * S, "no command\r\n");
  assert.deepEqual(dialogue.ledger.parserErrors, ["response"]);
});

test("what was taken up on a belief that told nothing was not followed: taking it up for good is no resync", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(0, get("a")).client(1, get("b"), { unread: 0 }).server(2, "+A\r\n");
  dialogue.client(3, get("c")).server(4, "+B\r\n").server(5, "+C\r\n");
  dialogue
    .client(9 * S, get("d"))
    .server(9 * S + 1, "+D\r\n")
    .end("closed");
  assert.equal(dialogue.ledger.resyncs, 0);
  assert.deepEqual(dialogue.outcome.at(-1), "GET d 1");
});

test("without a handshake the end of a value is no request, and the response to it no pair", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(1, "rest of a value\r\n").server(2, "+OK\r\n").client(3, get("a")).server(5, "+A\r\n");
  dialogue.client(6, get("b")).server(9, "+B\r\n").client(10, get("c")).server(14, "+C\r\n");
  dialogue.client(16, get("d")).server(21, "+D\r\n").end("closed");
  assert.equal(dialogue.ledger.resyncs, 0, "it is taken up for the first time");
  const pairs = new Map([
    ["GET a", 2],
    ["GET b", 3],
    ["GET c", 4],
    ["GET d", 5],
  ]);
  for (const { text, times } of dialogue.told) assert.equal(times[0], pairs.get(text));
  assert.equal(dialogue.told.at(-1)?.text, "GET d");
});

test("without a handshake a value that looks like a request is found out: no wrong pair", () => {
  const dialogue = new Dialogue({ handshake: false });
  // The middle of a SET whose value is itself a command, and goes on.
  dialogue
    .client(1, `${get("inner")}`)
    .client(1, `${get("inner")}\r\n`)
    .server(2, "+OK\r\n");
  dialogue.client(3, get("a")).server(5, "+A\r\n").client(6, get("b")).server(9, "+B\r\n").end("end");
  for (const { text, times, unanswered } of dialogue.told) {
    if (text === "GET inner") assert.notEqual(unanswered, "");
    else assert.ok(unanswered !== "" || times[0] === (text === "GET a" ? 2 : 3), text);
  }
});

test("a response that nobody asked for puts what rests on an assumption in doubt", () => {
  const dialogue = new Dialogue({ handshake: false });
  dialogue.client(1, get("a")).server(2, "+A\r\n+B\r\n").client(3, get("c")).server(4, "+C\r\n");
  // A's may be the response to a request before it, and B's to the request for A.
  assert.deepEqual(dialogue.outcome, ["GET a gap"]);
  assert.equal(dialogue.ledger.unmatchedReasons.length, 2);
});

test("with a handshake such a response is merely unmatched", () => {
  const dialogue = new Dialogue();
  dialogue.client(1, get("a")).server(2, "+A\r\n+B\r\n").client(3, get("c")).server(4, "+C\r\n").end("closed");
  assert.deepEqual(dialogue.outcome, ["GET a 1", "GET c 1"]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["no_request"]);
});

// ---- which protocol ----

test("TLS and unknown protocols are counted, and not looked into", () => {
  const tls = new Dialogue({ port: 6380 })
    .client(1, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
    .server(2, "\x16\x03\x03");
  assert.deepEqual([tls.refused, tls.connection.isIgnored], [{ tls: 1, unknown_protocol: 0, unknown_udp: 0 }, true]);
  const pinned = new Dialogue({ selections: [{ name: "redis", ports: [] }] })
    .client(1, "\x16\x03\x01\x02\0\x01\0")
    .end("closed");
  assert.deepEqual([pinned.refused.tls, pinned.ledger.parserErrors], [1, []]);
  const rtsp = new Dialogue({ port: 80 })
    .client(1, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    .server(2, "RTSP/1.0 200 OK\r\n");
  assert.deepEqual([rtsp.refused, rtsp.ledger.requests], [{ tls: 0, unknown_protocol: 1, unknown_udp: 0 }, 0]);
});

test("what the server says before the client (a greeting) is unmatched where the protocol is known, else not looked at", () => {
  const pinned = new Dialogue({ selections: [{ name: "redis", ports: [] }] }).server(1, "-DENIED no\r\n").end("closed");
  assert.deepEqual(pinned.ledger.unmatchedReasons, ["no_request"]);
  const auto = new Dialogue().server(1, "-DENIED no\r\n").client(2, get("a")).server(3, "+A\r\n").end("closed");
  assert.deepEqual(auto.outcome, ["GET a 1"]);
});

test("CLIENT REPLY with a hole over which: the answer that comes is another request's", () => {
  const request = command("CLIENT", "REPLY", "SKIP");
  const dialogue = new Dialogue()
    .client(1, get("a") + request.slice(0, -10))
    .clientLoses(10 + get("b").length)
    .client(3, get("c"))
    .server(5, "+A\r\n+C\r\n")
    .end("closed");
  assert.ok(!dialogue.outcome.some((line) => line.startsWith("CLIENT")), dialogue.outcome.join(", "));
  assert.equal(dialogue.outcome[0], "GET a 4");
});

test("CLIENT REPLY ON that was lost silences nothing for good", () => {
  const on = command("CLIENT", "REPLY", "ON");
  const dialogue = new Dialogue()
    .client(1, get("a"))
    .server(2, "+A\r\n")
    .client(3, command("CLIENT", "REPLY", "OFF"));
  dialogue
    .client(4, command("SET", "k", "1"))
    .clientLoses(on.length)
    .server(6, "+OK\r\n");
  for (let n = 1; n <= 40; n++) dialogue.client(n * 1000, get(`${n}`)).server(n * 1000 + 10, "+N\r\n");
  dialogue.end("closed");
  const paired = dialogue.outcome.filter((line) => line.endsWith(" 10"));
  assert.ok(paired.length >= 30, dialogue.outcome.join(", "));
});
