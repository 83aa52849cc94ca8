import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fetch,
  fetchResponse,
  heartbeat,
  heartbeatResponse,
  i32,
  listOffsets,
  listOffsetsResponse,
  produce,
  produceResponse,
  saslHandshake,
  saslHandshakeResponse,
  saslToken,
} from "../support/kafka-frames.ts";
import { Dialogue, type Told } from "./dialogue.ts";

const PORT = 9092;

/** Command, latency in µs or why there is none, class. */
function rows(told: readonly Told[]): (string | number)[][] {
  return told.map((each) => [each.command, each.unanswered === "" ? each.times[0] : each.unanswered, each.class]);
}

test("a Fetch that came back empty when its wait was over has waited on purpose, one that came sooner has not", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, fetch(1, 500)).server(499_000, fetchResponse(1, ""));
  dialogue.client(500_000, fetch(2, 500)).server(600_000, fetchResponse(2, ""));
  dialogue.client(700_000, fetch(3, 500)).server(1_200_500, fetchResponse(3, "records"));
  assert.deepEqual(rows(dialogue.told), [
    ["Fetch", 499_000, "blocking"],
    ["Fetch", 100_000, "normal"],
    ["Fetch", 500_500, "normal"],
  ]);
});

test("a Fetch that came back empty long after its wait was over was slow, and so was one that was not to wait", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, fetch(1, 500)).server(800_000, fetchResponse(1, ""));
  dialogue.client(1_000_000, fetch(2, 500)).server(3_000_000, fetchResponse(2, ""));
  dialogue.client(4_000_000, fetch(3, 0)).server(4_090_000, fetchResponse(3, ""));
  dialogue.client(5_000_000, fetch(4, 10)).server(5_090_000, fetchResponse(4, ""));
  assert.deepEqual(rows(dialogue.told), [
    ["Fetch", 800_000, "blocking"],
    ["Fetch", 2_000_000, "normal"],
    ["Fetch", 90_000, "normal"],
    ["Fetch", 90_000, "blocking"],
  ]);
});

test("Produce without acknowledgements is counted as no_reply once a later request is answered", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, produce(1, 0, "a") + produce(2, 0, "b") + heartbeat(3)).server(100, heartbeatResponse(3));
  assert.deepEqual(rows(dialogue.told), [["Heartbeat", 100, "normal"]]);
  assert.equal(dialogue.ledger.noReply, 2);
});

test("who follows only such requests is not pipelined: nobody is to be answered before", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue
    .client(0, produce(1, 0, "a"))
    .client(10, produce(2, 0, "b"))
    .client(5_000_000, heartbeat(3));
  dialogue.client(5_000_050, heartbeat(4)).server(5_000_100, heartbeatResponse(3) + heartbeatResponse(4));
  assert.deepEqual(
    dialogue.told.map((each) => each.flags),
    [[], ["pipelined"]],
  );
});

test("it is paired where the broker answers it all the same", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, produce(1, 0, "a") + produce(2, 0, "b")).server(100, produceResponse(1) + produceResponse(2));
  assert.deepEqual(rows(dialogue.told), [
    ["Produce", 100, "normal"],
    ["Produce", 100, "normal"],
  ]);
  assert.equal(dialogue.ledger.noReply, 0);
});

test("it is no_reply, too, when its connection ends, its time is up, or many such wait", () => {
  const closed = new Dialogue({ port: PORT });
  closed.client(0, produce(1, 0, "a")).end("closed");
  assert.deepEqual([closed.told.length, closed.ledger.noReply], [0, 1]);

  const late = new Dialogue({ port: PORT, requestTimeoutUs: 1000 });
  late.client(0, produce(1, 0, "a")).conversation.expire(5000);
  assert.deepEqual([late.told.length, late.ledger.noReply], [0, 1]);

  const many = new Dialogue({ port: PORT });
  for (let id = 0; id < 100; id++) many.client(id, produce(id, 0, "a"));
  assert.deepEqual([many.told.length, many.ledger.noReply], [0, 84]);
  many.end("closed");
  assert.equal(many.ledger.noReply, 100);
});

test("a connection older than the capture pairs from the first request that is seen whole", () => {
  const dialogue = new Dialogue({ port: PORT, handshake: false });
  dialogue.server(0, fetchResponse(6, "the middle of records").slice(20));
  dialogue
    .client(100, heartbeat(7) + heartbeat(8))
    .server(200, heartbeatResponse(7))
    .server(250, heartbeatResponse(8));
  assert.deepEqual(rows(dialogue.told), [
    ["Heartbeat", 100, "normal"],
    ["Heartbeat", 150, "normal"],
  ]);
  assert.deepEqual(dialogue.ledger.unmatchedReasons, []);
});

