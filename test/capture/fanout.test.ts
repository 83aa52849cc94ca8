import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fanoutProgram } from "../../src/capture/fanout-program.ts";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import { FrameGlance, SHARES, shareOfSegment } from "../../src/decode/share.ts";
import { runs } from "../properties/plans.ts";
import {
  BEGIN_US,
  ETHERNET,
  frameOf,
  recordOf,
  type TestHost,
  type TestSegment,
  type Wire,
} from "../support/segments.ts";
import { memberOf } from "./classic-bpf.ts";

const port = fc.integer({ min: 1, max: 65535 });
const octet = fc.nat(255);
const addressV4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
const group = fc.nat(0xffff).map((value) => value.toString(16));
const addressV6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(":"));
const ends = fc.oneof(fc.tuple(addressV4, addressV4), fc.tuple(addressV6, addressV6));
const connections = fc.tuple(ends, port, port).map(([[a, b], portA, portB]): readonly [TestHost, TestHost] => [
  { address: a, port: portA },
  { address: b, port: portB },
]);
/** Behind tags, and with IPv4's options. */
const wires = fc
  .record({ tags: fc.subarray([0x88a8, 0x8100]), options: fc.constantFrom(0, 4, 40), hasPayload: fc.boolean() })
  .map(({ tags, options, hasPayload }) => ({
    wire: { ...ETHERNET, vlanTags: tags, ipOptions: new Uint8Array(options).fill(1) },
    payload: new Uint8Array(hasPayload ? 10 : 0),
  }));

function segment(from: TestHost, to: TestHost, payload: Uint8Array): TestSegment {
  const numbers = { sequence: 1, acknowledgement: 1, flags: 16, window: 512, ipId: 7 };
  return { timeUs: BEGIN_US, from, to, payload, ...numbers };
}

const PROGRAM = fanoutProgram();

/** What the kernel's program says of a frame; the kernel has taken the outer tag off. */
function hashOf(of: TestSegment, wire: Wire): number {
  return memberOf(PROGRAM.code, frameOf(of, { ...wire, vlanTags: [] }), wire.vlanTags.slice(1));
}

/** Its share in a file: by a look, and by decoding it. */
function sharesOf(of: TestSegment, wire: Wire): { glance: number; decoded: number } {
  const batch = recordOf(of.timeUs, frameOf(of, wire));
  const decoder = new Decoder(wire.linkType);
  assert.ok(decoder.decode(batch, 0));
  const glance = new FrameGlance(wire.linkType, true);
  const share = glance.shareAt(batch, 0);
  assert.equal(glance.next, batch.length);
  assert.equal(glance.timeUs, decoder.segment.timeUs);
  return { glance: share, decoded: shareOfSegment(decoder.segment) };
}

describe("the frames of an interface, shared out by the kernel's program", () => {
  it("go to the same worker in both directions: IPv4, IPv6, behind tags, with options", () => {
    const property = fc.property(connections, wires, ([a, b], { wire, payload }) => {
      const there = hashOf(segment(a, b, payload), wire);
      assert.equal(hashOf(segment(b, a, new Uint8Array(0)), { ...wire, ipOptions: new Uint8Array(0) }), there);
      assert.ok(there >= 0 && there <= 0xffff);
    });
    fc.assert(property, runs(300));
  });

  it("are spread evenly, however alike the clients' ports are", () => {
    const server = { address: "127.0.0.1", port: 6379 };
    for (const step of [1, 2, 4]) {
      for (const workers of [2, 3, 4]) {
        const counts = new Array<number>(workers).fill(0);
        for (let i = 0; i < 400; i++) {
          const client = { address: "127.0.0.1", port: 40_000 + i * step };
          counts[hashOf(segment(client, server, new Uint8Array(0)), ETHERNET) % workers]!++;
        }
        for (const count of counts)
          assert.ok(count > (400 / workers) * 0.6, `${step}, ${workers}: ${counts.join(" ")}`);
      }
    }
  });

  it("go to the first where they are no whole TCP segment or datagram", () => {
    const [a, b] = [
      { address: "10.0.0.1", port: 40_001 },
      { address: "10.0.0.2", port: 6379 },
    ];
    const of = segment(a, b, new Uint8Array(0));
    const fragment = frameOf(of, { ...ETHERNET, fragment: 0x2000 });
    const udp = frameOf(of);
    udp[14 + 9] = 17;
    const icmp = frameOf(of);
    icmp[14 + 9] = 1;
    const arp = frameOf(of);
    arp.set([0x08, 0x06, 0, 1], 12);
    for (const frame of [fragment, icmp, arp]) assert.equal(memberOf(PROGRAM.code, frame, []), 0);
    for (const frame of [udp, frameOf(of)]) assert.notEqual(memberOf(PROGRAM.code, frame, []), 0);
  });
});

describe("the connections of a file, shared out by a hash", () => {
  it("belong to the same worker in both directions, and a look at a frame says what decoding it says", () => {
    const property = fc.property(connections, wires, ([a, b], { wire, payload }) => {
      const there = sharesOf(segment(a, b, payload), wire);
      const back = sharesOf(segment(b, a, new Uint8Array(0)), { ...wire, ipOptions: new Uint8Array(0) });
      assert.equal(there.decoded, back.decoded);
      assert.ok(there.decoded >= 0 && there.decoded < SHARES);
      for (const { glance } of [there, back]) assert.ok(glance === there.decoded || glance === -1);
      if (wire.vlanTags.length === 0 && payload.length > 0) assert.equal(there.glance, there.decoded);
    });
    fc.assert(property, runs(300));
  });

  for (const linkType of [113, 276]) {
    it(`are told apart by a look on link type ${linkType}, too`, () => {
      const wire = { ...ETHERNET, linkType };
      const property = fc.property(connections, ([a, b]) => {
        const { glance, decoded } = sharesOf(segment(a, b, new Uint8Array(9)), wire);
        assert.equal(glance, decoded);
      });
      fc.assert(property, runs(100));
    });
  }

  it("are not guessed from frames that are cut, or no TCP", () => {
    const [a, b] = [
      { address: "10.0.0.1", port: 40_001 },
      { address: "10.0.0.2", port: 6379 },
    ];
    const whole = frameOf(segment(a, b, new Uint8Array(20)));
    const glance = new FrameGlance(1, true);
    for (let length = 0; length < 14 + 40; length++) {
      const batch = recordOf(BEGIN_US, whole, length);
      assert.equal(glance.shareAt(batch, 0), -1, `${length} bytes`);
      assert.equal(glance.next, RECORD_HEADER_BYTES + length);
    }
    for (const [at, byte] of [
      [23, 1],
      [20, 0x20],
      [14, 0x4f],
      [14, 0x40],
    ] as const) {
      const frame = Uint8Array.from(whole);
      frame[at] = byte;
      assert.equal(glance.shareAt(recordOf(BEGIN_US, frame.subarray(0, 60)), 0), -1, `${at}`);
    }
  });
});
