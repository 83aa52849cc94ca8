import type { FanoutGroup } from "./fanout.ts";

/** What a live capture needs to know. */
export interface LiveOptions {
  readonly interface: string;
  /** Captured bytes of a frame; with LONGEST_PACKET or more the headers in front of the packet come on top. */
  readonly snaplen: number;
  /** The kernel's buffer, in KiB. */
  readonly bufferKib: number;
  /** A libpcap filter, "" for none. */
  readonly filter: string;
  /** Share the frames with the other sockets of this group; null takes all. */
  readonly fanout?: FanoutGroup | null;
  /** Whoever reads can take frames as the kernel lays them out (`FrameLayout`): no copy is made then. */
  readonly inPlace?: boolean;
}

/** The longest frame libpcap lets anyone ask for (MAXIMUM_SNAPLEN); tcpdump's default. */
const MAX_SNAPLEN = 262144;

/**
 * What 16 bits of length can tell. Cards and kernels join segments up to it (GRO, GSO, loopback), and a pipeline fills it: without room for what
 * stands in front, the frame's last bytes are cut, and with them the boundary of a message.
 */
const LONGEST_PACKET = 65535;
/** IPv6's fixed header, which its length leaves out (RFC 8200 §3), that of the link, and tags or a tunnel. */
const HEADERS_IN_FRONT = 128;

/** Bytes of a frame to ask the kernel for. */
export function capturedBytes({ snaplen }: LiveOptions): number {
  const room = snaplen >= LONGEST_PACKET ? HEADERS_IN_FRONT : 0;
  return Math.min(Math.max(snaplen + room, 1), MAX_SNAPLEN);
}

/**
 * A frame reaches `read` at most twice so late; its time is right all the same. Each wake-up costs 0.2 to 0.4 ms of CPU where requests
 * are few, since the processor's caches have forgotten all that a frame needs. 32 blocks that the kernel hands over so often last 2 s: so long may this process stand still.
 */
export const BLOCK_TIMEOUT_MS = 64;