test("behind a hole over responses those that are seen go to their requests, the others are told as lost", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, heartbeat(1) + heartbeat(2) + heartbeat(3));
  dialogue
    .server(100, heartbeatResponse(1).slice(0, 5))
    .serverLoses(15)
    .server(300, heartbeatResponse(3))
    .end("closed");
  assert.deepEqual(rows(dialogue.told), [
    ["Heartbeat", 300, "normal"],
    ["Heartbeat", "gap", "normal"],
    ["Heartbeat", "gap", "normal"],
  ]);
});

test("behind a hole over requests the next whole one is read, and nothing is paired by luck", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, heartbeat(1).slice(0, 6)).clientLoses(heartbeat(1).length * 2 - 6);
  dialogue.client(50, produce(5, 1, heartbeat(2)).slice(60)).client(100, heartbeat(3));
  dialogue.server(200, heartbeatResponse(2)).server(300, heartbeatResponse(3)).end("closed");
  assert.deepEqual(rows(dialogue.told), [["Heartbeat", 200, "normal"]]);
  assert.equal(dialogue.ledger.unmatchedReasons.length, 1);
});

test("where the answer to a SASL token was lost, the next response is not taken for it", () => {
  const dialogue = new Dialogue({ port: PORT });
  dialogue.client(0, saslHandshake(1)).server(100, saslHandshakeResponse(1));
  dialogue.client(200, saslToken("\0user\0password")).serverLoses(saslToken("").length);
  dialogue.client(400, heartbeat(2)).server(500, heartbeatResponse(2));
  dialogue.client(600, heartbeat(3)).server(700, heartbeatResponse(3)).end("closed");
  assert.deepEqual(rows(dialogue.told), [
    ["SaslHandshake", 100, "connect"],
    ["Heartbeat", 100, "normal"],
    ["Heartbeat", 100, "normal"],
    ["SaslToken", "gap", "connect"],
  ]);
});

test("a hole in the records of a request or a response leaves the transaction whole", () => {
  const dialogue = new Dialogue({ port: PORT });
  const sent = produce(1, 1, "r".repeat(500));
  dialogue.client(0, sent.slice(0, 100)).clientLoses(400).client(20, sent.slice(500)).server(100, produceResponse(1));
  const got = fetchResponse(2, "r".repeat(500));
  dialogue.client(200, fetch(2, 500)).server(300, got.slice(0, 100)).serverLoses(400).server(350, got.slice(500));
  assert.deepEqual(rows(dialogue.told), [
    ["Produce", 100, "normal"],
    ["Fetch", 150, "normal"],
  ]);
  assert.deepEqual(
    dialogue.told.map(({ flags }) => flags),
    [["gap"], ["gap"]],
  );
});

test("a response whose last bytes are missing ended nobody knows when", () => {
  const dialogue = new Dialogue({ port: PORT });
  const got = fetchResponse(1, "r".repeat(500));
  dialogue
    .client(0, fetch(1, 500))
    .server(100, got.slice(0, 100))
    .serverLoses(got.length - 100);
  dialogue.client(200, heartbeat(2)).server(300, heartbeatResponse(2));
  assert.deepEqual(rows(dialogue.told), [
    ["Fetch", "gap", "normal"],
    ["Heartbeat", 100, "normal"],
  ]);
});

test("behind a lost segment of a long response, nothing of its middle is told as another's, and the next response is found", () => {
  const partition = (at: number) => `${[1500 + at, 6, 2, 0, 1, 2, 0, 1].map(i32).join("")}\0\0`;
  const long = Array.from({ length: 400 }, (_, at) => partition(at)).join("");
  const dialogue = new Dialogue({ port: PORT });
  // The middle begins with a partition, of which number and leader pass for a length and an id.
  dialogue.client(0, fetch(5, 500) + listOffsets(6)).serverLoses(1448);
  dialogue.server(110, long.slice(340, 340 + 1448)).server(120, long.slice(340 + 1448, 6000));
  dialogue.server(900, listOffsetsResponse(6)).end("closed");
  assert.deepEqual(
    dialogue.told.map(({ command, unanswered, times, error }) => [command, unanswered || times[0], error]),
    [
      ["ListOffsets", 900, ""],
      ["Fetch", "gap", ""],
    ],
  );
});

test("behind a lost segment, a long response is found by its topic's name", () => {
  const long = fetchResponse(6, "r".repeat(3000));
  const dialogue = new Dialogue({ port: PORT });
  dialogue
    .client(0, fetch(5, 500))
    .server(100, fetchResponse(5, "r".repeat(2000)).slice(0, 1000))
    .serverLoses(1448);
  dialogue.client(200, fetch(6, 500)).server(300, long.slice(0, 1448)).server(310, long.slice(1448));
  dialogue.end("closed");
  assert.deepEqual(rows(dialogue.told), [
    ["Fetch", 110, "normal"],
    ["Fetch", "gap", "normal"],
  ]);
});
