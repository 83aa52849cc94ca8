import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SKIP_REASONS } from "../../src/decode/counters.ts";
import { Decoder } from "../../src/decode/decoder.ts";
import {
  CLIENT,
  concat,
  datagram,
  ETHERNET,
  frameOf,
  latin1,
  recordOf,
  SERVER,
  type Wire,
} from "../support/segments.ts";

const OF = datagram(0, CLIENT, SERVER, latin1("hello"), 7);
const V6 = datagram(0, { address: "2001:db8::1", port: 40_001 }, { address: "2001:db8::2", port: 53 }, latin1("hello"));

function decode(
  frame: Uint8Array,
  how: { snaplen?: number; wants?: boolean } = {},
): { decoder: Decoder; skip: string } {
  const decoder = new Decoder(1, how.wants ?? true);
  decoder.decode(recordOf(OF.timeUs, frame, how.snaplen), 0);
  const { counters } = decoder;
  return { decoder, skip: SKIP_REASONS[counters.skipped.findIndex((count) => count > 0)] ?? "" };
}

/** The frame with another byte at this place. */
function put(frame: Uint8Array, at: number, byte: number): Uint8Array {
  const changed = frame.slice();
  changed[at] = byte;
  return changed;
}

const WIRES: readonly (readonly [string, Partial<Wire>])[] = [
  ["as it is", {}],
  ["behind VLAN tags", { vlanTags: [0x88a8, 0x8100] }],
  ["behind IPv4 options", { ipOptions: new Uint8Array(8) }],
  ["behind IPv6 extensions", { extensions: [[0, new Uint8Array(8)]] }],
  ["in a padded frame", { padTo: 90 }],
  ["where the packet's length is 0", { hasZeroLength: true }],
];

describe("a UDP datagram", () => {
  for (const [how, wire] of WIRES) {
    for (const of of [OF, V6]) {
      it(`is decoded ${how}, from ${of.from.address}`, () => {
        const { decoder, skip } = decode(frameOf(of, { ...ETHERNET, ...wire }));
        const { segment } = decoder;
        assert.equal(skip, "");
        assert.ok(segment.isDatagram);
        assert.deepEqual([segment.sourcePort, segment.destinationPort], [of.from.port, of.to.port]);
        assert.deepEqual([segment.payloadLength, segment.payloadCaptured], [5, 5]);
        const payload = segment.bytes.subarray(segment.payloadStart, segment.payloadStart + 5);
        assert.equal(Buffer.from(payload).toString(), "hello");
      });
    }
  }

  it("behind PPPoE is decoded, too, with a VLAN tag before it and without", () => {
    const packet = frameOf(OF).subarray(14);
    const session = [0x11, 0, 0x12, 0x34, 0, packet.length + 2, 0x00, 0x21];
    for (const head of [
      [0x88, 0x64],
      [0x81, 0, 0, 5, 0x88, 0x64],
    ]) {
      const frame = concat([new Uint8Array(12), Uint8Array.from([...head, ...session]), packet]);
      const { decoder, skip } = decode(frame);
      assert.equal(skip, "");
      assert.equal(decoder.segment.destinationPort, SERVER.port);
      assert.equal(decode(put(frame, 12 + head.length + 1, 0x07)).skip, "not_ip", "a discovery stage's code");
    }
  });

  it("is counted as no TCP where nobody wants it", () => {
    assert.equal(decode(frameOf(OF), { wants: false }).skip, "not_tcp");
    assert.equal(decode(frameOf(V6), { wants: false }).skip, "not_tcp");
  });

  it("whose length is less than its header's, or more than the packet's, is malformed", () => {
    const frame = frameOf(OF);
    for (const [high, low] of [
      [0, 7],
      [0, 14],
      [1, 0],
    ] as const) {
      assert.equal(decode(put(put(frame, 38, high), 39, low)).skip, "malformed", `${high} ${low}`);
    }
    assert.equal(decode(put(put(frame, 38, 0), 39, 0)).skip, "", "0: the packet's own");
    assert.equal(decode(frame, { snaplen: 14 + 20 + 7 }).skip, "cut_header");
  });

  it("that was cut has its length all the same", () => {
    const { segment } = decode(frameOf(OF), { snaplen: 14 + 28 + 2 }).decoder;
    assert.deepEqual([segment.payloadLength, segment.payloadCaptured], [5, 2]);
  });

  it("in fragments is known by the first of them", () => {
    const whole = frameOf(OF, { ...ETHERNET, fragment: 0x2000 });
    const first = put(put(whole, 38, 0x10), 39, 0x00);
    const { decoder, skip } = decode(first);
    assert.equal(skip, "");
    assert.deepEqual([decoder.segment.payloadLength, decoder.segment.payloadCaptured], [0x1000 - 8, 5]);
    for (const fragment of [0x2001, 0x0001]) {
      assert.equal(decode(frameOf(OF, { ...ETHERNET, fragment })).skip, "fragment");
    }
    const [more, last] = [1, 8].map((low) => [[44, Uint8Array.from([0, 0, 0, low, 0, 0, 0, 7])]] as const);
    const v6 = frameOf(V6, { ...ETHERNET, extensions: more! });
    assert.equal(decode(put(put(v6, 14 + 48 + 4, 0x10), 14 + 48 + 5, 0)).decoder.segment.payloadLength, 0x1000 - 8);
    assert.equal(decode(frameOf(V6, { ...ETHERNET, extensions: last! })).skip, "fragment");
  });

  it("has a sum that another one has not, and that says the same wherever it was captured", () => {
    const sum = (text: string, from = CLIENT) =>
      decode(frameOf(datagram(0, from, SERVER, latin1(text)))).decoder.segment.sequence;
    assert.equal(sum("hello"), sum("hello", { ...CLIENT, address: "192.168.7.7" }));
    assert.notEqual(sum("hello"), sum("hellp"));
    assert.notEqual(sum("x".repeat(70)), sum("x".repeat(71)));
  });
});
