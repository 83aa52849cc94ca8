import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Dialogue, seenAgain, type TestSegment } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

/** Requests and responses of two hosts that number their packets one by one, each 100 µs after the other, from 0 on. */
function numbered(exchanges: number): Dialogue {
  const d = new Dialogue();
  d.open(-100);
  for (let i = 0; i < exchanges; i++) {
    d.client(i * 200, `get ${i}`);
    d.server(i * 200 + 100, `value ${i}`);
  }
  return d;
}

function duplicatesOf(recorder: Recorder): number {
  return recorder.table.duplicates.duplicates;
}

function retransmittedOf(recorder: Recorder): number {
  return recorder.table.servers.other.retransmittedSegments;
}

/** What a capture of a long numbered dialogue makes of one more frame: `frame` is told the dialogue, 100 exchanges old. */
const ONE_MORE: readonly (readonly [string, (d: Dialogue) => TestSegment, "copy" | "sent again" | "new"])[] = [
  ["the last packet, 3 µs later", (d) => seenAgain(d.segments.at(-1)!, 3), "copy"],
  ["the client's packet of five exchanges ago", (d) => seenAgain(d.segments.at(-10)!, 1_000), "copy"],
  ["the client's packet of 38 exchanges ago", (d) => seenAgain(d.segments.at(-76)!, 10_000), "copy"],
  ["the last packet, 200 ms later", (d) => seenAgain(d.segments.at(-1)!, 200_000), "sent again"],
  [
    "the last bytes with the next number",
    (d) => ({ ...seenAgain(d.segments.at(-1)!, 50), ipId: d.segments.at(-1)!.ipId + 1 }),
    "sent again",
  ],
  [
    "the last bytes with another number of the last few",
    (d) => ({ ...seenAgain(d.segments.at(-1)!, 50), ipId: d.segments.at(-1)!.ipId + 40_000 }),
    "sent again",
  ],
  ["new bytes with a number that was seen", (d) => d.server(20_000, "more", { ipId: d.segments.at(-3)!.ipId }), "new"],
];

describe("of a sender that numbers its packets one by one", () => {
  for (const [name, frame, is] of ONE_MORE) {
    it(`${name}: ${is}`, () => {
      const d = numbered(100);
      const recorder = new Recorder().take(...d.segments);
      const before = recorder.lines.length;
      recorder.take(frame(d));
      assert.equal(duplicatesOf(recorder), is === "copy" ? 1 : 0);
      assert.equal(retransmittedOf(recorder), is === "sent again" ? 1 : 0);
      assert.equal(recorder.lines.length - before, is === "copy" ? 0 : 1);
    });
  }

  it("a packet that comes late is no copy, and its own copy is one", () => {
    const d = numbered(100);
    const last = d.segments.length;
    d.ack("client", 20_000);
    d.client(20_010, "get late");
    const [ack, data] = d.segments.slice(last) as [TestSegment, TestSegment];
    const recorder = new Recorder().take(...d.segments.slice(0, last));
    recorder.take(data, { ...ack, timeUs: data.timeUs + 1 });
    assert.equal(duplicatesOf(recorder), 0);
    recorder.take({ ...ack, timeUs: data.timeUs + 2 }, seenAgain(data, 5));
    assert.equal(duplicatesOf(recorder), 2);
    assert.equal(retransmittedOf(recorder), 0);
  });

  it("packets of one number, of which the last two change places, are no copies; their own copies are", () => {
    const d = numbered(100);
    const at = d.segments.length;
    const { ipId } = d.client(20_000, "get a long ");
    d.client(20_001, "key that ", { ipId });
    d.client(20_002, "is cut in three", { ipId });
    const [first, second, third] = d.segments.slice(at) as [TestSegment, TestSegment, TestSegment];
    const recorder = new Recorder().take(...d.segments.slice(0, at));
    const before = recorder.lines.length;
    recorder.take(first, { ...third, timeUs: 20_001 }, { ...third, timeUs: 20_002 }, { ...second, timeUs: 20_003 });
    assert.equal(duplicatesOf(recorder), 1);
    assert.equal(recorder.lines.length - before, 3);
    recorder.take(seenAgain(second, 5));
    assert.deepEqual([duplicatesOf(recorder), retransmittedOf(recorder)], [2, 0]);
  });

  it("numbers go on after 65535", () => {
    const d = new Dialogue();
    d.open(-100);
    for (let i = 0; i < 200; i++) d.client(i * 100, `get ${i}`, { ipId: (65_400 + i) & 0xffff });
    const recorder = new Recorder();
    for (const segment of d.segments) recorder.take(segment, seenAgain(segment, 2));
    assert.equal(duplicatesOf(recorder), d.segments.length);
    assert.equal(recorder.lines.length, 200);
  });

  it("one that gives every packet the same number is not believed: what it sends again is sent again", () => {
    const d = new Dialogue();
    d.open(-100);
    for (let i = 0; i < 60; i++) d.client(i * 100, `get ${i}`, { ipId: 1 });
    const recorder = new Recorder().take(...d.segments, seenAgain(d.segments.at(-2)!, 30_000));
    assert.equal(duplicatesOf(recorder), 0);
    assert.equal(retransmittedOf(recorder), 1);
  });
});

