import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HOLD_US } from "../../src/connection/holes.ts";
import { MAX_HELD_PER_CONNECTION } from "../../src/connection/reassembly.ts";
import { TcpFlag } from "../../src/decode/segment.ts";
import { CLIENT, Dialogue, SERVER, seenAgain, sentAgain, type TestSegment } from "../support/segments.ts";
import { Recorder } from "./recorder.ts";

/** A case: segments made by a dialogue that has shaken hands, the order in which they are captured, and what is delivered. */
interface Case {
  readonly name: string;
  readonly make: (d: Dialogue) => readonly TestSegment[];
  readonly delivered: readonly string[];
}

const LATER = HOLD_US + 1000;

const CASES: readonly Case[] = [
  {
    name: "segments in order are delivered as they come",
    make: (d) => [d.client(100, "ab"), d.client(101, "cd"), d.server(200, "ok")],
    delivered: ["c ab @100", "c cd @101", "s ok @200"],
  },
  {
    name: "a segment before its turn is held, and keeps its own time",
    make: (d) => {
      const [first, second] = [d.server(100, "first"), d.server(101, "second")];
      return [second, { ...first, timeUs: first.timeUs + 50 }];
    },
    delivered: ["s first @150", "s second @101 held"],
  },
  {
    name: "three in the wrong order",
    make: (d) => {
      const [a, b, c] = [d.client(1, "a"), d.client(2, "b"), d.client(3, "c")];
      return [c, b, a];
    },
    delivered: ["c a @1", "c b @2 held", "c c @3 held"],
  },
  {
    name: "a reply captured before its request waits for it",
    make: (d) => {
      const [request, reply] = [d.client(100, "get"), d.server(110, "ok")];
      return [reply, request];
    },
    delivered: ["c get @100", "s ok @110"],
  },
  {
    name: "a segment sent again whole is told and not delivered",
    make: (d) => {
      const request = d.client(100, "get");
      return [request, sentAgain(request, 200_100), d.server(200_200, "ok")];
    },
    delivered: ["c get @100", "c again 3", "s ok @200200"],
  },
  {
    name: "what is sent again behind the same acknowledgement twice was asked for",
    make: (d) => {
      const request = d.client(100, "get");
      const response = d.server(200, "ok");
      const acknowledgement = { acknowledgement: response.sequence };
      return [request, response, d.ack("client", 220, acknowledgement), sentAgain(response, 260)];
    },
    delivered: ["c get @100", "s ok @200", "s again 2 as asked for"],
  },
  {
    // RFC 5681 §2: a duplicate acknowledgement has no FIN.
    name: "a FIN with the acknowledgement of the request before it asks for nothing",
    make: (d) => {
      const request = d.client(100, "get");
      const response = d.server(200, "ok");
      return [
        request,
        { ...d.fin("client", 110), acknowledgement: response.sequence },
        response,
        sentAgain(response, 260),
      ];
    },
    delivered: ["c get @100", "s ok @200", "s again 2"],
  },
  {
    name: "of a segment that overlaps only the new bytes are delivered",
    make: (d) => {
      const first = d.client(100, "abcd");
      return [first, { ...d.client(300, "efgh"), sequence: first.sequence + 2, payload: Buffer.from("cdefgh") }];
    },
    delivered: ["c abcd @100", "c again 2", "c efgh @300"],
  },
  {
    name: "an overlap with what is held is trimmed on both sides",
    make: (d) => {
      const [a, b, c] = [d.client(1, "ab"), d.client(2, "cd"), d.client(3, "ef")];
      return [b, { ...c, sequence: a.sequence + 1, payload: Buffer.from("bcdef") }, a];
    },
    delivered: ["c a @1", "c b @3 held", "c cd @2 held", "c ef @3 held"],
  },
  {
    name: "a keep-alive probe, with or without a byte, is nothing",
    make: (d) => {
      const request = d.client(1, "get");
      const probe = { ...request, sequence: request.sequence + 2, ipId: 500 };
      return [request, { ...probe, payload: Buffer.from("\0") }, { ...probe, payload: Buffer.alloc(0), ipId: 501 }];
    },
    delivered: ["c get @1"],
  },
  {
    name: "a zero-window probe that is not taken is delivered when it is",
    make: (d) => {
      const closed = d.ack("server", 1, { window: 0 });
      const probe = d.client(300, "g");
      return [
        closed,
        probe,
        d.ack("server", 310, { window: 0, acknowledgement: probe.sequence }),
        sentAgain(probe, 900),
        d.client(950, "et"),
      ];
    },
    delivered: ["c g @300", "c et @950"],
  },
  {
    name: "a zero-window probe that is not taken, and leads the rest when the window opens, is not sent again",
    make: (d) => {
      const closed = d.ack("server", 1, { window: 0 });
      const probe = d.client(300, "g");
      const stillClosed = d.ack("server", 310, { window: 0, acknowledgement: probe.sequence });
      const open = d.ack("server", 900, { acknowledgement: probe.sequence });
      const rest = { ...d.client(950, "get"), sequence: probe.sequence };
      return [closed, probe, stillClosed, open, rest];
    },
    delivered: ["c g @300", "c et @950"],
  },
  {
    name: "a single byte that was sent again with more is told where no window was closed",
    make: (d) => {
      const request = d.client(300, "g");
      const ack = d.ack("server", 310, { acknowledgement: request.sequence });
      return [request, ack, { ...d.client(200_300, "get"), sequence: request.sequence }];
    },
    delivered: ["c g @300", "c again 1", "c et @200300"],
  },
  {
    name: "a hole that was acknowledged is a gap after the hold time",
    make: (d) => {
      d.client(1, "lost");
      return [d.client(2, "seen"), d.ack("server", 10), d.ack("client", LATER)];
    },
    delivered: ["c gap 4", "c seen @2"],
  },
  {
    name: "a hole that was not acknowledged waits for its segment to be sent again",
    make: (d) => {
      const lost = d.client(1, "lost");
      return [
        d.client(2, "seen"),
        d.ack("server", LATER, { acknowledgement: lost.sequence }),
        sentAgain(lost, 200_000),
      ];
    },
    delivered: ["c lost @200000 resent 199998", "c seen @2 held"],
  },
  {
    name: "within the hold time a hole may still be filled",
    make: (d) => {
      const late = d.client(1, "late");
      return [d.client(2, "next"), d.ack("server", 10), { ...late, timeUs: late.timeUs + HOLD_US - 100 }];
    },
    delivered: ["c late @10 held", "c next @2 held"],
  },
  {
    name: "bytes first captured when sent again came no later than they were acknowledged: that is their time",
    make: (d) => {
      const [head, tail] = [d.server(100, "he"), d.server(101, "ad")];
      const covered = d.ack("client", 300);
      const next = d.client(400, "next");
      return [head, covered, next, { ...sentAgain(tail, 10_000), payload: Buffer.from("ad") }, d.server(10_100, "ok")];
    },
    delivered: ["s he @100", "s ad @300 held", "c next @400", "s ok @10100"],
  },
  {
    name: "a segment captured a moment after what acknowledges it keeps its time",
    make: (d) => {
      const reply = d.server(100, "ok");
      return [d.ack("client", 90), reply, d.client(400, "next")];
    },
    delivered: ["s ok @100", "c next @400"],
  },
  {
    name: "lost bytes that only an acknowledgement shows hold back what acknowledges them",
    make: (d) => {
      d.server(10, "lost");
      return [d.client(20, "next"), d.ack("server", LATER + 20)];
    },
    delivered: ["s gap 4", "c next @20"],
  },
  {
    name: "a FIN is no byte, and the server's is told",
    make: (d) => [d.client(1, "quit"), d.server(2, "ok"), d.fin("server", 3), d.ack("client", 4), d.fin("client", 5)],
    delivered: ["c quit @1", "s ok @2", "s fin", "ended closed"],
  },
  {
    name: "a FIN that comes before the last bytes waits for them",
    make: (d) => {
      const [last, fin] = [d.server(1, "bye"), d.fin("server", 2)];
      return [fin, last, d.fin("client", 3)];
    },
    delivered: ["s bye @1", "s fin", "ended closed"],
  },
  {
    name: "a FIN with bytes on it",
    make: (d) => {
      const last = d.server(1, "bye", { flags: TcpFlag.fin | TcpFlag.ack });
      return [last, d.fin("client", 3), sentAgain(last, 400)];
    },
    delivered: ["s bye @1", "s fin", "ended closed"],
  },
  {
    name: "a reset ends the connection",
    make: (d) => [d.client(1, "get"), d.reset("server", 2), d.client(3, "more")],
    delivered: ["c get @1", "ended reset"],
  },
  {
    name: "a reset out of the window is somebody else's",
    make: (d) => [d.client(1, "get"), { ...d.reset("server", 2), sequence: 0x70000000 }, d.server(3, "ok")],
    delivered: ["c get @1", "s ok @3"],
  },
  {
    name: "what is held is delivered when the connection ends, its holes as gaps",
    make: (d) => {
      d.client(1, "lost");
      return [d.client(2, "seen"), d.reset("server", 3)];
    },
    delivered: ["c gap 4", "c seen @2", "ended reset"],
  },
  {
    name: "a hole in a response that the client gave up waiting for is none of the capture's: what follows it never came",
    make: (d) => {
      const [request, first, lost] = [d.client(1, "get"), d.server(2, "one"), d.server(3, "two")];
      const told = { acknowledgement: lost.sequence };
      const [third, ack] = [d.server(4, "three"), d.ack("client", 5, told)];
      return [request, first, third, ack, { ...d.reset("client", 6), ...told }];
    },
    delivered: ["c get @1", "s one @2", "ended reset"],
  },
  {
    name: "a hole in a response that the client's reset acknowledges was lost by the capture",
    make: (d) => {
      const [request, first] = [d.client(1, "get"), d.server(2, "one")];
      d.server(3, "two");
      return [request, first, d.server(4, "three"), d.reset("client", 6)];
    },
    delivered: ["c get @1", "s one @2", "s gap 3", "s three @4", "ended reset"],
  },
];

