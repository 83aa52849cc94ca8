import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { Sample } from "../../src/connection/sample.ts";
import { CLIENT, Dialogue, SERVER, type TestHost } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

/** So little that the connections of a test are outside. */
const NONE = 1e-9;

const clientAt = (port: number): TestHost => ({ ...CLIENT, port });

/** A connection of its own for each port, opened and asked once; what came in the table of a recorder. */
function openMany(recorder: Recorder, count: number, firstPort = 40_000): Dialogue[] {
  return Array.from({ length: count }, (_, i) => {
    const dialogue = new Dialogue(clientAt(firstPort + i));
    dialogue.open(i);
    dialogue.client(i + 30, "ask");
    dialogue.server(i + 40, "told");
    recorder.take(...dialogue.segments.splice(0));
    return dialogue;
  });
}

describe("the share of the connections in the sample", () => {
  const hashes: readonly [string, (i: number) => number][] = [
    ["neighbouring hashes", (i) => i],
    ["hashes that differ in their high bits alone", (i) => (i << 16) | 0],
    ["hashes all over", (i) => Math.imul(i, 0x9e3779b1)],
  ];
  for (const [name, hash] of hashes) {
    it(`is what was asked for, and a smaller sample a part of a larger one: ${name}`, () => {
      const sample = new Sample();
      let before = new Set(Array.from({ length: 10_000 }, (_, i) => i));
      for (const ratio of [1, 0.7, 0.25, 0.05, 0.01]) {
        sample.set(ratio, 0);
        const within = new Set([...before].filter((i) => sample.holds(hash(i))));
        for (let i = 0; i < 10_000; i++) assert.equal(sample.holds(hash(i)), within.has(i));
        const expected = ratio * 10_000;
        assert.ok(Math.abs(within.size - expected) <= 4 * Math.sqrt(expected), `${within.size} at ${ratio}`);
        before = within;
      }
    });
  }

  it("is kept by new connections, and by both directions of each, on one client's neighbouring ports", () => {
    const recorder = new Recorder();
    recorder.table.sampleOnly(0.25);
    openMany(recorder, 1000);
    const within = recorder.connections.length;
    assert.ok(within > 190 && within < 310, `${within}`);
    assert.equal(recorder.table.sample.connectionsOutside, 1000 - within);
    assert.equal(recorder.table.openedBySyn, 1000);
    assert.equal(recorder.table.open, 1000);
    // Of each the client's last ACK, the request and the response.
    assert.equal(recorder.table.sample.segmentsOutside, 3 * (1000 - within));
    assert.equal(recorder.lines.length, 2 * within);
  });
});

test("an idle connection leaves at once, and nothing more is told of it; its end is noticed", () => {
  const recorder = new Recorder();
  const [dialogue] = openMany(recorder, 1);
  recorder.table.sampleOnly(NONE);
  assert.deepEqual(recorder.lines, ["c ask @30", "s told @40", "ended idle"]);
  recorder.take(dialogue!.client(100, "ask again"), dialogue!.server(110, "told again"));
  assert.equal(recorder.lines.length, 3);
  assert.equal(recorder.table.sample.segmentsOutside, 2);
  assert.equal(recorder.table.sample.connectionsOutside, 1);
  assert.equal(recorder.table.open, 1);
  recorder.take(dialogue!.fin("client", 120), dialogue!.fin("server", 130));
  assert.equal(recorder.table.open, 0);
});

test("what is held out of order when a connection leaves is dropped, and given back", () => {
  const recorder = new Recorder();
  const [dialogue] = openMany(recorder, 1);
  dialogue!.server(50, "lost");
  recorder.take(dialogue!.server(60, "behind it"));
  assert.ok(recorder.table.reassembly.heldBytes > 0);
  recorder.table.sampleOnly(NONE);
  assert.equal(recorder.table.reassembly.heldBytes, 0);
  recorder.until(2_000_000).finish();
  assert.deepEqual(recorder.lines.slice(2), ["ended idle"]);
});

test("a connection that comes back is taken up midstream, as a new one, at its next payload", () => {
  const recorder = new Recorder();
  const [dialogue] = openMany(recorder, 1);
  recorder.table.sampleOnly(NONE);
  recorder.take(dialogue!.client(100, "unheard"), dialogue!.server(110, "unheard"));
  recorder.table.sampleOnly(1);
  recorder.take(dialogue!.ack("client", 120), dialogue!.client(130, "heard"));
  assert.equal(recorder.table.openedMidstream, 1);
  assert.equal(recorder.table.open, 1);
  assert.deepEqual(recorder.lines.slice(3), ["2: c heard @130"]);
  assert.equal(recorder.connections[1]!.hasHandshake, false);
});

