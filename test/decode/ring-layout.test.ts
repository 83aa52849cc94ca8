import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Decoder } from "../../src/decode/decoder.ts";
import { CLIENT, Dialogue, ETHERNET, frameOf, recordOf, SERVER, type Wire } from "../support/segments.ts";

/** struct tpacket3_hdr in 48 bytes, struct sockaddr_ll in 20, then room so that the packet is aligned (linux/if_packet.h). */
const ADDRESS_AT = 48;
const NETWORK_AT = 96;
/** Where a block's first frame begins. */
const BLOCK_HEADER_BYTES = 48;

interface RingFrame {
  readonly seconds: number;
  readonly nanoseconds: number;
  /** From where the frame begins: cooked sockets hand it over without its link header. */
  readonly bytes: Uint8Array;
  readonly linkBytes: number;
  readonly etherType: number;
  readonly cut?: number;
}

/** A block as the kernel fills it; the index of its first record header, and the one behind its last byte. */
function block(frames: readonly RingFrame[]): { bytes: Uint8Array; start: number; end: number } {
  const parts = frames.map(({ seconds, nanoseconds, bytes, linkBytes, etherType, cut = bytes.length }, index) => {
    const frameAt = NETWORK_AT - linkBytes;
    const size = (frameAt + cut + 7) & ~7;
    const part = Buffer.alloc(size, 0xee);
    part.writeUInt32LE(index === frames.length - 1 ? 0 : size, 0);
    part.writeUInt32LE(seconds, 4);
    part.writeUInt32LE(nanoseconds, 8);
    part.writeUInt32LE(cut, 12);
    part.writeUInt32LE(bytes.length, 16);
    part.writeUInt16LE(frameAt, 24);
    part.writeUInt16LE(NETWORK_AT, 26);
    part.writeUInt16BE(etherType, ADDRESS_AT + 2);
    part.set(bytes.subarray(0, cut), frameAt);
    return part;
  });
  const bytes = Buffer.concat([Buffer.alloc(BLOCK_HEADER_BYTES, 0xdd), ...parts, Buffer.alloc(200, 0xcc)]);
  return { bytes, start: BLOCK_HEADER_BYTES + 4, end: bytes.length - 200 };
}

function tell(decoder: Decoder, bytes: Uint8Array, at: number): string {
  if (!decoder.decode(bytes, at)) return "none";
  const { timeUs, payloadStart, payloadCaptured, payloadLength, sequence } = decoder.segment;
  const text = Buffer.from(bytes.subarray(payloadStart, payloadStart + payloadCaptured)).toString("latin1");
  return `${timeUs} ${sequence} ${payloadLength} ${text}`;
}

const COMMANDS = ["PING\r\n", "*1\r\n$4\r\nPING\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "ECHO x\r\n"];
const SEGMENTS = COMMANDS.map((text, index) => new Dialogue(CLIENT, SERVER, 1000, 7).client(index + 1, text));

const KINDS: readonly (readonly [name: string, linkType: number, linkBytes: number, change: Partial<Wire>])[] = [
  ["Ethernet", 1, 14, {}],
  ["Ethernet with a tag that the card has left", 1, 14, { vlanTags: [0x8100] }],
  ["cooked frames", 276, 0, {}],
];

describe("frames in the kernel's ring", () => {
  for (const [name, linkType, linkBytes, change] of KINDS) {
    it(`are read as the same frames in a file are: ${name}`, () => {
      const wire: Wire = { ...ETHERNET, ...change };
      const ethernet = SEGMENTS.map((segment) => frameOf(segment, wire));
      const inFile = new Decoder(1);
      const expected = ethernet.map((frame, i) => tell(inFile, recordOf((i + 1) * 1e6 + 5, frame), 0));
      const { bytes, start, end } = block(
        ethernet.map((frame, i) => ({
          seconds: i + 1,
          nanoseconds: 5999,
          bytes: frame.subarray(14 - linkBytes),
          linkBytes,
          etherType: linkBytes === 0 ? 0x0800 : 0,
        })),
      );
      const inRing = new Decoder(linkType, false, "kernel-ring");
      const told: string[] = [];
      for (let at = start; at < end; at = inRing.next) told.push(tell(inRing, bytes, at));
      assert.deepEqual(told, expected);
      assert.equal(inRing.counters.decoded, COMMANDS.length);
    });
  }

  it("may be cut, and of another protocol; the ones behind are found all the same", () => {
    const [first, second] = SEGMENTS.map((segment) => frameOf(segment).subarray(14));
    const { bytes, start, end } = block([
      { seconds: 1, nanoseconds: 0, bytes: first!, linkBytes: 0, etherType: 0x0806 },
      { seconds: 2, nanoseconds: 0, bytes: second!, linkBytes: 0, etherType: 0x0800, cut: 43 },
      { seconds: 3, nanoseconds: 0, bytes: second!, linkBytes: 0, etherType: 0x0800, cut: 10 },
      { seconds: 4, nanoseconds: 0, bytes: first!, linkBytes: 0, etherType: 0x0800 },
    ]);
    const decoder = new Decoder(276, false, "kernel-ring");
    const told: string[] = [];
    for (let at = start; at < end; at = decoder.next) told.push(tell(decoder, bytes, at).replace(/^(\d+) \d+/, "$1"));
    assert.deepEqual(told, ["none", "2000000 14 *1\r", "none", "4000000 6 PING\r\n"]);
    assert.equal(decoder.counters.truncated, 1);
  });
});
