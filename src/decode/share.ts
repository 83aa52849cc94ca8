import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import type { Segment } from "./segment.ts";

/** Connections are told apart into so many shares; a worker has some of them. */
export const SHARES = 16;
const SHARES_BITS = 4;

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/**
 * The share of a connection, below SHARES: the same for both directions, and in every run. `addresses` are all words of both, and
 * `ports` both, combined by XOR. The upper bits of the product spread neighbouring ports evenly: all there is on a loopback.
 */
// Runs for every segment.
export function shareOf(addresses: number, ports: number): number {
  return Math.imul(addresses ^ ports, 0x9e3779b1) >>> (32 - SHARES_BITS);
}

/** The share of a segment's connection. */
export function shareOfSegment(s: Segment): number {
  const source = s.source0 ^ s.source1 ^ s.source2 ^ s.source3;
  const destination = s.destination0 ^ s.destination1 ^ s.destination2 ^ s.destination3;
  return shareOf(source ^ destination, s.sourcePort ^ s.destinationPort);
}

/** A share that was just dealt out counts as so many frames: what it will bring is not known yet. */
const EXPECTED_FRAMES = 1000;
const NOBODY = -1;

/**
 * Which worker has which share: whoever has had the fewest frames gets it when it is first seen. Each worker looks at all frames, so
 * each of them comes to the same without a word. (Of four busy connections the busier one of two workers has 2.1 on average; by the
 * hash alone it would be 2.7. With more shares than sixteen it would be 2.0, but each has its part of a table: see duplicates.ts.)
 */
export class SharedOut {
  private readonly owners = new Int8Array(SHARES).fill(NOBODY);
  private readonly frames: Float64Array;

  constructor(workers: number) {
    this.frames = new Float64Array(workers);
  }

  /** Who has this share, of which a frame is being looked at. */
  // Runs for every segment.
  ownerOf(share: number): number {
    let owner = this.owners[share]!;
    if (owner === NOBODY) owner = this.deal(share);
    this.frames[owner]!++;
    return owner;
  }

  private deal(share: number): number {
    const { frames } = this;
    const owner = frames.indexOf(Math.min(...frames));
    this.owners[share] = owner;
    frames[owner]! += EXPECTED_FRAMES;
    return owner;
  }
}

/**
 * Tells the share of a frame by a look at the few bytes that decide it, for frames that another worker will decode. Knows the
 * frames that nearly all are, and no other. (Words are read by a DataView: half the time of four bytes each.)
 */
export class FrameGlance {
  /** Of the record last looked at: its time as in `Segment.timeUs`, and the index behind it. */
  timeUs = 0.5;
  next = 0;
  private readonly typeOffset: number;
  private readonly headerBytes: number;
  private readonly wantsDatagrams: boolean;
  private batch: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.batch.buffer);

  constructor(linkType: number, wantsDatagrams: boolean) {
    this.wantsDatagrams = wantsDatagrams;
    // As in link.ts: Ethernet, Linux cooked v1 and v2. Of the others none is known.
    const [typeOffset, headerBytes] = linkType === 1 ? [12, 14] : linkType === 113 ? [14, 16] : [0, 20];
    this.typeOffset = typeOffset!;
    this.headerBytes = linkType === 1 || linkType === 113 || linkType === 276 ? headerBytes! : NONE_FITS;
  }

  /** Looks at the record at `at`: returns the share of its segment or datagram, or -1: it must be decoded to be known. */
  // Runs for every segment.
  shareAt(batch: Uint8Array, at: number): number {
    if (batch !== this.batch) this.take(batch);
    const view = this.view;
    const start = at + RECORD_HEADER_BYTES;
    const end = start + view.getUint32(at + 8, true);
    this.timeUs = view.getUint32(at, true) * 1e6 + ((view.getUint32(at + 4, true) / 1000) | 0);
    this.next = end;
    const ip = start + this.headerBytes;
    // Both headers, and the ports behind the longer one.
    if (ip + 44 > end) return -1;
    const etherType = view.getUint16(start + this.typeOffset);
    if (etherType === ETHERTYPE_IPV4) {
      const first = view.getUint8(ip);
      const header = ip + ((first & 15) << 2);
      if (first >>> 4 !== 4 || !this.isWanted(view.getUint8(ip + 9)) || (view.getUint16(ip + 6) & 0x3fff) !== 0)
        return -1;
      if (header < ip + 20 || header + 4 > end) return -1;
      const ports = view.getUint32(header);
      return shareOf(view.getInt32(ip + 12) ^ view.getInt32(ip + 16), (ports >>> 16) ^ (ports & 0xffff));
    }
    if (etherType !== ETHERTYPE_IPV6 || view.getUint8(ip) >>> 4 !== 6 || !this.isWanted(view.getUint8(ip + 6)))
      return -1;
    let addresses = 0;
    for (let word = ip + 8; word < ip + 40; word += 4) addresses ^= view.getInt32(word);
    const ports = view.getUint32(ip + 40);
    return shareOf(addresses, (ports >>> 16) ^ (ports & 0xffff));
  }

  private isWanted(protocol: number): boolean {
    return protocol === PROTOCOL_TCP || (protocol === PROTOCOL_UDP && this.wantsDatagrams);
  }

  private take(batch: Uint8Array): void {
    this.batch = batch;
    this.view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  }
}

/** A link header that no frame is long enough for. */
const NONE_FITS = 1 << 28;
