import { u16, u32 } from "../bytes/read.ts";
import { ipv6Text } from "./address.ts";
import type { Packet, Told } from "./packet.ts";
import type { RelativeSequences } from "./relative-sequences.ts";
import { optionsText } from "./tcp-options.ts";

/** By bit, from FIN (RFC 9293 §3.1, RFC 3168) on. */
const FLAG_LETTERS = "FSRP.UEW";
const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const URG = 32;

/** `10.0.0.1.51137 > 10.0.0.2.6379: Flags [P.], seq 1:25, ack 1, win 512, length 24`. */
export function tcpText(packet: Packet, sequences: RelativeSequences): Told {
  const { bytes, start, end, wireEnd } = packet;
  if (start + 4 > end) return cut(packet, "tcp");
  const source = `${packet.source}.${u16(bytes, start)}`;
  const destination = `${packet.destination}.${u16(bytes, start + 2)}`;
  const ends = `${source} > ${destination}:`;
  if (start + 20 > end) return { text: `${ends} [|tcp]`, payloadStart: end };
  const headerBytes = (bytes[start + 12]! >>> 4) << 2;
  const payloadStart = start + headerBytes;
  if (headerBytes < 20 || payloadStart > wireEnd) {
    return { text: `${ends} tcp [bad header length ${headerBytes}]`, payloadStart: end };
  }
  const flags = bytes[start + 13]!;
  const sequence = u32(bytes, start + 4);
  const acknowledgement = u32(bytes, start + 8);
  const isAck = (flags & ACK) !== 0;
  const base = isAck ? sequences.take(source, destination, (flags & SYN) !== 0, sequence, acknowledgement) : null;
  const first = (sequence - (base?.of.sequence ?? 0)) >>> 0;
  const length = wireEnd - payloadStart;
  const parts = [`Flags [${flagLetters(flags)}]`];
  if (length > 0) parts.push(`seq ${first}:${(first + length) >>> 0}`);
  else if ((flags & (SYN | FIN | RST)) !== 0) parts.push(`seq ${first}`);
  if (base !== null) parts.push(`ack ${(acknowledgement - base.of.acknowledgement) >>> 0}`);
  parts.push(`win ${u16(bytes, start + 14)}`);
  if ((flags & URG) !== 0) parts.push(`urg ${u16(bytes, start + 18)}`);
  if (headerBytes > 20) {
    parts.push(
      payloadStart > end
        ? "options [|tcp]"
        : `options [${optionsText(bytes, start + 20, payloadStart, base?.ofSack ?? 0)}]`,
    );
  }
  parts.push(`length ${length}`);
  return { text: `${ends} ${parts.join(", ")}`, payloadStart: Math.min(payloadStart, end) };
}

function flagLetters(flags: number): string {
  let letters = "";
  for (let bit = 0; bit < 8; bit++) if (((flags >>> bit) & 1) !== 0) letters += FLAG_LETTERS[bit];
  return letters === "" ? "none" : letters;
}

/** `10.0.0.1.53 > 10.0.0.2.4567: UDP, length 12` (RFC 768). */
export function udpText(packet: Packet): Told {
  const { bytes, start, end, wireEnd } = packet;
  if (start + 8 > end) return cut(packet, "udp");
  const ends = `${packet.source}.${u16(bytes, start)} > ${packet.destination}.${u16(bytes, start + 2)}:`;
  const said = u16(bytes, start + 4);
  // 0: as long as the packet (RFC 2675 §4).
  const length = said === 0 ? wireEnd - start : said;
  if (length < 8) return { text: `${ends} [bad udp length ${length}]`, payloadStart: end };
  return { text: `${ends} UDP, length ${length - 8}`, payloadStart: start + 8 };
}

/** `10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 64` (RFC 792). */
export function icmpText(packet: Packet): Told {
  const { bytes, start, end, wireEnd } = packet;
  if (start + 8 > end) return cut(packet, "icmp");
  const [type, code] = [bytes[start]!, bytes[start + 1]!];
  const echo = type === 8 ? "echo request" : "echo reply";
  const isEcho = type === 8 || type === 0;
  const what = isEcho
    ? `${echo}, id ${u16(bytes, start + 4)}, seq ${u16(bytes, start + 6)}`
    : `type ${type} code ${code}`;
  return { text: `${between(packet)} ICMP ${what}, length ${wireEnd - start}`, payloadStart: start };
}

/** `fe80::1 > ff02::1: ICMP6, neighbor solicitation, who has fe80::2, length 32` (RFC 4443, RFC 4861). */
export function icmp6Text(packet: Packet): Told {
  const { bytes, start, end, wireEnd } = packet;
  if (start + 8 > end) return cut(packet, "icmp6");
  const [type, code] = [bytes[start]!, bytes[start + 1]!];
  let what = `type ${type} code ${code}`;
  if (type === 128 || type === 129) {
    what = `echo ${type === 128 ? "request" : "reply"}, id ${u16(bytes, start + 4)}, seq ${u16(bytes, start + 6)}`;
  } else if (type === 135 && start + 24 <= end) what = `neighbor solicitation, who has ${ipv6Text(bytes, start + 8)}`;
  else if (type === 136 && start + 24 <= end) what = `neighbor advertisement, tgt is ${ipv6Text(bytes, start + 8)}`;
  return { text: `${between(packet)} ICMP6, ${what}, length ${wireEnd - start}`, payloadStart: start };
}

/** A protocol that is only named, by its number. */
export function otherText(packet: Packet): Told {
  const { protocol, start, wireEnd } = packet;
  return { text: `${between(packet)} ip-proto-${protocol}, length ${wireEnd - start}`, payloadStart: start };
}

function between({ source, destination }: Packet): string {
  return `${source} > ${destination}:`;
}

/** The snaplen has cut the header. */
function cut(packet: Packet, name: string): Told {
  return { text: `${between(packet)} [|${name}]`, payloadStart: packet.start };
}
