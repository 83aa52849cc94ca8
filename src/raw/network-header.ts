import { u16 } from "../bytes/read.ts";

/** What stands behind the link header: an EtherType's value, or 0 where the link has none that is known. */
export interface NetworkHeader {
  readonly etherType: number;
  readonly start: number;
}

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_ARP = 0x0806;
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8, 0x9100, 0x9200];

/** By link type (https://www.tcpdump.org/linktypes.html): where the EtherType stands, and how long the header is. */
const ETHERTYPE_LINKS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [1, [12, 14]], // EN10MB
  [113, [14, 16]], // LINUX_SLL
  [276, [0, 20]], // LINUX_SLL2
]);
const RAW_LINKS: readonly number[] = [12, 14, 101, 228, 229];
const LOOPBACK_LINKS: readonly number[] = [0, 108];

/** Looks behind the link header of a frame, bytes[start, end), VLAN tags included. Null where the frame is too short. */
export function networkHeader(linkType: number, bytes: Uint8Array, start: number, end: number): NetworkHeader | null {
  const link = ETHERTYPE_LINKS.get(linkType);
  if (link !== undefined) return behindEtherType(bytes, start + link[0], start + link[1], end);
  const at = LOOPBACK_LINKS.includes(linkType) ? start + 4 : start;
  if (at >= end) return null;
  if (!LOOPBACK_LINKS.includes(linkType) && !RAW_LINKS.includes(linkType)) return { etherType: 0, start };
  // The packet itself says what it is: its first four bits are IP's version.
  const version = bytes[at]! >>> 4;
  return { etherType: version === 4 ? ETHERTYPE_IPV4 : version === 6 ? ETHERTYPE_IPV6 : 0, start: at };
}

function behindEtherType(bytes: Uint8Array, typeAt: number, headerEnd: number, end: number): NetworkHeader | null {
  let at = headerEnd;
  if (at > end) return null;
  let etherType = u16(bytes, typeAt);
  while (VLAN_TAGS.includes(etherType)) {
    if (at + 4 > end) return null;
    etherType = u16(bytes, at + 2);
    at += 4;
  }
  return { etherType, start: at };
}
