import { readFileSync } from "node:fs";
import { loadKoffi } from "./libpcap-binding.ts";

// On a loopback each frame passes a packet socket twice, out and in. libpcap drops the copy that goes out, but only after it was
// copied to the ring: where the kernel leaves it out, the server's host copies half as much, and the ring holds twice as long.
// Linux only; elsewhere, and on older kernels, all goes on as before.

/** `linux/if_packet.h`, since Linux 4.20. */
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
/** `linux/if_arp.h` */
const ARPHRD_LOOPBACK = "772";

export function isLoopback(interfaceName: string): boolean {
  return attribute(interfaceName, "type") === ARPHRD_LOOPBACK;
}

/**
 * Has the kernel leave those copies out of a loopback's capture. (A filter that says `not outbound` would not do: libpcap applies
 * it to the first round of the ring by itself, where nothing tells the direction, and drops all.)
 */
export function ignoreOutgoing(descriptor: number): void {
  const set = loadKoffi().load(null).func("int setsockopt(int, int, int, const uint32_t *, uint32_t)");
  set(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, [1], 4);
}

/**
 * The same filter for the pseudo-interface `any`, where only a loopback's outgoing frames are copies (`pcap-filter(7)`, "ifindex";
 * in front of the other, since `vlan` moves what stands behind it). Null where there is no loopback.
 */
export function withoutOutgoing(filter: string): string | null {
  const index = attribute("lo", "ifindex");
  if (index === null) return null;
  const narrower = `not (outbound and ifindex ${index})`;
  return filter.trim() === "" ? narrower : `${narrower} and (${filter})`;
}

function attribute(interfaceName: string, of: string): string | null {
  try {
    return readFileSync(`/sys/class/net/${interfaceName}/${of}`, "latin1").trim();
  } catch {
    return null;
  }
}
