import assert from "node:assert/strict";
import { test } from "node:test";
import { u32le } from "../../src/bytes/read.ts";
import { FrameRing } from "../../src/evidence/frame-ring.ts";
import { MAX_FILE_BYTES, RequestFrames, type Wanted } from "../../src/evidence/request-frames.ts";
import { splitBatch } from "../support/frames.ts";
import { pcapFile, udpFrame } from "../support/pcap-file.ts";
import { BEGIN_US, batchOf, CLIENT, Dialogue, SERVER, type TestHost, type TestSegment } from "../support/segments.ts";

/** Which request is meant, and of whom. */
type Span = readonly [startUs: number, endUs: number];
interface Surroundings {
  readonly size?: number;
  readonly client?: TestHost;
  readonly server?: TestHost;
}

function keep(segments: readonly TestSegment[], size: number): FrameRing {
  const ring = new FrameRing(size, 1);
  for (const segment of segments.toSorted((a, b) => a.timeUs - b.timeUs)) {
    const record = batchOf([segment]);
    ring.keep(record, 0, record.length);
  }
  return ring;
}

function wanted([startUs, endUs]: Span, { client = CLIENT, server = SERVER }: Surroundings): Wanted {
  const text = ({ address, port }: TestHost) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
  return { client: text(client), server: text(server), startUs: BEGIN_US + startUs, endUs: BEGIN_US + endUs };
}

function timesOf(records: Uint8Array): number[] {
  return splitBatch(records, records.length).map((frame) => {
    return frame.seconds * 1e6 + Math.floor(frame.nanoseconds / 1000) - BEGIN_US;
  });
}

/** The times, in µs from the beginning on, of the frames that are taken for a request; or why there are none. */
function taken(segments: readonly TestSegment[], span: Span, around: Surroundings = {}): number[] | string {
  const ring = keep(segments, around.size ?? 1 << 20);
  const records = new RequestFrames(ring, 1).take(wanted(span, around));
  return typeof records === "string" ? records : timesOf(records);
}

/** The same of those that `--write-matching` takes, where all until `knownUs` is in the file already. */
function matching(
  segments: readonly TestSegment[],
  span: Span,
  knownUs = -1,
  around: Surroundings = {},
): number[] | string {
  const ring = keep(segments, around.size ?? 1 << 20);
  const timeAt = (at: number) => timesOf(ring.bytes.subarray(at, at + 16 + u32le(ring.bytes, at + 8)))[0]!;
  const places = new RequestFrames(ring, 1).places(wanted(span, around), (at) => timeAt(at) <= knownUs);
  return typeof places === "string" ? places : places.map(timeAt);
}

/** Opened at 0; a request each 1000 µs from 1000 on, answered 300 µs later and acknowledged after 400. */
function pingPong(requests: number, client = CLIENT, server = SERVER, valueBytes = 2): Dialogue {
  const dialogue = new Dialogue(client, server);
  dialogue.open();
  for (let i = 1; i <= requests; i++) {
    dialogue.client(i * 1000, "GET x\r\n");
    dialogue.server(i * 1000 + 300, "v".repeat(valueBytes));
    dialogue.ack("client", i * 1000 + 400);
  }
  return dialogue;
}

test("from the handshake to what follows the response within 50 ms, 20 frames at most", () => {
  const { segments } = pingPong(3);
  const all = segments.map(({ timeUs }) => timeUs - BEGIN_US);
  assert.deepEqual(taken(segments, [2000, 2300]), all);
  const late = pingPong(3);
  late.ack("client", 52_299);
  late.ack("client", 52_301);
  assert.deepEqual(taken(late.segments, [2000, 2300]), [...all, 52_299]);
  assert.equal(taken(pingPong(30).segments, [1000, 1300]).length, 3 + 2 + 20);
});

test("other connections, the same ports of other hosts, and an older connection of the same ports are left out", () => {
  const own = pingPong(2).segments.map((segment) => ({ ...segment, timeUs: segment.timeUs + 100_000 }));
  const others = [
    ...pingPong(2, { address: "10.0.0.9", port: CLIENT.port }).segments,
    ...pingPong(2, { address: "10.0.0.1", port: 40_002 }).segments,
    ...pingPong(2, CLIENT, { address: "10.0.0.8", port: SERVER.port }).segments,
    ...pingPong(2, { address: "10.0.0.2", port: CLIENT.port }, { address: "10.0.0.1", port: SERVER.port }).segments,
  ].map((segment) => ({ ...segment, timeUs: segment.timeUs + 100_001 }));
  const older = pingPong(3).segments;
  const expected = own.map(({ timeUs }) => timeUs - BEGIN_US);
  assert.deepEqual(taken([...older, ...own, ...others], [101_000, 101_300]), expected);
});