function delivered(make: Case["make"], clientInitial: number, serverInitial: number): Recorder {
  const d = new Dialogue(CLIENT, SERVER, clientInitial, serverInitial);
  d.open(-100);
  const segments = make(d);
  return new Recorder().take(...d.segments.slice(0, 3), ...segments);
}

describe("reassembly", () => {
  for (const { name, make, delivered: lines } of CASES) {
    it(name, () => assert.deepEqual(delivered(make, 1000, 5000).lines, lines));

    it(`${name}, where the sequence numbers wrap`, () => {
      for (let before = 0; before < 8; before++) {
        assert.deepEqual(delivered(make, 0xffffffff - before, 0xffffffff - before).lines, lines, `${before} before 0`);
      }
    });

    it(`${name}, each frame captured three times`, () => {
      const d = new Dialogue();
      d.open(-100);
      const all = [...d.segments.slice(0, 3), ...make(d)];
      const recorder = new Recorder();
      for (const segment of all) recorder.take(segment, seenAgain(segment, 1), seenAgain(segment, 50));
      assert.deepEqual(recorder.lines, lines);
      assert.equal(recorder.table.duplicates.duplicates, 2 * all.length);
    });
  }

  it("goes on where the numbers of a bulk transfer wrap", () => {
    const d = new Dialogue(CLIENT, SERVER, 2 ** 32 - 6_000_000, 1);
    d.open();
    const recorder = new Recorder().take(...d.segments);
    for (let i = 0; i < 200; i++) recorder.take(d.client(100 + i, "x".repeat(60_000)));
    assert.equal(recorder.lines.length, 200);
    assert.equal(recorder.table.servers.other.gaps, 0);
  });

  it("declares gaps at once when more is held of a connection than it may", () => {
    const d = new Dialogue();
    d.open();
    const recorder = new Recorder().take(...d.segments);
    const lost = d.client(50, "lost");
    const payload = "x".repeat(50_000);
    let taken = 0;
    while (recorder.lines.length === 0) {
      recorder.take(d.client(100, payload));
      taken += payload.length;
      assert.ok(taken <= MAX_HELD_PER_CONNECTION + payload.length);
    }
    assert.equal(recorder.lines[0], `c gap ${lost.payload.length}`);
    assert.equal(recorder.table.reassembly.forcedGaps, 1);
    assert.equal(recorder.table.reassembly.heldBytes, 0);
  });

  it("counts what TCP did under the server it was done to", () => {
    const d = new Dialogue();
    d.open();
    const recorder = new Recorder().take(...d.segments);
    const [a, b] = [d.client(10, "aa"), d.client(11, "bb")];
    recorder.take(b, a, sentAgain(a, 200_000));
    d.server(200_010, "lost");
    recorder.take(
      d.client(200_020, "cc"),
      d.ack("server", 200_030, { window: 0 }),
      d.ack("server", 200_040, { window: 0 }),
    );
    recorder.until(200_020 + LATER);
    const { outOfOrderSegments, retransmittedSegments, gaps, gapBytes, zeroWindows } = recorder.table.servers.other;
    assert.deepEqual([outOfOrderSegments, retransmittedSegments, gaps, gapBytes, zeroWindows], [1, 1, 1, 4, 1]);
  });

  it("holds nothing any more once all is delivered or ended", () => {
    for (const { make } of CASES) {
      const recorder = delivered(make, 1000, 5000).until(1e6).finish();
      assert.equal(recorder.table.reassembly.heldBytes, 0);
    }
  });

  it("sees one direction alone: what the other sent is a gap as soon as it is acknowledged, but for the first moment", () => {
    const d = new Dialogue();
    d.open();
    const recorder = new Recorder().take(d.segments[0]!, d.segments[2]!, d.client(100, "get"));
    d.server(110, "reply");
    // Where the handshake was just seen, it may only come a moment later.
    recorder.take(d.client(120, "next"));
    assert.deepEqual(recorder.lines, ["c get @100"]);
    recorder.until(120 + LATER);
    assert.deepEqual(recorder.lines, ["c get @100", "s gap 5", "c next @120"]);
    d.server(LATER + 200, "more");
    recorder.take(d.client(LATER + 300, "last"));
    assert.deepEqual(recorder.lines.slice(3), ["s gap 4", `c last @${LATER + 300}`]);
  });

  it("sees one direction alone, with a request each 20 ms: what answered each is a gap in front of the next", () => {
    const d = new Dialogue();
    d.open();
    const recorder = new Recorder().take(d.segments[0]!, d.segments[2]!);
    const expected: string[] = [];
    for (let i = 0; i < 8; i++) {
      const us = 100 + i * 20_000;
      recorder.take(d.client(us, `get ${i}`));
      d.server(us + 10, "reply");
      expected.push(...(i === 0 ? [] : ["s gap 5"]), `c get ${i} @${us}`);
    }
    assert.deepEqual(recorder.lines, expected);
  });

  it("counts no gap of what was under way when the capture began", () => {
    const d = new Dialogue();
    d.open(-100);
    d.server(-4, "before");
    const answer = d.server(10, "answer");
    d.client(-4, "request");
    const acknowledged = d.ack("server", 20);
    const recorder = new Recorder().take(answer, acknowledged, d.client(40, "next"), d.server(50, "ok"));
    assert.deepEqual(recorder.lines, ["s answer @10", "c gap 7", "c next @40", "s ok @50"]);
    // Its place is told by an acknowledgement older than what it had sent by then.
    const e = new Dialogue();
    e.open(-100);
    const early = e.server(10, "early");
    e.client(-4, "request");
    const first = e.client(20, "first");
    const second = new Recorder().take(early, first, e.server(30, "ok")).until(30 + LATER);
    assert.deepEqual(second.lines, ["s early @10", "c gap 7", "c first @20", "s ok @30"]);
    for (const { table } of [recorder, second]) {
      assert.deepEqual([table.servers.other.gaps, table.servers.other.gapBytes], [0, 0]);
    }
  });

  it("counts a gap of what a direction that is never seen sends later", () => {
    const d = new Dialogue();
    d.open(-100);
    const recorder = new Recorder().take(d.client(10, "get"));
    d.server(2_000_000, "answer");
    recorder.take(d.client(2_000_100, "next"));
    assert.deepEqual(recorder.lines, ["c get @10", "s gap 6", "c next @2000100"]);
    assert.deepEqual([recorder.table.servers.other.gaps, recorder.table.servers.other.gapBytes], [1, 6]);
  });
});
