import { u16, u32 } from "../bytes/read.ts";
import { ipv4Text, ipv6Text, macText } from "./address.ts";
import type { Line, Packet, Told } from "./packet.ts";
import type { RelativeSequences } from "./relative-sequences.ts";
import { icmp6Text, icmpText, otherText, tcpText, udpText } from "./transport.ts";

/**
 * `IP …` (RFC 791 §3.1): version and header length 1, service 1, total length 2, identification 2, flags and fragment offset 2,
 * time to live 1, protocol 1, checksum 2, source 4, destination 4.
 */
export function ipv4Line(
  bytes: Uint8Array,
  at: number,
  end: number,
  originalEnd: number,
  sequences: RelativeSequences,
): Line {
  if (at + 20 > end) return { text: "IP [|ip]", payloadStart: at, payloadEnd: end };
  const headerBytes = (bytes[at]! & 15) << 2;
  const totalLength = u16(bytes, at + 2);
  // 0: a packet that the network card has yet to cut into segments.
  const wireEnd = totalLength === 0 ? originalEnd : at + totalLength;
  if (bytes[at]! >>> 4 !== 4 || headerBytes < 20 || at + headerBytes > wireEnd) {
    return {
      text: `IP [bad header: version ${bytes[at]! >>> 4}, length ${headerBytes} of ${totalLength}]`,
      payloadStart: at,
      payloadEnd: end,
    };
  }
  const missing = wireEnd > originalEnd ? `truncated-ip - ${wireEnd - originalEnd} bytes missing! ` : "";
  const packet: Packet = {
    bytes,
    source: ipv4Text(bytes, at + 12),
    destination: ipv4Text(bytes, at + 16),
    protocol: bytes[at + 9]!,
    start: at + headerBytes,
    end: Math.min(end, wireEnd),
    wireEnd,
  };
  const isLaterFragment = (u16(bytes, at + 6) & 0x1fff) !== 0;
  const told = isLaterFragment ? fragmentText(packet) : transportText(packet, 1, sequences);
  return { ...told, payloadEnd: packet.end, text: `IP ${missing}${told.text}` };
}

/** A fragment but the first: its ports are in another one. */
function fragmentText({ source, destination, protocol, start }: Packet): Told {
  return { text: `${source} > ${destination}: ip-proto-${protocol}`, payloadStart: start };
}

/**
 * `IP6 …` (RFC 8200 §3): version, class, label 4; payload length 2; next header 1; hop limit 1; source 16; destination 16. Extension
 * headers (§4) are passed over.
 */
export function ipv6Line(
  bytes: Uint8Array,
  at: number,
  end: number,
  originalEnd: number,
  sequences: RelativeSequences,
): Line {
  if (at + 40 > end) return { text: "IP6 [|ip6]", payloadStart: at, payloadEnd: end };
  const payloadLength = u16(bytes, at + 4);
  const wireEnd = payloadLength === 0 ? originalEnd : at + 40 + payloadLength;
  const missing = wireEnd > originalEnd ? `truncated-ip6 - ${wireEnd - originalEnd} bytes missing!` : "";
  const source = ipv6Text(bytes, at + 8);
  const destination = ipv6Text(bytes, at + 24);
  let protocol = bytes[at + 6]!;
  let start = at + 40;
  let fragment = "";
  while (EXTENSIONS.includes(protocol) && start + 8 <= end) {
    const headerBytes =
      protocol === 44 ? 8 : protocol === 51 ? (bytes[start + 1]! + 2) << 2 : (bytes[start + 1]! + 1) << 3;
    const offset = protocol === 44 ? u16(bytes, start + 2) & 0xfff8 : 0;
    if (offset > 0) fragment = ` frag (${offset}|${wireEnd - start - 8})`;
    protocol = bytes[start]!;
    start += headerBytes;
  }
  const packet: Packet = { bytes, source, destination, protocol, start, end: Math.min(end, wireEnd), wireEnd };
  const told =
    fragment === ""
      ? transportText(packet, 58, sequences)
      : { text: `${source} > ${destination}:${fragment}`, payloadStart: Math.min(start, end) };
  return { ...told, payloadEnd: packet.end, text: `IP6 ${missing}${told.text}` };
}

/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, host identity, shim6. */
const EXTENSIONS: readonly number[] = [0, 43, 44, 51, 60, 135, 139, 140];

function transportText(packet: Packet, icmp: 1 | 58, sequences: RelativeSequences): Told {
  if (packet.protocol === 6) return tcpText(packet, sequences);
  if (packet.protocol === 17) return udpText(packet);
  if (packet.protocol !== icmp) return otherText(packet);
  return icmp === 1 ? icmpText(packet) : icmp6Text(packet);
}

/**
 * `ARP, …` (RFC 826): hardware 2, protocol 2, their lengths 1 and 1, operation 2, then of sender and target the hardware and the protocol
 * address. Those of IPv4 over Ethernet are shown.
 */
export function arpLine(bytes: Uint8Array, at: number, end: number, originalEnd: number): Line {
  const tail = `length ${originalEnd - at}`;
  if (at + 28 > end || u32(bytes, at) !== 0x0001_0800 || u16(bytes, at + 4) !== 0x0604) {
    return { text: `ARP, ${tail}`, payloadStart: at, payloadEnd: end };
  }
  const operation = u16(bytes, at + 6);
  const sender = ipv4Text(bytes, at + 14);
  const target = ipv4Text(bytes, at + 24);
  const hasTarget = bytes.subarray(at + 18, at + 24).some((byte) => byte !== 0);
  const asked = hasTarget ? `${target} (${macText(bytes, at + 18)})` : target;
  const what =
    operation === 1
      ? `Request who-has ${asked} tell ${sender}`
      : operation === 2
        ? `Reply ${sender} is-at ${macText(bytes, at + 8)}`
        : `operation ${operation}`;
  return { text: `ARP, ${what}, ${tail}`, payloadStart: at, payloadEnd: end };
}