describe("numbers left out before a packet", () => {
  /** How the last of these begins: a long dialogue, a value of `bytes` that took `packets` numbers, and what comes `skipped` numbers behind it. */
  function lastOf(bytes: number, packets: number, skipped: number): string {
    const d = numbered(100);
    const { ipId } = d.server(20_000, "v".repeat(bytes));
    d.client(20_100, "keys");
    d.server(420_000, "slow", { ipId: ipId + packets + skipped });
    return new Recorder().take(...d.segments).lines.at(-1)!;
  }

  it("are packets that were lost, perhaps with the acknowledgement that this one brings", () => {
    assert.equal(lastOf(1448, 1, 0), "s slow @420000");
    assert.equal(lastOf(1448, 1, 1), "s slow @420000 behind 1 lost or acknowledgements");
    assert.equal(lastOf(40, 1, 2), "s slow @420000 behind 2 lost or acknowledgements");
  });

  it("were no acknowledgement where that came before", () => {
    const d = numbered(100);
    d.client(20_100, "keys");
    const { ipId } = d.ack("server", 60_100);
    d.server(420_000, "slow", { ipId: ipId + 2 });
    assert.equal(new Recorder().take(...d.segments).lines.at(-1), "s slow @420000 behind 1 lost");
  });

  it("were no lost packet where that came late: two acknowledgements captured in the wrong order", () => {
    for (const exchanges of [6, 100]) assert.equal(lastBehindSwapped(exchanges), "s slow @420000");
  });

  function lastBehindSwapped(exchanges: number): string {
    const d = numbered(exchanges);
    d.client(20_100, "keys");
    const before = d.segments.length;
    d.ack("server", 20_200);
    d.ack("server", 20_201);
    const [first, second] = d.segments.slice(before) as [TestSegment, TestSegment];
    d.server(420_000, "slow");
    const frames = [...d.segments.slice(0, before), second, first, ...d.segments.slice(before + 2)];
    return new Recorder().take(...frames).lines.at(-1)!;
  }

  it("are none behind several packets in one, which are smaller where a tunnel or an overlay is on the way", () => {
    for (const size of [1460, 1448, 1398, 1348, 1228, 536]) {
      assert.equal(lastOf(14_000, Math.ceil(14_000 / size), 0), "s slow @420000", `${size}`);
      assert.equal(lastOf(60_000, Math.ceil(60_000 / size), 0), "s slow @420000", `${size}`);
    }
  });

  it("are packets again behind the next one", () => {
    const d = numbered(100);
    const { ipId } = d.server(20_000, "v".repeat(14_000));
    d.server(20_100, "on", { ipId: ipId + 11 });
    d.client(20_200, "keys");
    d.server(420_000, "slow", { ipId: ipId + 13 });
    assert.equal(new Recorder().take(...d.segments).lines.at(-1), "s slow @420000 behind 1 lost or acknowledgements");
  });
});

/** What may happen to one packet on its way to the capture. */
interface Fate {
  readonly isLost: boolean;
  readonly isSwapped: boolean;
  /** Its bytes are sent again at once, as another packet. */
  readonly isSentAgain: boolean;
  /** It is captured again, so many frames later; 0: not at all. */
  readonly copyAfter: number;
}

const FATE: fc.Arbitrary<Fate> = fc.record({
  isLost: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  isSwapped: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  isSentAgain: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  copyAfter: fc.integer({ min: 0, max: 12 }),
});

