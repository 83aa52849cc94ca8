/**
 * Finds the IP header of a frame, by link type (https://www.tcpdump.org/linktypes.html).
 *
 * A decoder is called for every frame with the frame's bytes [start, end) and returns the index of the IP header,
 * or NO_IP (another protocol), or CUT (the frame ends before its link header does).
 */
export interface LinkDecoder {
  locate(frame: DataView, start: number, end: number): number;
  /** VLAN-tagged frames seen so far. */
  vlanFrames: number;
}

const NO_IP = -1;
export const CUT = -2;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERTYPE_PPPOE = 0x8864;
/** PPP's numbers of the same two (RFC 1661 §2, IANA). */
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;

/** 802.1Q, 802.1ad (QinQ) and the older tags that switches put on the outside. */
function isVlanTag(etherType: number): boolean {
  return etherType === 0x8100 || etherType === 0x88a8 || etherType === 0x9100 || etherType === 0x9200;
}

/** A link header whose EtherType stands at a fixed place, with any number of VLAN tags behind it, and PPPoE behind these. */
class EtherTypeLink implements LinkDecoder {
  vlanFrames = 0;
  private readonly typeOffset: number;
  private readonly headerBytes: number;

  constructor(typeOffset: number, headerBytes: number) {
    this.typeOffset = typeOffset;
    this.headerBytes = headerBytes;
  }

  // Runs for every segment.
  locate(frame: DataView, start: number, end: number): number {
    let at = start + this.headerBytes;
    if (at > end) return CUT;
    const etherType = frame.getUint16(start + this.typeOffset);
    if (etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6) return at;
    if (etherType === ETHERTYPE_PPPOE) return locateInPppoe(frame, at, end);
    if (!isVlanTag(etherType)) return NO_IP;
    this.vlanFrames++;
    // A tag: 2 bytes priority and VLAN id, 2 bytes the next EtherType.
    for (;;) {
      if (at + 4 > end) return CUT;
      const inner = frame.getUint16(at + 2);
      at += 4;
      if (inner === ETHERTYPE_IPV4 || inner === ETHERTYPE_IPV6) return at;
      if (inner === ETHERTYPE_PPPOE) return locateInPppoe(frame, at, end);
      if (!isVlanTag(inner)) return NO_IP;
    }
  }
}

/** RFC 2516 §4: version and type 1 byte, code 1 (0: a session's data), session 2, length 2; then PPP's protocol 2. */
function locateInPppoe(frame: DataView, at: number, end: number): number {
  if (at + 8 > end) return CUT;
  const protocol = frame.getUint16(at + 6);
  return frame.getUint8(at + 1) === 0 && (protocol === PPP_IPV4 || protocol === PPP_IPV6) ? at + 8 : NO_IP;
}

/** BSD loopback: 4 bytes address family, in the byte order of the capturing host (NULL) or big-endian (LOOP). */
class LoopbackLink implements LinkDecoder {
  vlanFrames = 0;

  locate(frame: DataView, start: number, end: number): number {
    if (start + 4 > end) return CUT;
    // Families are below 256, so that one of the two outer bytes is the value: 2 is AF_INET everywhere, AF_INET6 is
    // 10 on Linux, 24, 28 or 30 on the BSDs and macOS.
    const family = frame.getUint8(start) | frame.getUint8(start + 3);
    return family === 2 || family === 10 || family === 24 || family === 28 || family === 30 ? start + 4 : NO_IP;
  }
}

/** Raw IP: the frame is the packet. */
class RawLink implements LinkDecoder {
  vlanFrames = 0;

  locate(_frame: DataView, start: number, end: number): number {
    return start < end ? start : CUT;
  }
}

/** In the kernel's ring a cooked frame is its packet; the EtherType stands 46 bytes in front (`frame-source.ts`). */
export function cookedRingDecoder(): LinkDecoder {
  return new EtherTypeLink(-46, 0);
}

/** The decoder of a LINKTYPE_ (or the DLT_ that some files carry instead), or null for one that tcplat does not read. */
export function linkDecoder(linkType: number): LinkDecoder | null {
  switch (linkType) {
    case 1: // EN10MB: destination 6, source 6, type 2
      return new EtherTypeLink(12, 14);
    case 113: // LINUX_SLL: packet type 2, ARPHRD 2, address length 2, address 8, protocol 2
      return new EtherTypeLink(14, 16);
    case 276: // LINUX_SLL2: protocol 2, reserved 2, interface index 4, ARPHRD 2, packet type 1, address length 1, address 8
      return new EtherTypeLink(0, 20);
    case 0: // NULL
    case 108: // LOOP
      return new LoopbackLink();
    case 12: // DLT_RAW on most systems
    case 14: // DLT_RAW on OpenBSD
    case 101: // RAW
    case 228: // IPV4
    case 229: // IPV6
      return new RawLink();
    default:
      return null;
  }
}
