import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SKIP_REASONS } from "../../src/decode/counters.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import { type Segment, TcpFlag } from "../../src/decode/segment.ts";
import {
  CLIENT,
  concat,
  Dialogue,
  ETHERNET,
  frameOf,
  recordOf,
  SERVER,
  type TestHost,
  type TestSegment,
  type Wire,
} from "../support/segments.ts";

const V6_CLIENT: TestHost = { address: "2001:db8::1", port: 40001 };
const V6_SERVER: TestHost = { address: "fe80::2:3", port: 6379 };

const v4 = new Dialogue(CLIENT, SERVER, 0xfffffff0, 7).client(5, "*1\r\n$4\r\nPING\r\n");
const v6 = new Dialogue(V6_CLIENT, V6_SERVER, 0x80000000, 7).client(5, "PING\r\n");

/** Decodes one record; the segment, or the reason why there is none. The counters must agree. */
function decode(linkType: number, record: Uint8Array): Segment | string {
  const decoder = new Decoder(linkType);
  const isSegment = decoder.decode(record, 0);
  const { frames, decoded, skipped } = decoder.counters;
  assert.equal(decoder.next, record.length);
  assert.equal(frames, 1);
  assert.equal(decoded, isSegment ? 1 : 0);
  assert.equal(frames, decoded + skipped.reduce((sum, count) => sum + count, 0));
  return isSegment ? decoder.segment : (SKIP_REASONS[skipped.indexOf(1)] ?? "?");
}

function payloadOf(segment: Segment | string): string {
  if (typeof segment === "string") return `(${segment})`;
  const { bytes, payloadStart, payloadCaptured } = segment;
  return Buffer.from(bytes.subarray(payloadStart, payloadStart + payloadCaptured)).toString("latin1");
}

function put(frame: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const changed = frame.slice();
  changed.set(values, at);
  return changed;
}

const extension = (length: number): Uint8Array => put(new Uint8Array(length), 1, length / 8 - 1);
const atomicFragment = new Uint8Array(8);
const authentication = put(new Uint8Array(24), 1, 4);

const WIRES: readonly (readonly [string, TestSegment, Partial<Wire>])[] = [
  ["Ethernet, IPv4", v4, {}],
  ["Ethernet, IPv6", v6, {}],
  ["802.1Q", v4, { vlanTags: [0x8100] }],
  ["802.1Q, IPv6", v6, { vlanTags: [0x8100] }],
  ["QinQ", v4, { vlanTags: [0x88a8, 0x8100] }],
  ["old QinQ, three tags", v4, { vlanTags: [0x9100, 0x9200, 0x8100] }],
  ["Linux cooked v1", v4, { linkType: 113 }],
  ["Linux cooked v1, IPv6", v6, { linkType: 113 }],
  ["Linux cooked v1 with a tag", v4, { linkType: 113, vlanTags: [0x8100] }],
  ["Linux cooked v2", v4, { linkType: 276 }],
  ["Linux cooked v2, IPv6", v6, { linkType: 276 }],
  ["Linux cooked v2 with two tags", v6, { linkType: 276, vlanTags: [0x88a8, 0x8100] }],
  ["null", v4, { linkType: 0 }],
  ["null, IPv6", v6, { linkType: 0 }],
  ["loop, IPv6", v6, { linkType: 108 }],
  ["raw 12", v4, { linkType: 12 }],
  ["raw 14", v6, { linkType: 14 }],
  ["raw 101", v4, { linkType: 101 }],
  ["IPv4 alone", v4, { linkType: 228 }],
  ["IPv6 alone", v6, { linkType: 229 }],
  ["IPv4 options", v4, { ipOptions: new Uint8Array(40).fill(1) }],
  ["TCP options", v4, { tcpOptions: Uint8Array.from([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]) }],
  ["as many TCP options as fit", v6, { tcpOptions: new Uint8Array(40).fill(1) }],
  ["Ethernet padding", v4, { padTo: 120 }],
  ["length 0 of segmentation offload, IPv4", v4, { hasZeroLength: true }],
  ["length 0 of segmentation offload, IPv6", v6, { hasZeroLength: true }],
  [
    "IPv6 hop-by-hop, routing and destination options",
    v6,
    {
      extensions: [
        [0, extension(8)],
        [43, extension(24)],
        [60, extension(16)],
      ],
    },
  ],
  ["an IPv6 fragment that is the whole packet", v6, { extensions: [[44, atomicFragment]] }],
  ["an IPv6 authentication header", v6, { extensions: [[51, authentication]] }],
];