test("of IPv6 addresses that differ in one word only, each is another host's", () => {
  const [client, server] = [
    { address: "2001:db8:1:1:1:1:1:1", port: 40_001 },
    { address: "2001:db8:2:2:2:2:2:2", port: 6379 },
  ];
  const [own, expected] = [pingPong(2, client, server).segments, 9];
  for (const [word, address] of ["2002:db8:1:1:1:1:1:1", "2001:db8:3:1:1:1:1:1", "2001:db8:1:1:3:1:1:1"].entries()) {
    for (const shift of [-7, 7]) {
      // Last of them comes the server's, so that it is the first to be looked at.
      const others = pingPong(3, { ...client, address }, server).segments.slice(0, -1);
      const moved = others.map((segment) => ({ ...segment, timeUs: segment.timeUs + shift }));
      assert.equal(taken([...own, ...moved], [2000, 2300], { client, server }).length, expected, `${word} ${shift}`);
    }
  }
});

test("behind very many frames of other hosts with the same ports nobody looks any further", () => {
  const own = pingPong(1);
  const ring = keep(own.segments, 32 << 20);
  const other = batchOf([pingPong(1, { address: "10.0.0.9", port: CLIENT.port }).segments.at(-1)!]);
  for (let i = 0; i < 250_000 - own.segments.length; i++) ring.keep(other, 0, other.length);
  const frames = new RequestFrames(ring, 1);
  const request = wanted([1000, 1300], {});
  const found = () => [frames.take(request), frames.places(request, () => false)];
  assert.ok(found().every((records) => typeof records !== "string"));
  ring.keep(other, 0, other.length);
  assert.deepEqual(found(), ["too_large", "too_large"]);
});

test("a SYN that was sent again is there as often", () => {
  const dialogue = new Dialogue();
  const syn = dialogue.syn(0);
  dialogue.segments.push({ ...syn, timeUs: syn.timeUs + 1000, ipId: 7 });
  dialogue.synAck(1010);
  dialogue.ack("client", 1020);
  dialogue.client(2000, "GET x\r\n");
  dialogue.server(2300, "v");
  assert.deepEqual(taken(dialogue.segments, [2000, 2300]), [0, 1000, 1010, 1020, 2000, 2300]);
});

test("IPv6, and a connection whose two ports are the same", () => {
  for (const [client, server] of [
    [
      { address: "2001:db8::1", port: 40_001 },
      { address: "2001:db8::2", port: 6379 },
    ],
    [
      { address: "10.0.0.1", port: 7000 },
      { address: "10.0.0.2", port: 7000 },
    ],
  ] as const) {
    assert.equal(taken(pingPong(2, client, server).segments, [1000, 1300], { client, server }).length, 9);
  }
});

test("where the beginning is gone, they begin and end as the client, all answered, speaks again", () => {
  const { segments } = pingPong(400, CLIENT, SERVER, 300);
  const times = taken(segments, [399_000, 399_300], { size: 64 << 10 });
  assert.ok(typeof times !== "string" && times.length > 100 && times.length < 600, `${times.length}`);
  assert.equal(times[0]! % 1000, 0);
  assert.equal(times.at(-1), 399_400);
});

test("of a connection that has long been there, no more than 4,000 frames before the request", () => {
  const requests = 1500;
  const times = taken(pingPong(requests).segments, [requests * 1000, requests * 1000 + 300], { size: 8 << 20 });
  assert.ok(typeof times !== "string");
  // Of 1,333 exchanges of three before it the oldest only shows that all was answered where the next begins.
  assert.deepEqual([times.length, times[0]], [3 * 1332 + 3, (requests - 1332) * 1000]);
});

test("in the middle of a value they do not begin, whatever precedes it", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  dialogue.client(1000, "GET x\r\n");
  for (let i = 0; i < 600; i++) dialogue.server(2000 + i, "v".repeat(1400));
  dialogue.ack("client", 2700);
  dialogue.client(3000, "GET y\r\n");
  dialogue.server(9000, "v\r\n");
  dialogue.ack("client", 9010);
  assert.deepEqual(taken(dialogue.segments, [3000, 9000], { size: 2 << 20 }), [3000, 9000, 9010]);
});

test("a request whose first frames were overwritten has none", () => {
  const dialogue = pingPong(1);
  dialogue.client(5000, "GET x\r\n");
  const others = Array.from(
    { length: 100 },
    (_, i) => pingPong(10, { address: "10.0.0.1", port: 41_000 + i }).segments,
  );
  dialogue.server(90_000, "v");
  const all = [...dialogue.segments, ...others.flat()];
  assert.equal(taken(all, [5000, 90_000], { size: 64 << 10 }), "overwritten");
  assert.deepEqual(taken(all, [5000, 90_000], { size: 1 << 20 }).slice(-2), [5000, 90_000]);
});

