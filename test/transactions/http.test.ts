import assert from "node:assert/strict";
import { test } from "node:test";
import { Dialogue } from "./dialogue.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const REFUSED = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n";
const expecting = (path: string, length: number) =>
  `PUT ${path} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

test("behind a refused body that was never sent the request tried again and those that follow have their own times", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, expecting("/x", 120)).server(1_000, REFUSED);
  dialogue.client(10_000, "PUT /x HTTP/1.1\r\nContent-Length: 120\r\n\r\n").client(20_000, "b".repeat(120));
  dialogue.server(30_000, OK).client(40_000, get("/y")).server(45_000, OK).end("closed");
  assert.deepEqual(dialogue.outcome, ["PUT /x 1000", "PUT /x 20000", "GET /y 5000"]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, []);
});

test("a request behind a refused body begins with its first byte, also where its line comes in pieces", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, expecting("/x", 5)).server(1_000, REFUSED);
  dialogue
    .client(10_000, "G")
    .client(11_000, "ET /")
    .client(12_000, "y HTTP/1.1\r\nHost: x\r\n\r\n")
    .server(15_000, OK);
  assert.deepEqual(dialogue.outcome, ["PUT /x 1000", "GET /y 5000"]);
  assert.equal(dialogue.told[1]?.requestBytes, get("/y").length);
  assert.equal(dialogue.told[1]?.id, "1-2");
});

test("a refused body that is sent all the same is nobody's, also where it begins as a request would", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, expecting("/x", 8)).server(1_000, REFUSED);
  dialogue.client(2_000, "GET").client(3_000, " out!").client(10_000, get("/y")).server(15_000, OK);
  assert.deepEqual(dialogue.outcome, ["PUT /x 1000", "GET /y 5000"]);
  assert.equal(dialogue.ledger.requests, 2);
});

test("a connection that rests between a refusal and the next request is read on, and none of it is left to another", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, expecting("/x", 120)).server(1_000, REFUSED);
  dialogue.conversation.sleep();
  dialogue.client(10_000, "GE");
  dialogue.conversation.sleep();
  dialogue.client(10_500, "T /y HTTP/1.1\r\n\r\n").server(15_000, OK);
  dialogue.conversation.sleep();
  dialogue.client(20_000, "PUT /z HTTP/1.1\r\nContent-Length: 19\r\n\r\n").server(21_000, REFUSED);
  dialogue.client(22_000, "GET /z HTTP/1.1\r\n\r\n").client(30_000, get("/a")).server(31_000, OK);
  assert.deepEqual(dialogue.outcome, ["PUT /x 1000", "GET /y 5000", "PUT /z 1000", "GET /a 1000"]);
});

test("a HEAD whose method is cut by a loss ends with its response's fields, and those behind it have their own responses", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, "HE").clientLoses(26).server(5_000, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
  dialogue.client(40_000, get("/b")).server(50_000, OK).client(100_000, get("/c")).server(150_000, OK);
  dialogue.end("closed");
  assert.deepEqual(dialogue.outcome, ["HE 5000", "GET /b 10000", "GET /c 50000"]);
  assert.deepEqual(dialogue.told[0]?.flags, ["gap", "truncated"]);
});

test("a HEAD whose method is cut, and that is the last, is told when its connection falls silent or ends", () => {
  for (const end of [(it: Dialogue) => it.conversation.expire(2_000_000), (it: Dialogue) => it.end("closed")]) {
    const dialogue = new Dialogue({ port: 80 });
    dialogue.client(0, "HEAD").clientLoses(26).server(5_000, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
    assert.deepEqual(dialogue.outcome, []);
    end(dialogue);
    assert.deepEqual(dialogue.outcome, ["HEAD 5000"]);
  }
});

test("where a body follows, a request whose method is cut has no answer: when that ends nobody knows", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue.client(0, "CO").clientLoses(26).server(5_000, "HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n");
  dialogue.server(30_000, "b".repeat(50)).client(3_040_000, get("/b")).server(3_050_000, OK);
  dialogue.client(6_100_000, get("/c")).server(6_150_000, OK).end("closed");
  assert.deepEqual(dialogue.outcome, ["CO gap", "GET /b 10000", "GET /c 50000"]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, ["gap"]);
});

test("a HEAD that was lost whole: what begins in place of its response's body is the next response", () => {
  const dialogue = new Dialogue({ port: 80 }).client(0, "GET /a HTTP/1.1\r\n\r\n").server(1000, OK);
  dialogue.clientLoses(20).server(2000, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  for (let i = 1; i <= 5; i++) dialogue.client(i * 10_000, `GET /${i} HTTP/1.1\r\n\r\n`).server(i * 10_000 + 1000, OK);
  dialogue.end("closed");
  // Which request the next response is to is proven soon after.
  assert.deepEqual(dialogue.outcome, ["GET /a 1000", "GET /3 1000", "GET /4 1000", "GET /5 1000"]);
  assert.ok(dialogue.ledger.unmatchedReasons.length <= 3);
});

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const chat = "GET /chat HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

test("an upgrade or a tunnel is told as such however much of its response the snaplen has cut, and nothing behind it is read", () => {
  const tunnel = "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n";
  for (const [request, response] of [
    [chat, SWITCHED],
    ["CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", tunnel],
  ] as const) {
    for (let cut = 0; cut <= response.length - "HTTP/1.1 200".length; cut++) {
      const dialogue = new Dialogue({ port: 80 });
      dialogue.client(0, request).server(30_000, response, { cut });
      dialogue.client(50_000, get("/x")).server(90_000, OK).end("closed");
      const [told] = dialogue.told;
      assert.equal(dialogue.told.length, 1, `${cut} bytes cut`);
      assert.deepEqual([told?.class, told?.unanswered, told?.flags], ["stream", "", []], `${cut} bytes cut`);
      assert.deepEqual([told?.times[0], told?.responseBytes], [30_000, response.length], `${cut} bytes cut`);
      assert.deepEqual([dialogue.ledger.unmatchedReasons, dialogue.ledger.parserErrors], [[], []]);
    }
  }
});

test("behind an upgrade whose response has a hole nothing is read, and when that response had ended nobody knows", () => {
  const dialogue = new Dialogue({ port: 80 });
  dialogue
    .client(0, chat)
    .server(30_000, SWITCHED.slice(0, 40))
    .serverLoses(SWITCHED.length - 40);
  dialogue.client(50_000, get("/x")).server(90_000, OK).end("closed");
  assert.deepEqual(dialogue.outcome, ["GET /chat gap"]);
  assert.deepEqual([dialogue.ledger.unmatchedReasons, dialogue.ledger.parserErrors], [[], []]);
});

test("any other response whose fields the snaplen has cut ends where nobody knows, a refused tunnel's too", () => {
  for (const request of [get("/a"), "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"]) {
    const dialogue = new Dialogue({ port: 80 });
    dialogue.client(0, request).server(30_000, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", { cut: 15 });
    dialogue.client(50_000, get("/x")).server(90_000, OK);
    dialogue.conversation.expire(2_000_000);
    assert.equal(dialogue.told[0]?.class, "normal");
    assert.equal(dialogue.ledger.requests, 2);
  }
});
