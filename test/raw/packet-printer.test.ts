import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { RawOptions } from "../../src/options.ts";
import { PacketPrinter } from "../../src/raw/packet-printer.ts";
import { ETHERNET, frameOf, latin1, type TestSegment } from "../support/segments.ts";

const CLIENT = { address: "10.0.0.1", port: 51137 };
const SERVER = { address: "10.0.0.2", port: 6379 };
const V6_CLIENT = { address: "2001:db8::1", port: 51137 };
const V6_SERVER = { address: "2001:db8::2", port: 6379 };
const [FIN, SYN, RST, PSH, ACK, URG] = [1, 2, 4, 8, 16, 32] as const;

/** The record of a frame at 19:23:06.258761. */
function recordOf(frame: Uint8Array, originalBytes = frame.length): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(new Date(2020, 2, 8, 19, 23, 6).getTime() / 1000);
  header.writeUInt32LE(258_761_999, 4);
  header.writeUInt32LE(frame.length, 8);
  header.writeUInt32LE(originalBytes, 12);
  return Buffer.concat([header, frame]);
}

/** What is printed of these frames, without the times. */
function printed(
  frames: readonly (Uint8Array | { readonly cut: Uint8Array; readonly from: number })[],
  { linkType = 1, format = "line" }: { linkType?: number; format?: RawOptions["format"] } = {},
): string[] {
  const texts: string[] = [];
  const printer = new PacketPrinter({ format }, linkType, { record: (text) => texts.push(text) });
  const records = frames.map((frame) => ("cut" in frame ? recordOf(frame.cut, frame.from) : recordOf(frame)));
  const batch = Buffer.concat([Buffer.alloc(7), ...records]);
  printer.print(batch, 7, batch.length);
  return texts.map((text) => {
    assert.match(text, /^19:23:06\.258761 .*\n$/s);
    return text.slice(16, -1);
  });
}

function segment(changes: Partial<TestSegment>, isFromClient = true): TestSegment {
  const [from, to] = isFromClient ? [CLIENT, SERVER] : [SERVER, CLIENT];
  const none = { timeUs: 0, sequence: 0, acknowledgement: 0, flags: ACK, window: 512, payload: latin1(""), ipId: 1 };
  return { ...none, from, to, ...changes };
}

/** An Ethernet frame with this behind its header. */
function ethernet(etherType: number, hex: string): Buffer {
  return Buffer.concat([
    Buffer.from("020000000002020000000001", "hex"),
    Buffer.from([etherType >> 8, etherType & 255]),
    Buffer.from(hex, "hex"),
  ]);
}

test("a connection is shown with sequence numbers from its beginning, as tcpdump shows it", () => {
  const [c, s] = [4_294_967_290, 1000];
  const request = latin1("x".repeat(24));
  const frames = [
    segment({ flags: SYN, sequence: c }),
    segment({ flags: SYN | ACK, sequence: s, acknowledgement: c + 1 }, false),
    segment({ sequence: c + 1, acknowledgement: s + 1 }),
    segment({ flags: PSH | ACK, sequence: c + 1, acknowledgement: s + 1, payload: request }),
    segment({ flags: PSH | ACK, sequence: s + 1, acknowledgement: c + 25, payload: latin1("+OK\r\n") }, false),
    segment({ flags: FIN | ACK, sequence: c + 25, acknowledgement: s + 6 }),
    segment({ flags: RST, sequence: s + 6, window: 0 }, false),
  ].map((each) => frameOf(each));
  assert.deepEqual(printed(frames), [
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 4294967290, win 512, length 0",
    "IP 10.0.0.2.6379 > 10.0.0.1.51137: Flags [S.], seq 1000, ack 4294967291, win 512, length 0",
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], ack 1, win 512, length 0",
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [P.], seq 1:25, ack 1, win 512, length 24",
    "IP 10.0.0.2.6379 > 10.0.0.1.51137: Flags [P.], seq 1:6, ack 25, win 512, length 5",
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [F.], seq 25, ack 6, win 512, length 0",
    "IP 10.0.0.2.6379 > 10.0.0.1.51137: Flags [R], seq 1006, win 0, length 0",
  ]);
});