test("a long response's frames are cut alike, so that the file stays bounded; their lengths on the wire stay", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  dialogue.client(1000, "GET x\r\n");
  const count = 8000;
  for (let i = 0; i < count; i++) dialogue.server(2000 + i, "v".repeat(1400));
  const ring = new FrameRing(32 << 20, 1);
  const batch = batchOf(dialogue.segments);
  ring.keep(batch, 0, batch.length);
  const records = new RequestFrames(ring, 1).take({
    client: "10.0.0.1:40001",
    server: "10.0.0.2:6379",
    startUs: BEGIN_US + 1000,
    endUs: BEGIN_US + 2000 + count,
  });
  assert.ok(typeof records !== "string" && records.length <= MAX_FILE_BYTES && records.length > MAX_FILE_BYTES / 4);
  const frames = splitBatch(records, records.length);
  assert.equal(frames.length, count + 4);
  assert.deepEqual(
    [...new Set(frames.slice(4).map((frame) => `${frame.bytes.length} of ${frame.originalBytes}`))],
    ["256 of 1454"],
  );
});

test("for --write-matching: from the handshake until the client speaks again, or 50 ms and 20 frames at most", () => {
  const { segments } = pingPong(3);
  const all = segments.map(({ timeUs }) => timeUs - BEGIN_US);
  assert.deepEqual(
    matching(segments, [2000, 2300]),
    all.filter((at) => at < 3000),
  );
  const late = pingPong(3);
  for (const at of [53_300, 53_301]) late.ack("client", at);
  assert.deepEqual(matching(late.segments, [3000, 3300]), [...all, 53_300]);
  for (let i = 0; i < 30; i++) late.ack("client", 4000 + i);
  const last = Array.from({ length: 19 }, (_, i) => 4000 + i);
  assert.deepEqual(matching(late.segments, [3000, 3300]).slice(-21), [3300, 3400, ...last]);
});

test("for --write-matching: seventeen exchanges before it, and nothing before what is in the file already", () => {
  const { segments } = pingPong(40);
  const all = segments.map(({ timeUs }) => timeUs - BEGIN_US);
  const between = (from: number, to: number) => all.filter((at) => at >= from && at < to);
  assert.deepEqual(matching(segments, [30_000, 30_300]), between(13_000, 31_000));
  assert.deepEqual(matching(segments, [10_000, 10_300]), between(0, 11_000));
  assert.deepEqual(matching(segments, [30_000, 30_300], 28_300), between(28_400, 31_000));
  assert.deepEqual(matching(segments, [30_000, 30_300], 30_000), between(30_000, 31_000));
});

test("for --write-matching: neither another connection's frames, nor those of an older one, nor half of a request", () => {
  const own = pingPong(2).segments.map((segment) => ({ ...segment, timeUs: segment.timeUs + 100_000 }));
  const others = pingPong(2, { address: "10.0.0.9", port: CLIENT.port }).segments;
  const later = others.map((segment) => ({ ...segment, timeUs: segment.timeUs + 100_001 }));
  const expected = own.map(({ timeUs }) => timeUs - BEGIN_US);
  const older = pingPong(3).segments;
  assert.deepEqual(matching([...older, ...own, ...later], [102_000, 102_300]), expected);
  const long = pingPong(1);
  long.client(5000, "GET x\r\n");
  const noise = pingPong(1000, { address: "10.0.0.1", port: 41_000 }).segments;
  long.server(2_000_000, "v");
  const all = [...long.segments, ...noise];
  assert.equal(matching(all, [5000, 2_000_000], -1, { size: 64 << 10 }), "overwritten");
  assert.equal(matching(all, [5000, 2_000_000]).length, 3 + 3 + 2);
});

test("for --write-matching: of a connection that only acknowledged for long, no more than 4,000 frames", () => {
  const dialogue = new Dialogue();
  dialogue.open();
  for (let i = 0; i < 5000; i++) dialogue.ack("client", 1000 + i);
  dialogue.client(7000, "GET x\r\n");
  dialogue.server(7300, "v");
  const times = matching(dialogue.segments, [7000, 7300]);
  assert.deepEqual([times.length, times[0]], [4002, 2000]);
});

test("for --write-matching: of datagrams only the request's own", () => {
  const ring = new FrameRing(1 << 20, 1);
  for (const [seconds, bytes] of [
    [1, udpFrame(40_000, 53, "a")],
    [2, udpFrame(40_000, 53, "b")],
  ] as const) {
    const record = pcapFile([{ seconds, nanoseconds: 0, bytes }]).subarray(24);
    ring.keep(record, 0, record.length);
  }
  const ends = { client: "10.0.0.1:40000", server: "10.0.0.2:53" };
  const times = { startUs: 2_000_000, endUs: 2_000_000 };
  const places = new RequestFrames(ring, 1).places({ ...ends, ...times }, () => false);
  assert.deepEqual(typeof places === "string" ? places : places.map((at) => u32le(ring.bytes, at)), [2]);
});