describe("a decoder", () => {
  for (const [name, segment, change] of WIRES) {
    it(`reads ${name}`, () => {
      const wire = { ...ETHERNET, ...change };
      const read = decode(wire.linkType, recordOf(segment.timeUs, frameOf(segment, wire)));
      assert.equal(payloadOf(read), Buffer.from(segment.payload).toString("latin1"));
      assert.ok(typeof read !== "string");
      assert.equal(read.timeUs, segment.timeUs);
      assert.equal(read.timeLow, Number(BigInt.asIntN(32, BigInt(segment.timeUs))));
      assert.equal(read.sequence >>> 0, segment.sequence >>> 0);
      assert.equal(read.acknowledgement, segment.acknowledgement);
      assert.deepEqual([read.sourcePort, read.destinationPort], [segment.from.port, segment.to.port]);
      assert.equal(read.flags, TcpFlag.ack | TcpFlag.psh);
      assert.equal(read.window, 512);
      assert.equal(read.payloadLength, segment.payload.length);
      assert.equal(read.ipVersion, segment.from.address.includes(":") ? 6 : 4);
      assert.equal(read.ipId, read.ipVersion === 4 ? segment.ipId : 0);
    });
  }

  it("has an IPv6 address in four words and an IPv4 address in the last", () => {
    const six = decode(1, recordOf(0, frameOf(v6)));
    assert.ok(typeof six !== "string");
    assert.deepEqual([six.source0 >>> 0, six.source1, six.source2, six.source3], [0x20010db8, 0, 0, 1]);
    assert.deepEqual([six.destination0 >>> 0, six.destination3], [0xfe800000, 0x20003]);
    const four = decode(1, recordOf(0, frameOf(v4)));
    assert.ok(typeof four !== "string");
    assert.deepEqual([four.source0, four.source1, four.source2, four.source3], [0, 0, 0, 0x0a000001]);
  });

  it("knows a payload's length where the snaplen cut it, and counts the frame as truncated", () => {
    const decoder = new Decoder(1);
    assert.ok(decoder.decode(recordOf(0, frameOf(v4), 60), 0));
    assert.equal(decoder.segment.payloadLength, 14);
    assert.equal(decoder.segment.payloadCaptured, 6);
    assert.equal(decoder.counters.truncated, 1);
  });

  it("reads the records of a batch one after the other, and counts tagged frames", () => {
    const decoder = new Decoder(1);
    const arp = put(frameOf(v4), 12, 0x08, 0x06);
    const tagged = frameOf(v6, { ...ETHERNET, vlanTags: [0x8100] });
    const batch = concat([frameOf(v4), arp, tagged].map((frame, i) => recordOf(i, frame)));
    const results: boolean[] = [];
    for (let at = 0; at < batch.length; at = decoder.next) results.push(decoder.decode(batch, at));
    assert.deepEqual(results, [true, false, true]);
    assert.equal(decoder.vlanFrames, 1);
    assert.deepEqual([decoder.counters.frames, decoder.counters.decoded], [3, 2]);
  });

  it("keeps microseconds of nanosecond stamps, past 2038, too", () => {
    const record = recordOf(0, frameOf(v4));
    const header = new DataView(record.buffer);
    header.setUint32(0, 4_000_000_000, true);
    header.setUint32(4, 999_999_999, true);
    const read = decode(1, record);
    assert.ok(typeof read !== "string");
    assert.equal(read.timeUs, 4_000_000_000_999_999);
  });
});

const fragmented = (fragment: number): Uint8Array => frameOf(v4, { ...ETHERNET, fragment });
const v6With = (number: number, content: Uint8Array): Uint8Array =>
  frameOf(v6, { ...ETHERNET, extensions: [[number, content]] });

