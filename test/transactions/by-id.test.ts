import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, framed, question } from "../support/dns.ts";
import { Dialogue } from "./dialogue.ts";

/** DNS over TCP pairs by id: questions and answers of these names, each with its length in front. */
const asked = (id: number, ...names: readonly string[]) => text(names.map((name) => question(id, name)));
const said = (id: number, ...names: readonly string[]) => text(names.map((name) => answer(id, name)));

function text(messages: readonly Buffer[]): string {
  return Buffer.concat(messages.map(framed)).toString("latin1");
}

function dialogue(handshake = true, requestTimeoutUs = 60_000_000): Dialogue {
  return new Dialogue({ port: 53, handshake, requestTimeoutUs });
}

const outcome = ({ told }: Dialogue) =>
  told.map((one) => `${one.key} ${one.unanswered === "" ? one.times[0] : one.unanswered}`);

test("an answer whose question was lost is unmatched, and all others pair at once", () => {
  const of = dialogue().client(0, asked(1, "a")).server(10, said(1, "a"));
  of.clientLoses(30).client(100, asked(3, "c")).server(110, said(2, "lost")).server(120, said(3, "c"));
  of.client(200, asked(4, "d")).server(230, said(4, "d"));
  assert.deepEqual(outcome(of), ["a 10", "c 20", "d 30"]);
  assert.deepEqual(of.ledger.unmatchedReasons, ["gap"]);
  assert.equal(of.ledger.resyncs, 1);
});

test("a question whose answer was lost ends as a gap, and those behind it pair at once", () => {
  const of = dialogue()
    .client(0, asked(1, "a") + asked(2, "b"))
    .serverLoses(40);
  of.client(50, asked(3, "c")).server(60, said(3, "c")).server(70, said(2, "b")).end("closed");
  assert.deepEqual(outcome(of), ["c 10", "b 70", "a gap"]);
});

test("an id that is used again after such a loss is its new question's", () => {
  const of = dialogue().client(0, asked(1, "a")).serverLoses(40).client(50, asked(1, "a")).server(60, said(1, "a"));
  assert.deepEqual(outcome(of), ["a gap", "a 10"]);
});

test("an id that is used again while nothing was lost goes to the older question first", () => {
  const of = dialogue()
    .client(0, asked(1, "a") + asked(1, "a"))
    .server(10, said(1, "a"))
    .server(25, said(1, "a"));
  assert.deepEqual(outcome(of), ["a 10", "a 25"]);
});

test("a hole within a message is passed over, and what was asked is told with it", () => {
  const whole = said(1, "a.long.name.example");
  const of = dialogue().client(0, asked(1, "a.long.name.example")).server(10, whole.slice(0, 20));
  of.serverLoses(whole.length - 25)
    .server(30, whole.slice(-5))
    .client(40, asked(2, "b"))
    .server(50, said(2, "b"));
  assert.deepEqual(outcome(of), ["a.long.name.example 30", "b 10"]);
  assert.deepEqual(of.told[0]!.flags, ["gap"]);
  assert.equal(of.told[0]!.responseBytes, whole.length);
});

test("the place in a stream is not taken from bytes that only look like a message", () => {
  const of = dialogue().client(0, asked(1, "a")).server(5, "\0\x30").serverLoses(20);
  // Not of a pending id; no message at all; then one.
  of.server(10, said(9, "elsewhere")).server(20, "\0\x0ehello, world!!").server(30, said(1, "a"));
  assert.deepEqual(outcome(of), ["a 30"]);
  assert.deepEqual(of.ledger.unmatchedReasons, []);
});

test("a connection without a handshake is followed from its first whole message on, in either direction", () => {
  const of = dialogue(false).server(1, said(8, "before")).client(2, "\x03com\0\0\x01\0\x01");
  of.client(10, asked(1, "a")).server(15, said(1, "a"));
  assert.deepEqual(outcome(of), ["a 5"]);
  assert.deepEqual(of.told[0]!.flags, ["midstream"]);
  assert.equal(of.ledger.resyncs, 0, "nothing was lost");
  of.clientLoses(30).client(100, asked(3, "c")).server(110, said(3, "c"));
  assert.deepEqual(outcome(of), ["a 5", "c 10"]);
  assert.equal(of.ledger.resyncs, 1);
});

test("a time-out after bytes of the server were lost is a gap, and without a loss a time-out", () => {
  const lost = dialogue(true, 1_000_000).client(0, asked(1, "a")).serverLoses(40);
  const slow = dialogue(true, 1_000_000).client(0, asked(1, "a"));
  for (const of of [lost, slow]) of.conversation.expire(5_000_000);
  assert.deepEqual([outcome(lost), outcome(slow)], [["a gap"], ["a timeout"]]);
});

test("what was cut off of the last answers is not the answer to a question that may have been answered before", () => {
  const of = dialogue().client(0, asked(1, "a") + asked(2, "b"));
  of.server(10, said(1, "a") + said(2, "b"), { cut: said(2, "b").length });
  of.client(900_000, asked(3, "c")).server(900_020, said(3, "c"));
  of.client(910_000, asked(4, "d") + asked(5, "e")).server(910_030, said(4, "d") + said(5, "e"), {
    cut: said(5, "e").length,
  });
  assert.deepEqual(outcome(of.end("closed")), ["a 10", "c 20", "d 30", "b gap", "e gap"]);
});

test("of a single question the answer is known, if only its first byte was captured", () => {
  const of = dialogue().client(0, asked(1, "a"));
  of.server(10, said(1, "a"), { cut: said(1, "a").length - 1 });
  assert.deepEqual(outcome(of.end("closed")), ["a 10"]);
});

test("not where another question may have been asked, in bytes that were lost", () => {
  const of = dialogue().client(0, asked(1, "a")).server(10, said(1, "a")).clientLoses(30);
  of.client(20, asked(3, "c")).server(30, said(2, "lost"), { cut: said(2, "lost").length - 1 });
  assert.deepEqual(outcome(of.end("closed")), ["a 10", "c gap"]);
});

const AXFR = 252;

function transfer(id: number, name: string): { asked: string; first: string; next: string } {
  const next = answer(id, "x").subarray(0, 12);
  next.writeUInt16BE(0, 4);
  return { asked: text([question(id, name, AXFR)]), first: text([answer(id, name, AXFR)]), next: text([next]) };
}

test("of zone transfers that share a connection and come message by message all but the first messages are pushes", () => {
  const of = dialogue();
  const zones = [transfer(1, "a"), transfer(2, "b"), transfer(3, "c")];
  of.client(0, zones.map((zone) => zone.asked).join(""));
  for (const { first } of zones) of.server(10, first);
  of.conversation.sleep();
  for (const [index, { next }] of [...zones, ...zones].entries()) of.server(20 + index, next);
  // Another id is nobody's.
  of.client(40, asked(5, "d")).server(50, said(4, "e") + said(5, "d"));
  assert.deepEqual(outcome(of), ["a 10", "b 10", "c 10", "d 10"]);
  assert.deepEqual(
    of.ledger.pushedBytes,
    Array.from({ length: 6 }, () => 14),
  );
  assert.deepEqual(of.ledger.unmatchedReasons, ["no_request"]);
});

test("a connection remembers its last 128 zone transfers", () => {
  const of = dialogue();
  const zones = Array.from({ length: 129 }, (_, index) => transfer(index + 1, "a"));
  for (const zone of zones) of.client(0, zone.asked).server(10, zone.first);
  for (const { next } of zones) of.server(20, next);
  assert.deepEqual([of.ledger.pushedBytes.length, of.ledger.unmatchedReasons], [128, ["no_request"]]);
});
