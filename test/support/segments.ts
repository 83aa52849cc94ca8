import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { Segment, TcpFlag } from "../../src/decode/segment.ts";

/** One end of a made connection: an IPv4 or IPv6 address (IPv6 written in full or with one `::`), and a port. */
export interface TestHost {
  readonly address: string;
  readonly port: number;
}

/** A TCP segment as a test describes it. Times are whole microseconds since the epoch. */
export interface TestSegment {
  readonly timeUs: number;
  readonly from: TestHost;
  readonly to: TestHost;
  /** Any integer; taken modulo 2^32. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly window: number;
  readonly payload: Uint8Array;
  readonly ipId: number;
  /** UDP: of the rest only the payload counts. */
  readonly isDatagram?: boolean;
}

/** How segments are put on a made wire. */
export interface Wire {
  readonly linkType: number;
  /** EtherTypes of VLAN tags, outermost first. */
  readonly vlanTags: readonly number[];
  /** IPv4 options and TCP options: bytes, a multiple of four. */
  readonly ipOptions: Uint8Array;
  readonly tcpOptions: Uint8Array;
  /** IPv6 extension headers before TCP: number and bytes (whose first is overwritten with the next header's number). */
  readonly extensions: readonly (readonly [number, Uint8Array])[];
  /** Zero bytes behind the packet up to this frame length. */
  readonly padTo: number;
  /** Write 0 as the packet's length, as segmentation offload shows it. */
  readonly hasZeroLength: boolean;
  /** Added to IPv4's flags and fragment offset. */
  readonly fragment: number;
}

const NONE = new Uint8Array(0);
export const ETHERNET: Wire = {
  linkType: 1,
  vlanTags: [],
  ipOptions: NONE,
  tcpOptions: NONE,
  extensions: [],
  padTo: 0,
  hasZeroLength: false,
  fragment: 0x4000,
};

export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** The frame of a segment. */
export function frameOf(segment: TestSegment, wire: Wire = ETHERNET): Uint8Array {
  const isV6 = segment.from.address.includes(":");
  const packet = isV6 ? ipv6(segment, wire) : ipv4(segment, wire);
  const frame = concat([linkHeader(wire, isV6), packet]);
  return frame.length >= wire.padTo ? frame : concat([frame, new Uint8Array(wire.padTo - frame.length)]);
}

function linkHeader(wire: Wire, isV6: boolean): Uint8Array {
  const etherType = isV6 ? 0x86dd : 0x0800;
  const types = [...wire.vlanTags, etherType];
  const tags = types.slice(1).flatMap((type, i) => [0, 10 + i, type >> 8, type & 255]);
  const outer = [types[0]! >> 8, types[0]! & 255];
  switch (wire.linkType) {
    case 1:
      return Uint8Array.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...outer, ...tags]);
    case 113:
      return Uint8Array.from([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, ...outer, ...tags]);
    case 276:
      return Uint8Array.from([...outer, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, ...tags]);
    case 0:
      return Uint8Array.from([isV6 ? 10 : 2, 0, 0, 0]);
    case 108:
      return Uint8Array.from([0, 0, 0, isV6 ? 30 : 2]);
    default:
      return NONE;
  }
}

function ipv4(segment: TestSegment, wire: Wire): Uint8Array {
  const body = bodyOf(segment, wire);
  const header = new DataView(new ArrayBuffer(20 + wire.ipOptions.length));
  header.setUint8(0, 0x40 | (header.byteLength >> 2));
  header.setUint16(2, wire.hasZeroLength ? 0 : header.byteLength + body.length);
  header.setUint16(4, segment.ipId);
  header.setUint16(6, wire.fragment);
  header.setUint8(8, 64);
  header.setUint8(9, protocolOf(segment));
  const bytes = new Uint8Array(header.buffer);
  bytes.set(addressBytes(segment.from.address), 12);
  bytes.set(addressBytes(segment.to.address), 16);
  bytes.set(wire.ipOptions, 20);
  return concat([bytes, body]);
}

