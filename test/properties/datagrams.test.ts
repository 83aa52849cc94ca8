import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { answer, framed, question } from "../support/dns.ts";
import {
  BEGIN_US,
  batchOf,
  Dialogue,
  datagram,
  ETHERNET,
  type TestHost,
  type TestSegment,
} from "../support/segments.ts";
import { runs } from "./plans.ts";
import { type Result, runBatches } from "./run.ts";

const CLIENT: TestHost = { address: "10.0.0.1", port: 40_001 };
const SERVER: TestHost = { address: "10.0.0.2", port: 53 };

/** One question: when it is asked and answered, with which id, and which of its frames the capture has. */
interface Asked {
  readonly atUs: number;
  readonly tookUs: number;
  readonly id: number;
  readonly isAskedTwice: boolean;
  readonly isQuestionLost: boolean;
  readonly isAnswerLost: boolean;
  readonly isSeenTwice: boolean;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  atUs: fc.nat(20_000),
  tookUs: fc.integer({ min: 1, max: 3_000 }),
  id: fc.nat(3),
  isAskedTwice: fc.boolean(),
  isQuestionLost: fc.boolean(),
  isAnswerLost: fc.boolean(),
  isSeenTwice: fc.boolean(),
});

/** Its name says which it is. */
function nameOf(index: number): string {
  return `n${index}.example`;
}

function framesOf(one: Asked, index: number, name = nameOf(index)): TestSegment[] {
  const ask = question(one.id, name);
  const at = one.atUs * 10;
  const frames: TestSegment[] = [];
  const see = (frame: TestSegment) => {
    frames.push(frame);
    if (one.isSeenTwice) frames.push({ ...frame, timeUs: frame.timeUs + 1 });
  };
  if (!one.isQuestionLost) see(datagram(at, CLIENT, SERVER, ask, 1 + index * 4));
  const again = at + 5 * one.tookUs;
  if (one.isAskedTwice) see(datagram(again, CLIENT, SERVER, ask, 2 + index * 4));
  const answeredUs = (one.isAskedTwice ? again : at) + 2 * one.tookUs;
  if (!one.isAnswerLost) see(datagram(answeredUs, SERVER, CLIENT, answer(one.id, name), 3 + index * 4));
  return frames;
}

/** What is told of each name: whether there was an answer, from when to when. */
function told(result: Result): Map<string, string> {
  return new Map(
    result.finished.map((one) => [
      one.text.slice(2),
      one.unanswered === "" ? `${one.startUs - BEGIN_US} ${one.endUs - BEGIN_US}` : one.unanswered,
    ]),
  );
}

/** What the frames that are left show. */
function truth(all: readonly Asked[]): Map<string, string> {
  const shown = new Map<string, string>();
  for (const [index, one] of all.entries()) {
    const at = one.atUs * 10;
    const again = at + 5 * one.tookUs;
    if (one.isQuestionLost && !one.isAskedTwice) continue;
    const startUs = one.isQuestionLost ? again : at;
    const endUs = (one.isAskedTwice ? again : at) + 2 * one.tookUs;
    shown.set(nameOf(index), one.isAnswerLost ? "end" : `${startUs} ${endUs}`);
  }
  return shown;
}

describe("questions in datagrams, many at once from one port with few ids", () => {
  it("pair as they did, whatever was lost, asked twice or captured twice", () => {
    const property = fc.property(fc.array(asked, { minLength: 1, maxLength: 30 }), (all) => {
      const frames = all.flatMap((one, index) => framesOf(one, index)).sort((a, b) => a.timeUs - b.timeUs);
      const result = runBatches([batchOf(frames)], 1);
      assert.deepEqual(result.violations, []);
      assert.deepEqual([...told(result)].sort(), [...truth(all)].sort());
      assert.equal(result.pipeline.requestsHeld, 0);
    });
    fc.assert(property, runs(200));
  });
});

/** Names that a frame of 68 bytes shows only the beginning of: 26 bytes of the message are left. */
function longNameOf(index: number): string {
  return `${index}-n.department.example.org`;
}

describe("the same of frames that are cut off in the question", () => {
  it("pair as they did", () => {
    const property = fc.property(fc.array(asked, { minLength: 1, maxLength: 30 }), (all) => {
      const frames = all.flatMap((one, index) => framesOf({ ...one, isSeenTwice: false }, index, longNameOf(index)));
      frames.sort((a, b) => a.timeUs - b.timeUs);
      const result = runBatches([batchOf(frames, ETHERNET, 68)], 1);
      const shown = [...truth(all)].map(([name, what]) => [`${/\d+/.exec(name)![0]}-n`, what]);
      const seen = result.finished.map((one) => [
        one.text,
        one.unanswered === "" ? `${one.startUs - BEGIN_US} ${one.endUs - BEGIN_US}` : one.unanswered,
      ]);
      assert.deepEqual(seen.sort(), shown.sort());
    });
    fc.assert(property, runs(200));
  });
});

describe("questions over TCP", () => {
  it("pair truly, whatever frames were lost", () => {
    const property = fc.property(
      fc.array(asked, { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(60), { maxLength: 20 }),
      (all, lost) => {
        const dialogue = new Dialogue(CLIENT, SERVER);
        dialogue.open(0);
        const events = all.flatMap((one, index) => [
          { at: 100 + one.atUs * 10, index, isAnswer: false },
          { at: 100 + one.atUs * 10 + one.tookUs, index, isAnswer: true },
        ]);
        for (const { at, index, isAnswer } of events.sort((a, b) => a.at - b.at)) {
          const make = isAnswer ? answer : question;
          const text = framed(make(all[index]!.id, nameOf(index))).toString("latin1");
          if (isAnswer) dialogue.server(at, text);
          else dialogue.client(at, text);
        }
        const frames = dialogue.segments.filter((_, place) => place < 3 || !lost.includes(place - 3));
        const result = runBatches([batchOf(frames)], 1);
        assert.deepEqual(result.violations, []);
        for (const [name, what] of told(result)) {
          const index = Number(/^n(\d+)/.exec(name)![1]);
          const from = 100 + all[index]!.atUs * 10;
          if (/^\d/.test(what)) assert.equal(what, `${from} ${from + all[index]!.tookUs}`, name);
        }
        if (lost.length === 0) assert.equal(result.answered.length, all.length);
      },
    );
    fc.assert(property, runs(200));
  });
});
