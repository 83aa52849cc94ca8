/** One frame for a capture file made by hand. */
export interface TestFrame {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly bytes: Uint8Array;
  /** Larger than the captured bytes when a snaplen cut the frame. */
  readonly originalBytes?: number;
}

/** How a capture file is written. */
export interface TestFileFormat {
  readonly isBigEndian: boolean;
  readonly hasNanoseconds: boolean;
  readonly linkType: number;
  readonly snaplen: number;
}

const DEFAULTS: TestFileFormat = { isBigEndian: false, hasNanoseconds: true, linkType: 1, snaplen: 65535 };

/** A pcap file (`pcap-savefile(5)`). */
export function pcapFile(frames: readonly TestFrame[], format: Partial<TestFileFormat> = {}): Buffer {
  const f = { ...DEFAULTS, ...format };
  const magic = f.hasNanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  const parts = [u32(f, magic), u16(f, 2), u16(f, 4), u32(f, 0), u32(f, 0), u32(f, f.snaplen), u32(f, f.linkType)];
  for (const frame of frames) {
    const fraction = f.hasNanoseconds ? frame.nanoseconds : Math.floor(frame.nanoseconds / 1000);
    parts.push(u32(f, frame.seconds), u32(f, fraction), u32(f, frame.bytes.length));
    parts.push(u32(f, frame.originalBytes ?? frame.bytes.length), Buffer.from(frame.bytes));
  }
  return Buffer.concat(parts);
}

/** A pcapng file: one section, one interface, enhanced packet blocks (draft-ietf-opsawg-pcapng §4). */
export function pcapngFile(frames: readonly TestFrame[], format: Partial<TestFileFormat> = {}): Buffer {
  const f = { ...DEFAULTS, ...format };
  const unspecifiedLength = Buffer.alloc(8, 0xff);
  const section = block(f, 0x0a0d0d0a, [u32(f, 0x1a2b3c4d), u16(f, 1), u16(f, 0), unspecifiedLength]);
  // Option 9, if_tsresol: a power of ten; then option 0, the end.
  const resolution = [u16(f, 9), u16(f, 1), Buffer.from([f.hasNanoseconds ? 9 : 6, 0, 0, 0]), u16(f, 0), u16(f, 0)];
  const device = block(f, 1, [u16(f, f.linkType), u16(f, 0), u32(f, f.snaplen), ...resolution]);
  return Buffer.concat([section, device, ...frames.map((frame) => packetBlock(f, frame))]);
}

function packetBlock(f: TestFileFormat, frame: TestFrame): Buffer {
  const units = f.hasNanoseconds ? 1_000_000_000n : 1_000_000n;
  const fraction = f.hasNanoseconds ? frame.nanoseconds : Math.floor(frame.nanoseconds / 1000);
  const time = BigInt(frame.seconds) * units + BigInt(fraction);
  const length = frame.bytes.length;
  return block(f, 6, [
    u32(f, 0),
    u32(f, Number(time >> 32n)),
    u32(f, Number(time & 0xffffffffn)),
    u32(f, length),
    u32(f, frame.originalBytes ?? length),
    Buffer.from(frame.bytes),
    Buffer.alloc((4 - (length % 4)) % 4),
  ]);
}

/** Type, total length, body, total length again. */
function block(f: TestFileFormat, type: number, body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body);
  const length = u32(f, content.length + 12);
  return Buffer.concat([u32(f, type), length, content, length]);
}

function u16(f: TestFileFormat, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  if (f.isBigEndian) bytes.writeUInt16BE(value);
  else bytes.writeUInt16LE(value);
  return bytes;
}

function u32(f: TestFileFormat, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (f.isBigEndian) bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}

/** An Ethernet frame with an IPv4 UDP datagram, behind as many 802.1Q tags as named; checksums are left zero. */
export function udpFrame(
  sourcePort: number,
  destinationPort: number,
  payload: string,
  vlans: readonly number[] = [],
): Buffer {
  const data = Buffer.from(payload, "latin1");
  const ethernet = Buffer.from("020000000002020000000001", "hex");
  const tags = Buffer.concat(vlans.map((vlan) => Buffer.from([0x81, 0x00, vlan >> 8, vlan & 0xff])));
  const ip = Buffer.from("4500000000000000401100000a0000010a000002".slice(0, 40), "hex");
  ip.writeUInt16BE(28 + data.length, 2);
  ip.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(sourcePort, 0);
  udp.writeUInt16BE(destinationPort, 2);
  udp.writeUInt16BE(8 + data.length, 4);
  return Buffer.concat([ethernet, tags, Buffer.from([0x08, 0x00]), ip, udp, data]);
}