function ipv6(segment: TestSegment, wire: Wire): Uint8Array {
  const numbers = [...wire.extensions.map(([number]) => number), protocolOf(segment)];
  const extensions = wire.extensions.map(([, content], i) => Uint8Array.from([numbers[i + 1]!, ...content.slice(1)]));
  const body = concat([...extensions, bodyOf(segment, wire)]);
  const header = new DataView(new ArrayBuffer(40));
  header.setUint32(0, 0x60000000);
  header.setUint16(4, wire.hasZeroLength ? 0 : body.length);
  header.setUint8(6, numbers[0]!);
  header.setUint8(7, 64);
  const bytes = new Uint8Array(header.buffer);
  bytes.set(addressBytes(segment.from.address), 8);
  bytes.set(addressBytes(segment.to.address), 24);
  return concat([bytes, body]);
}

function protocolOf({ isDatagram }: TestSegment): number {
  return isDatagram === true ? 17 : 6;
}

function bodyOf(segment: TestSegment, wire: Wire): Uint8Array {
  return segment.isDatagram === true ? udpOf(segment) : tcpOf(segment, wire);
}

function udpOf({ from, to, payload }: TestSegment): Uint8Array {
  const header = new DataView(new ArrayBuffer(8));
  header.setUint16(0, from.port);
  header.setUint16(2, to.port);
  header.setUint16(4, 8 + payload.length);
  const bytes = concat([new Uint8Array(header.buffer), payload]);
  const sum = checksum(bytes);
  bytes[6] = sum >> 8;
  bytes[7] = sum & 255;
  return bytes;
}

function tcpOf(segment: TestSegment, wire: Wire): Uint8Array {
  const header = new DataView(new ArrayBuffer(20 + wire.tcpOptions.length));
  header.setUint16(0, segment.from.port);
  header.setUint16(2, segment.to.port);
  header.setUint32(4, segment.sequence >>> 0);
  header.setUint32(8, segment.acknowledgement >>> 0);
  header.setUint8(12, (header.byteLength >> 2) << 4);
  header.setUint8(13, segment.flags);
  header.setUint16(14, segment.window);
  const bytes = concat([new Uint8Array(header.buffer), segment.payload]);
  bytes.set(wire.tcpOptions, 20);
  const sum = checksum(bytes);
  bytes[16] = sum >> 8;
  bytes[17] = sum & 255;
  return bytes;
}

/** RFC 1071, without the pseudo-header: it only has to differ where the segments do. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** `10.0.0.1`, `2001:db8::1`. */
function addressBytes(address: string): Uint8Array {
  if (!address.includes(":")) return Uint8Array.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255]));
}

/** A frame behind its record header (src/capture/frame-source.ts), cut to `snaplen`. */
export function recordOf(timeUs: number, frame: Uint8Array, snaplen = 65535): Uint8Array {
  const captured = frame.subarray(0, snaplen);
  const record = new Uint8Array(RECORD_HEADER_BYTES + captured.length);
  const header = new DataView(record.buffer);
  header.setUint32(0, Math.floor(timeUs / 1e6), true);
  header.setUint32(4, (timeUs % 1e6) * 1000, true);
  header.setUint32(8, captured.length, true);
  header.setUint32(12, frame.length, true);
  record.set(captured, RECORD_HEADER_BYTES);
  return record;
}

/** A UDP datagram, `at` µs after BEGIN_US. */
export function datagram(at: number, from: TestHost, to: TestHost, payload: Uint8Array, ipId = 0): TestSegment {
  return {
    timeUs: BEGIN_US + at,
    from,
    to,
    payload,
    ipId,
    isDatagram: true,
    sequence: 0,
    acknowledgement: 0,
    flags: 0,
    window: 0,
  };
}

