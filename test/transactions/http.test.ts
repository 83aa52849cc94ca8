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