test("connections that nobody reads for another reason are left as they are", () => {
  const recorder = new Recorder({ refuses: () => true });
  openMany(recorder, 1);
  recorder.table.sampleOnly(NONE);
  assert.equal(recorder.table.sample.connectionsOutside, 0);
  recorder.table.sampleOnly(1);
  assert.equal(recorder.table.open, 1);
});

describe("a connection with a request pending", () => {
  it("is read on until nothing is", () => {
    const state = { hasPending: true };
    const recorder = new Recorder({ pending: state });
    const [dialogue] = openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    recorder.take(dialogue!.client(100, "more"));
    state.hasPending = false;
    recorder.take(dialogue!.server(110, "all"), dialogue!.client(120, "unheard"));
    assert.deepEqual(recorder.lines.slice(2), ["c more @100", "s all @110", "ended idle"]);
    assert.equal(recorder.table.sample.connectionsOutside, 1);
  });

  it("stays where the sample grows over it meanwhile", () => {
    const state = { hasPending: true };
    const recorder = new Recorder({ pending: state });
    const [dialogue] = openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    recorder.table.sampleOnly(1);
    state.hasPending = false;
    recorder.take(dialogue!.server(110, "all"), dialogue!.client(120, "heard"));
    assert.deepEqual(recorder.lines.slice(2), ["s all @110", "c heard @120"]);
    assert.equal(recorder.table.sample.connectionsOutside, 0);
  });

  it("is read on for 0.2 s, then only what the server says", () => {
    const state = { hasPending: true };
    const recorder = new Recorder({ pending: state });
    const [dialogue] = openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    recorder.take(dialogue!.client(200_000, "heard"), dialogue!.client(200_100, "heard, the last"));
    recorder.take(dialogue!.client(200_200, "unheard"), dialogue!.server(200_300, "some"));
    state.hasPending = false;
    recorder.take(dialogue!.server(200_400, "all"), dialogue!.server(200_500, "unheard"));
    assert.deepEqual(recorder.lines.slice(2), [
      "c heard @200000",
      "c heard, the last @200100",
      "c gap 7",
      "s some @200300",
      "s all @200400",
      "ended idle",
    ]);
    assert.equal(recorder.table.sample.segmentsOutside, 1);
  });

  it("comes back as a new one where its client was not read any more when the sample grew over it", () => {
    const state = { hasPending: true };
    const recorder = new Recorder({ pending: state });
    const [dialogue] = openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    recorder.take(dialogue!.client(300_000, "heard"), dialogue!.client(300_100, "unheard"));
    recorder.table.sampleOnly(1);
    recorder.take(dialogue!.client(300_200, "unheard"));
    state.hasPending = false;
    recorder.take(dialogue!.server(300_300, "all"), dialogue!.client(300_400, "heard"));
    assert.deepEqual(recorder.lines.slice(3), [
      "c gap 7",
      "c gap 7",
      "s all @300300",
      "ended idle",
      "2: c heard @300400",
    ]);
    assert.equal(recorder.table.open, 1);
  });

  it("leaves when its request has timed out, where no segment comes", () => {
    const state = { hasPending: true };
    const recorder = new Recorder({ pending: state });
    openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    state.hasPending = false;
    recorder.until(1_500_000);
    assert.equal(recorder.table.sample.connectionsOutside, 1);
    assert.deepEqual(recorder.lines.slice(2), ["ended idle"]);
  });

  it("ends as any other when both sides close it", () => {
    const recorder = new Recorder({ pending: { hasPending: true } });
    const [dialogue] = openMany(recorder, 1);
    recorder.table.sampleOnly(NONE);
    recorder.take(dialogue!.fin("client", 100), dialogue!.fin("server", 110));
    assert.deepEqual(recorder.lines.slice(2), ["s fin", "ended closed"]);
    assert.equal(recorder.table.sample.connectionsOutside, 0);
  });
});

test("a connection outside that is evicted, reset or replaced is gone", () => {
  const recorder = new Recorder({ maxConnections: 2 });
  recorder.table.sampleOnly(NONE);
  const [first, second] = openMany(recorder, 3);
  assert.equal(recorder.table.evicted, 1);
  recorder.take(second!.reset("server", 100));
  assert.equal(recorder.table.open, 1);
  const again = new Dialogue(clientAt(40_002), SERVER, 9_000_000, 8_000_000);
  recorder.take(again.syn(200));
  assert.equal(recorder.table.open, 1);
  assert.equal(recorder.table.openedBySyn, 4);
  assert.ok(first !== undefined);
});