test("a connection older than the capture is counted from its first segment, and one that begins anew from there", () => {
  const frames = [
    segment({ sequence: 500, acknowledgement: 900, payload: latin1("ab") }),
    segment({ sequence: 900, acknowledgement: 502, payload: latin1("c") }, false),
    segment({ flags: SYN | ACK, sequence: 7000, acknowledgement: 8001 }, false),
    segment({ sequence: 8001, acknowledgement: 7001, payload: latin1("d") }),
  ].map((each) => frameOf(each));
  assert.deepEqual(
    printed(frames).map((line) => /seq.*ack \d+/.exec(line)?.[0]),
    ["seq 500:502, ack 900", "seq 1:2, ack 2", "seq 7000, ack 8001", "seq 1:2, ack 1"],
  );
});

/** The frame with other bytes at a place. */
function patched(frame: Uint8Array, at: number, hex: string): Uint8Array {
  const copy = Uint8Array.from(frame);
  copy.set(Buffer.from(hex, "hex"), at);
  return copy;
}

const option = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const LINES: readonly (readonly [string, Uint8Array | { cut: Uint8Array; from: number }, string, number?])[] = [
  [
    "options",
    frameOf(segment({ flags: SYN }), { ...ETHERNET, tcpOptions: option("020405b40402080a00000001000000020103030a") }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, options [mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 10], length 0",
  ],
  [
    "a SACK, relative as the acknowledgement",
    frameOf(segment({ acknowledgement: 101 }), { ...ETHERNET, tcpOptions: option("0101050a0000006e00000078") }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], ack 101, win 512, options [nop,nop,sack 1 {10:20}], length 0",
  ],
  [
    "an option that ends behind the header",
    frameOf(segment({}), { ...ETHERNET, tcpOptions: option("01010820") }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], ack 0, win 512, options [nop,nop,[bad opt]], length 0",
  ],
  [
    "no flags at all, and all of them",
    frameOf(segment({ flags: 0 })),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [none], win 512, length 0",
  ],
  [
    "urgent data",
    frameOf(segment({ flags: URG })),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [U], win 512, urg 0, length 0",
  ],
  [
    "urgent data, with where it ends",
    patched(frameOf(segment({ flags: URG })), 14 + 20 + 18, "0102"),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [U], win 512, urg 258, length 0",
  ],
  [
    "a TCP header that says it is shorter than one can be",
    patched(frameOf(segment({})), 14 + 20 + 12, "40"),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: tcp [bad header length 16]",
  ],
  [
    "an IP header of no known version",
    patched(frameOf(segment({})), 14, "55"),
    "IP [bad header: version 5, length 20 of 40]",
  ],
  [
    "an IP header that says it is shorter than one can be",
    patched(frameOf(segment({})), 14, "44"),
    "IP [bad header: version 4, length 16 of 40]",
  ],
  [
    "IPv6",
    frameOf(segment({ from: V6_CLIENT, to: V6_SERVER, flags: SYN })),
    "IP6 2001:db8::1.51137 > 2001:db8::2.6379: Flags [S], seq 0, win 512, length 0",
  ],
  [
    "IPv6 with an extension header",
    frameOf(segment({ from: V6_CLIENT, to: V6_SERVER, flags: SYN }), {
      ...ETHERNET,
      extensions: [[60, new Uint8Array(8)]],
    }),
    "IP6 2001:db8::1.51137 > 2001:db8::2.6379: Flags [S], seq 0, win 512, length 0",
  ],
  [
    "IPv6 with an extension header of 16 bytes, and one for authentication, whose length is counted otherwise",
    frameOf(segment({ from: V6_CLIENT, to: V6_SERVER, flags: SYN }), {
      ...ETHERNET,
      extensions: [
        [60, option("0001000000000000" + "0000000000000000")],
        [51, option("0001000000000000" + "00000000")],
      ],
    }),
    "IP6 2001:db8::1.51137 > 2001:db8::2.6379: Flags [S], seq 0, win 512, length 0",
  ],
  [
    "a VLAN tag that the snaplen has cut",
    { cut: frameOf(segment({}), { ...ETHERNET, vlanTags: [0x8100] }).slice(0, 16), from: 58 },
    "[|link], length 58",
  ],
  [
    "a frame behind two VLAN tags",
    frameOf(segment({ flags: SYN }), { ...ETHERNET, vlanTags: [0x88a8, 0x8100] }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, length 0",
  ],
  [
    "a frame that is padded",
    frameOf(segment({ payload: latin1("a") }), { ...ETHERNET, padTo: 60 }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], seq 0:1, ack 0, win 512, length 1",
  ],
  [
    "a packet whose length is left to the network card",
    frameOf(segment({ payload: latin1("abc") }), { ...ETHERNET, hasZeroLength: true }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], seq 0:3, ack 0, win 512, length 3",
  ],
  [
    "a payload that the snaplen has cut",
    { cut: frameOf(segment({ payload: latin1("abcdef") })).slice(0, 56), from: 60 },
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], seq 0:6, ack 0, win 512, length 6",
  ],
  [
    "a TCP header that the snaplen has cut",
    { cut: frameOf(segment({})).slice(0, 40), from: 54 },
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: [|tcp]",
  ],
  ["an IP header that the snaplen has cut", { cut: frameOf(segment({})).slice(0, 20), from: 54 }, "IP [|ip]"],
  [
    "a link header that the snaplen has cut",
    { cut: frameOf(segment({})).slice(0, 10), from: 54 },
    "[|link], length 54",
  ],
  [
    "a packet that is longer than its frame",
    frameOf(segment({ payload: latin1("abc") })).slice(0, 55),
    "IP truncated-ip - 2 bytes missing! 10.0.0.1.51137 > 10.0.0.2.6379: Flags [.], seq 0:3, ack 0, win 512, length 3",
  ],
  ["a later fragment", frameOf(segment({}), { ...ETHERNET, fragment: 0x00b9 }), "IP 10.0.0.1 > 10.0.0.2: ip-proto-6"],
  [
    "a datagram",
    ethernet(0x0800, "4500002000000000401100000a0000010a000002d903003500" + "0c000061626364"),
    "IP 10.0.0.1.55555 > 10.0.0.2.53: UDP, length 4",
  ],
  [
    "a datagram in IPv6",
    ethernet(
      0x86dd,
      "60000000000a114020010db800000000000000000000000120010db8000000000000000000000002d9030035000a00006162",
    ),
    "IP6 2001:db8::1.55555 > 2001:db8::2.53: UDP, length 2",
  ],
  [
    "an echo request",
    ethernet(0x0800, "4500001c00000000400100000a0000010a00000208000000000b0003"),
    "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 11, seq 3, length 8",
  ],
  [
    "an echo reply in IPv6",
    ethernet(
      0x86dd,
      "6000000000083a4020010db800000000000000000000000120010db800000000000000000000000281000000000b0003",
    ),
    "IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo reply, id 11, seq 3, length 8",
  ],
  [
    "a neighbour being told",
    ethernet(
      0x86dd,
      "6000000000183a40fe800000000000000000000000000002fe8000000000000000000000000000018800000040000000fe800000000000000000000000000002",
    ),
    "IP6 fe80::2 > fe80::1: ICMP6, neighbor advertisement, tgt is fe80::2, length 24",
  ],
  [
    "another message of ICMP",
    ethernet(0x0800, "4500001c00000000400100000a0000010a0000020303000000000000"),
    "IP 10.0.0.1 > 10.0.0.2: ICMP type 3 code 3, length 8",
  ],
  [
    "a neighbour being asked for",
    ethernet(
      0x86dd,
      "6000000000183a40fe800000000000000000000000000001ff0200000000000000000001ff0000028700000000000000fe800000000000000000000000000002",
    ),
    "IP6 fe80::1 > ff02::1:ff00:2: ICMP6, neighbor solicitation, who has fe80::2, length 24",
  ],
  [
    "a protocol that is only a number",
    ethernet(0x0800, "4500001800000000402f00000a0000010a00000200000800"),
    "IP 10.0.0.1 > 10.0.0.2: ip-proto-47, length 4",
  ],
  [
    "an address being asked for",
    ethernet(0x0806, "00010800060400010200000000010a0000010000000000000a000002"),
    "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28",
  ],
  [
    "an address being told",
    ethernet(0x0806, "00010800060400020200000000020a0000020200000000010a000001"),
    "ARP, Reply 10.0.0.2 is-at 02:00:00:00:00:02, length 28",
  ],
  ["another EtherType", ethernet(0x88cc, "0102"), "ethertype 0x88cc, length 2"],
  ["a link type without a known header", latin1("abc"), "link-type 9, length 3", 9],
  [
    "a packet without a link header",
    frameOf(segment({ flags: SYN }), { ...ETHERNET, linkType: 101 }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, length 0",
    101,
  ],
  [
    "an IPv4 packet without a link header",
    frameOf(segment({ flags: SYN }), { ...ETHERNET, linkType: 101 }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, length 0",
    228,
  ],
  [
    "an IPv6 packet without a link header",
    frameOf(segment({ from: V6_CLIENT, to: V6_SERVER, flags: SYN }), { ...ETHERNET, linkType: 101 }),
    "IP6 2001:db8::1.51137 > 2001:db8::2.6379: Flags [S], seq 0, win 512, length 0",
    229,
  ],
  [
    "a packet of BSD's loopback",
    Buffer.concat([Buffer.alloc(4), frameOf(segment({ flags: SYN }), { ...ETHERNET, linkType: 101 })]),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, length 0",
    0,
  ],
  [
    "a packet of -i any",
    frameOf(segment({ flags: SYN }), { ...ETHERNET, linkType: 276 }),
    "IP 10.0.0.1.51137 > 10.0.0.2.6379: Flags [S], seq 0, win 512, length 0",
    276,
  ],
];

describe("the line of", () => {
  for (const [name, frame, line, linkType = 1] of LINES) {
    test(name, () => assert.deepEqual(printed([frame], { linkType }), [line]));
  }
});

/** The checksum in a row, which the test does not know. */
function checksum(row = ""): string {
  return row.slice(20, 24);
}

function ascii(row = ""): string {
  return row.slice(55, 57);
}

describe("what is below the line", () => {
  const hostile = segment({ payload: latin1("*1\r\n\x1b[2J\x07\xff\t\n19:23:06.258761 IP a\r\n\r\nend") });

  test("-A is the payload, whose lines never pose as ours, and nothing else of the frame", () => {
    const [text = ""] = printed([frameOf(hostile, { ...ETHERNET, padTo: 120 })], { format: "ascii" });
    const [, ...lines] = text.split("\n");
    assert.deepEqual(lines, ["\t*1", "\t.[2J...", "\t19:23:06.258761 IP a", "\t", "\tend"]);
  });

  test("-X is the packet from its IP header on, sixteen bytes a row", () => {
    const [text = ""] = printed([frameOf(segment({ payload: latin1("*1\r\n\x1b[2J") }))], { format: "hex" });
    const [, ...rows] = text.split("\n");
    assert.deepEqual(rows, [
      "\t0x0000:  4500 0030 0001 4000 4006 0000 0a00 0001  E..0..@.@.......",
      "\t0x0010:  0a00 0002 c7c1 18eb 0000 0000 0000 0000  ................",
      `\t0x0020:  5010 0200 ${checksum(rows[2])} 0000 2a31 0d0a 1b5b 324a  P...${ascii(rows[2])}..*1...[2J`,
    ]);
  });

  test("-X of a last row that is not whole", () => {
    const [text = ""] = printed([ethernet(0x88cc, "00410a")], { format: "hex" });
    assert.deepEqual(text.split("\n"), [
      "ethertype 0x88cc, length 3",
      "\t0x0000:  0041 0a                                  .A.",
    ]);
  });
});

test("whatever a frame holds, it has one line, and nothing unprintable", () => {
  const bytes = fc.uint8Array({ maxLength: 120 });
  const linkTypes = fc.constantFrom(0, 1, 12, 101, 108, 113, 229, 276, 500);
  const real = fc.constantFrom(...LINES.map(([, frame]) => ("cut" in frame ? frame.cut : frame)));
  const mutated = fc
    .tuple(real, fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }))
    .map(([frame, changes]) => {
      const copy = Uint8Array.from(frame);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      return copy;
    });
  fc.assert(
    fc.property(
      fc.oneof(bytes, mutated),
      linkTypes,
      fc.constantFrom("line", "ascii", "hex"),
      (frame, linkType, format) => {
        const [text = ""] = printed([frame], { linkType, format });
        for (const [index, line] of text.split("\n").entries()) {
          assert.match(line, index === 0 ? /^[\x20-\x7e]+$/ : /^\t[\x20-\x7e]*$/);
          if (format === "line") assert.equal(index, 0);
        }
      },
    ),
  );
});
