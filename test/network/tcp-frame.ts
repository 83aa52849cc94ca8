/** Just enough of Ethernet, IPv4, IPv6 and TCP for a forwarder: where the TCP header is, and what follows it. */

const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_BYTES = 40;
const TCP = 6;
const WINDOW_AT = 14;
const CHECKSUM_AT = 16;

/** Whether a frame holds a TCP segment. */
export function isTcp(frame: Buffer): boolean {
  return tcpStart(frame) > 0;
}

/** Whether a frame holds a TCP segment with payload. */
export function hasPayload(frame: Buffer): boolean {
  const tcp = tcpStart(frame);
  return tcp > 0 && tcp + (frame[tcp + 12]! >> 4) * 4 < ipEnd(frame);
}

/** Changes the window a segment offers, and its checksum accordingly (RFC 1624 §3, equation 3). */
export function setWindow(frame: Buffer, window: number): void {
  const tcp = tcpStart(frame);
  const before = frame.readUInt16BE(tcp + WINDOW_AT);
  const checksum = frame.readUInt16BE(tcp + CHECKSUM_AT);
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + window;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame.writeUInt16BE(window, tcp + WINDOW_AT);
  frame.writeUInt16BE(~sum & 0xffff, tcp + CHECKSUM_AT);
}

/** Where the TCP header begins, or 0 where there is none. */
function tcpStart(frame: Buffer): number {
  const type = frame.readUInt16BE(12);
  const ip = ETHERNET_BYTES;
  if (type === ETHERTYPE_IPV4 && frame[ip + 9] === TCP) return ip + (frame[ip]! & 15) * 4;
  return type === ETHERTYPE_IPV6 && frame[ip + 6] === TCP ? ip + IPV6_BYTES : 0;
}

function ipEnd(frame: Buffer): number {
  const ip = ETHERNET_BYTES;
  const isV4 = frame.readUInt16BE(12) === ETHERTYPE_IPV4;
  return ip + (isV4 ? frame.readUInt16BE(ip + 2) : IPV6_BYTES + frame.readUInt16BE(ip + 4));
}