const SKIPPED: readonly (readonly [string, Uint8Array, string])[] = [
  ["an unknown EtherType", put(frameOf(v4), 12, 0x08, 0x06), "not_ip"],
  ["an unknown type behind a tag", put(frameOf(v4, { ...ETHERNET, vlanTags: [0x8100] }), 16, 0x88, 0xcc), "not_ip"],
  [
    "tags without end",
    put(new Uint8Array(60).fill(0x81), 12, ...Array.from({ length: 48 }, (_, i) => (i % 2 ? 0 : 0x81))),
    "cut_header",
  ],
  ["IP version 5", put(frameOf(v4), 14, 0x55), "not_ip"],
  ["UDP", put(frameOf(v4), 23, 17), "not_tcp"],
  ["ICMPv6", put(frameOf(v6), 20, 58), "not_tcp"],
  ["ESP in IPv6", put(frameOf(v6), 20, 50), "not_tcp"],
  ["no next header in IPv6", put(frameOf(v6), 20, 59), "not_tcp"],
  ["a first IPv4 fragment", fragmented(0x2000), "fragment"],
  ["a later IPv4 fragment", fragmented(0x0010), "fragment"],
  ["a first IPv6 fragment", v6With(44, put(new Uint8Array(8), 3, 1)), "fragment"],
  ["a later IPv6 fragment", v6With(44, put(new Uint8Array(8), 2, 0x05, 0xa8)), "fragment"],
  ["an IPv4 header of less than 20 bytes", put(frameOf(v4), 14, 0x44), "malformed"],
  ["a total length shorter than the header", put(frameOf(v4), 16, 0, 19), "malformed"],
  ["a total length without room for TCP", put(frameOf(v4), 16, 0, 39), "malformed"],
  ["a TCP header of less than 20 bytes", put(frameOf(v4), 46, 0x40), "malformed"],
  ["a TCP header longer than its packet", put(frameOf(v4), 46, 0xf0), "malformed"],
  ["an IPv6 extension that leads out of the packet", v6With(60, put(new Uint8Array(8), 1, 255)), "malformed"],
];

describe("a frame that cannot be used", () => {
  for (const [name, frame, reason] of SKIPPED) {
    it(`is counted as ${reason}: ${name}`, () => assert.equal(payloadOf(decode(1, recordOf(0, frame))), `(${reason})`));
  }

  it("is counted as link_type where nobody knows its link", () => {
    assert.equal(decode(105, recordOf(0, frameOf(v4))), "link_type");
  });

  it("is counted as not_ip where a loopback's family is neither", () => {
    assert.equal(decode(0, recordOf(0, put(frameOf(v4, { ...ETHERNET, linkType: 0 }), 0, 7))), "not_ip");
  });

  for (const [name, segment, change] of WIRES) {
    it(`never throws and is counted once at every cut length: ${name}`, () => {
      const wire = { ...ETHERNET, ...change };
      const frame = frameOf(segment, wire);
      // Of the TCP header the first 20 bytes are enough.
      const padding = wire.padTo === 0 ? 0 : frame.length - 54 - segment.payload.length;
      const headers = frame.length - padding - segment.payload.length - wire.tcpOptions.length;
      for (let length = 0; length <= frame.length; length++) {
        const read = decode(wire.linkType, recordOf(0, frame, length));
        const what = `${length} of ${frame.length}`;
        if (length < headers) assert.equal(payloadOf(read), "(cut_header)", what);
        else assert.ok(typeof read !== "string" && read.payloadLength === segment.payload.length, what);
      }
    });
  }

  it("never throws whatever its bytes are", () => {
    const frames = WIRES.map(([, segment, change]) => ({ ...ETHERNET, ...change, segment }));
    for (const { segment, ...wire } of frames) {
      const frame = frameOf(segment, wire);
      for (let at = 0; at < Math.min(frame.length, 120); at++) {
        for (const value of [0, 1, 0x45, 0x60, 0x7f, 0x80, 0xff]) {
          const read = decode(wire.linkType, recordOf(0, put(frame, at, value), 80));
          if (typeof read === "string") continue;
          assert.ok(read.payloadCaptured >= 0 && read.payloadCaptured <= read.payloadLength);
          assert.ok(read.payloadCaptured === 0 || read.payloadStart + read.payloadCaptured <= read.bytes.length);
        }
      }
    }
  });

  it("never throws on bytes of no protocol at all", () => {
    let state = 1;
    const next = (): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    };
    for (const linkType of [0, 1, 12, 101, 108, 113, 228, 229, 276]) {
      for (let i = 0; i < 300; i++) {
        const frame = Uint8Array.from({ length: next() % 100 }, next);
        decode(linkType, recordOf(0, frame));
      }
    }
  });
});