/** The batch that a source would deliver of these segments. */
export function batchOf(segments: readonly TestSegment[], wire: Wire = ETHERNET, snaplen = 65535): Uint8Array {
  return concat(segments.map((segment) => recordOf(segment.timeUs, frameOf(segment, wire), snaplen)));
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const CLIENT: TestHost = { address: "10.0.0.1", port: 40001 };
export const SERVER: TestHost = { address: "10.0.0.2", port: 6379 };
/** When made dialogues begin: 2026-01-01 in µs. */
export const BEGIN_US = 1_767_225_600_000_000;

/** What a test may set of a segment that a dialogue makes. */
export type SegmentChange = Partial<Omit<TestSegment, "from" | "to">>;

interface End {
  readonly host: TestHost;
  next: number;
  ipId: number;
}

/**
 * Two ends that keep their sequence numbers. Each method makes the next segment, appends it to `segments` and returns it;
 * `at` is µs after the dialogue's beginning. Acknowledgements cover whatever the other end has sent so far.
 */
export class Dialogue {
  readonly segments: TestSegment[] = [];
  readonly #client: End;
  readonly #server: End;

  constructor(client = CLIENT, server = SERVER, clientInitial = 1000, serverInitial = 5000) {
    this.#client = { host: client, next: clientInitial, ipId: 100 };
    this.#server = { host: server, next: serverInitial, ipId: 30_000 };
  }

  /** SYN, SYN-ACK and ACK, at `at`, `at` + 10 and `at` + 20. */
  open(at = 0): void {
    this.syn(at);
    this.synAck(at + 10);
    this.ack("client", at + 20);
  }

  syn(at: number, payload = ""): TestSegment {
    return this.#send(this.#client, this.#server, at, latin1(payload), { flags: TcpFlag.syn, acknowledgement: 0 });
  }

  synAck(at: number): TestSegment {
    return this.#send(this.#server, this.#client, at, NONE, { flags: TcpFlag.syn | TcpFlag.ack });
  }

  client(at: number, payload: string, change: SegmentChange = {}): TestSegment {
    return this.#send(this.#client, this.#server, at, latin1(payload), change);
  }

  server(at: number, payload: string, change: SegmentChange = {}): TestSegment {
    return this.#send(this.#server, this.#client, at, latin1(payload), change);
  }

  ack(of: "client" | "server", at: number, change: SegmentChange = {}): TestSegment {
    return of === "client" ? this.client(at, "", change) : this.server(at, "", change);
  }

  fin(of: "client" | "server", at: number): TestSegment {
    return this.ack(of, at, { flags: TcpFlag.fin | TcpFlag.ack });
  }

  reset(of: "client" | "server", at: number): TestSegment {
    return this.ack(of, at, { flags: TcpFlag.rst | TcpFlag.ack });
  }

  #send(from: End, to: End, at: number, payload: Uint8Array, change: SegmentChange): TestSegment {
    const flags = change.flags ?? TcpFlag.ack | (payload.length > 0 ? TcpFlag.psh : 0);
    const segment = {
      timeUs: BEGIN_US + at,
      from: from.host,
      to: to.host,
      sequence: from.next,
      acknowledgement: to.next,
      window: 512,
      payload,
      ipId: from.ipId++,
      ...change,
      flags,
    };
    this.segments.push(segment);
    const control = flags & (TcpFlag.syn | TcpFlag.fin) ? 1 : 0;
    if (change.sequence === undefined) from.next += payload.length + control;
    return segment;
  }
}

/** The same segment sent again by its host: later, and as another packet. */
export function sentAgain(segment: TestSegment, at: number): TestSegment {
  return { ...segment, timeUs: BEGIN_US + at, ipId: segment.ipId + 1000 };
}

/** The same packet captured again. */
export function seenAgain(segment: TestSegment, laterUs: number): TestSegment {
  return { ...segment, timeUs: segment.timeUs + laterUs };
}

/** The two ends of an IPv4 connection, as a decoded segment has them. */
export function endsOf(source: number, sourcePort: number, destination: number, destinationPort: number): Segment {
  return Object.assign(new Segment(), { source3: source, sourcePort, destination3: destination, destinationPort });
}