/** The frames of a dialogue with these fates, in the order of capture, each with whether it is a copy. */
function captured(fates: readonly Fate[]): { readonly segment: TestSegment; readonly isCopy: boolean }[] {
  const d = numbered(100);
  const frames: { segment: TestSegment; isCopy: boolean; at: number }[] = [];
  let at = 0;
  const take = (segment: TestSegment, fate: Fate): void => {
    const place = at + (fate.isSwapped ? 1.5 : 0);
    frames.push({ segment, isCopy: false, at: place });
    if (fate.copyAfter > 0) frames.push({ segment, isCopy: true, at: place + fate.copyAfter - 0.25 });
    at++;
  };
  fates.forEach((fate, i) => {
    const fromClient = i % 3 !== 2;
    const sent = fromClient ? d.client(20_000 + i * 10, `get ${i}`) : d.server(20_000 + i * 10, `value ${i}`);
    if (!fate.isLost) take(sent, fate);
    if (!fate.isSentAgain) return;
    const change = { sequence: sent.sequence };
    const payload = Buffer.from(sent.payload).toString("latin1");
    take(fromClient ? d.client(0, payload, change) : d.server(0, payload, change), { ...fate, isSwapped: false });
  });
  frames.sort((a, b) => a.at - b.at);
  const before = numbered(100).segments.map((segment) => ({ segment, isCopy: false, at: 0 }));
  return [...before, ...frames].map(({ segment, isCopy }, i) => ({
    segment: { ...segment, timeUs: before[0]!.segment.timeUs + i * 20 },
    isCopy,
  }));
}

describe("frames captured twice, among frames that were lost, late and sent again", () => {
  it("change nothing, and each is counted", () => {
    fc.assert(
      fc.property(fc.array(FATE, { minLength: 1, maxLength: 60 }), (fates) => {
        const all = captured(fates);
        const once = new Recorder().take(...all.filter(({ isCopy }) => !isCopy).map(({ segment }) => segment));
        const twice = new Recorder().take(...all.map(({ segment }) => segment));
        assert.equal(duplicatesOf(once), 0);
        assert.equal(duplicatesOf(twice), all.filter(({ isCopy }) => isCopy).length);
        assert.equal(retransmittedOf(twice), retransmittedOf(once));
        assert.deepEqual(twice.lines, once.lines);
      }),
      { numRuns: 400 },
    );
  });
});

/** What the client sends, and how it numbers its packets: `ipId` is told how many packets it has sent. */
const FAR_BEHIND: readonly (readonly [string, number, (d: Dialogue, i: number) => TestSegment])[] = [
  ["data", 50, (d, i) => d.client(i * 20, `get ${i}`)],
  [
    "acknowledgements, and data now and then",
    120,
    (d, i) => (i % 50 === 0 ? d.client(i * 20, "get") : d.ack("client", i * 20, { acknowledgement: 5000 + i })),
  ],
  [
    "data, numbered together with other connections' now and then",
    3,
    (d, i) => d.client(i * 20, `get ${i}`, { ipId: i + Math.floor(i / 50) * 1000 }),
  ],
];

describe("frames captured twice, the second time far behind the first", () => {
  for (const [name, lag, send] of FAR_BEHIND) {
    it(`change nothing: ${name}, ${lag} frames later`, () => {
      const d = new Dialogue();
      for (let i = 0; i < 1000; i++) send(d, i);
      const once = new Recorder().take(...d.segments);
      const twice = new Recorder();
      // The first hundred once: by then it is known how they are numbered.
      for (const [i, segment] of d.segments.entries()) {
        const late = d.segments[i - lag];
        if (late !== undefined && i >= 100 + lag) twice.take({ ...late, timeUs: segment.timeUs });
        twice.take(segment);
      }
      assert.equal(duplicatesOf(once), 0);
      assert.equal(duplicatesOf(twice), 900 - lag);
      assert.equal(retransmittedOf(twice), 0);
      assert.deepEqual(twice.lines, once.lines);
    });
  }

  it("are no more than they were where the numbers jump and the order is another", () => {
    const d = numbered(100);
    const ack = d.ack("client", 20_000, { ipId: 300 });
    const data = d.client(20_001, "get it", { ipId: 400 });
    const recorder = new Recorder().take(...d.segments.slice(0, -2), data, ack);
    assert.equal(duplicatesOf(recorder), 0);
  });
});

describe("frames captured twice of a sender that gives them any numbers", () => {
  for (const hours of [0, 0.5, 1, 1.5]) {
    it(`are known 40 frames later, whatever the clock says: ${hours} h`, () => {
      const d = new Dialogue();
      for (let i = 0; i < 1000; i++) d.client(hours * 3.6e9 + i * 20, `get ${i}`, { ipId: ((i * 7919) & 0xffff) | 1 });
      const recorder = new Recorder();
      for (const [i, segment] of d.segments.entries()) {
        const late = d.segments[i - 40];
        if (late !== undefined) recorder.take({ ...late, timeUs: segment.timeUs });
        recorder.take(segment);
      }
      assert.ok(duplicatesOf(recorder) > 960 * 0.95, `${duplicatesOf(recorder)} of 960`);
    });
  }
});
