import { existsSync, readFileSync } from "node:fs";
import { lookupInterfaceState } from "./interface-state.ts";
import { kernelFilter, LINUX_SLL2 } from "./kernel-filter.ts";
import type { Libpcap } from "./libpcap-binding.ts";
import { BLOCK_TIMEOUT_MS, capturedBytes, type LiveOptions } from "./live-options.ts";
import { ignoreOutgoing } from "./outgoing.ts";
import { PacketSocket } from "./packet-socket.ts";
import type { Tap } from "./tap.ts";

// struct tpacket_block_desc (linux/if_packet.h): version u32, private area u32, then status, frames, first frame's offset and
// the bytes in use, each u32.
const STATUS_AT = 8;
const FRAMES_AT = 12;
const FIRST_AT = 16;
const USED_AT = 20;
const STATUS_KERNEL = 0;
const STATUS_USER = 1;

/** In struct tpacket3_hdr a frame's seconds, behind the offset of the next: what a record of a capture file begins with. */
const RECORD_AT = 4;

/** A wake-up for each block: 800,000 frames at full speed cost 0.35 s in blocks of 256 KiB, 0.34 of 1 MiB, 0.28 of 2 MiB, 0.27 of 4 MiB. */
const BLOCK_BYTES = 2 << 20;
/** Of a small buffer the blocks are smaller: the kernel fills one while others are read. */
const LEAST_BLOCKS = 8;
const LEAST_BLOCK_BYTES = 256 << 10;
/** An index into a larger ring would not be a small integer everywhere. */
const LARGEST_RING_BYTES = 1 << 30;

/** struct tpacket3_hdr, struct sockaddr_ll, and room to align what follows. */
const FRAME_HEADERS_BYTES = 256;

/** `linux/if_arp.h` */
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const LINKTYPE_ETHERNET = 1;

/**
 * Starts a capture that reads the kernel's ring in place. Null where only libpcap can do it, or has the words for why nobody can:
 * another kind of interface, a filter that no socket understands, no permission, no such interface, a very small or large buffer.
 */
export function openRing(libpcap: Libpcap, options: LiveOptions): PacketRing | null {
  // The layouts below are those of 64-bit little-endian Linux.
  if (process.platform !== "linux" || !["x64", "arm64", "riscv64"].includes(process.arch)) return null;
  const name = options.interface;
  const { index, isUp } = lookupInterfaceState(name === "any" ? "lo" : name);
  if (name !== "any" && (!isUp || isSwitchPort(name))) return null;
  let socket: PacketSocket | null = null;
  try {
    socket = new PacketSocket(name === "any");
    const ring = name === "any" ? startAny(libpcap, options, socket, index) : startOne(libpcap, options, socket, index);
    if (ring === null) socket.close();
    return ring;
  } catch {
    socket?.close();
    return null;
  }
}

function startAny(libpcap: Libpcap, options: LiveOptions, socket: PacketSocket, loopback: number): PacketRing | null {
  const ring = makeRing(libpcap, options, socket, LINUX_SLL2, loopback);
  if (ring !== null) socket.start(0);
  return ring;
}

function startOne(libpcap: Libpcap, options: LiveOptions, socket: PacketSocket, index: number): PacketRing | null {
  const type = socket.choose(index);
  if (type !== ARPHRD_ETHER && type !== ARPHRD_LOOPBACK) return null;
  const ring = makeRing(libpcap, options, socket, LINKTYPE_ETHERNET, type === ARPHRD_LOOPBACK ? index : 0);
  if (ring === null) return null;
  if (type === ARPHRD_LOOPBACK) ignoreOutgoing(socket.descriptor);
  // As tcpdump: a mirror port's frames are for others.
  socket.takeOthersFrames(index);
  socket.start(index);
  return ring;
}

/** The filter is there before the first frame is. */
function makeRing(
  libpcap: Libpcap,
  options: LiveOptions,
  socket: PacketSocket,
  linkType: number,
  loopback: number,
): PacketRing | null {
  const snaplen = capturedBytes(options);
  const bufferBytes = options.bufferKib * 1024;
  const blockBytes = blockBytesOf(bufferBytes);
  if (bufferBytes > LARGEST_RING_BYTES || blockBytes < LEAST_BLOCK_BYTES || snaplen + FRAME_HEADERS_BYTES > blockBytes)
    return null;
  const filter = kernelFilter(libpcap, { filter: options.filter, linkType, snaplen }, loopback);
  if (filter === null) return null;
  socket.attach(filter);
  socket.stampEarly();
  const blocks = Math.floor(bufferBytes / blockBytes);
  const memory = socket.mapRing({ blockBytes, blocks, timeoutMs: BLOCK_TIMEOUT_MS });
  return new PacketRing({ socket, memory, blockBytes, linkType, snaplen, name: options.interface });
}

function blockBytesOf(bufferBytes: number): number {
  let bytes = BLOCK_BYTES;
  while (bytes * LEAST_BLOCKS > bufferBytes) bytes /= 2;
  return bytes;
}

/** Behind a switch chip of its own the kernel puts a tag in front of the frame, which libpcap knows. */
function isSwitchPort(name: string): boolean {
  return existsSync(`/sys/class/net/${name}/dsa/tagging`);
}

interface RingParts {
  readonly socket: PacketSocket;
  readonly memory: ArrayBuffer;
  readonly blockBytes: number;
  readonly linkType: number;
  readonly snaplen: number;
  readonly name: string;
}

/** The blocks of a ring, one batch each. A block is the kernel's again with the next `read`. */
export class PacketRing implements Tap {
  readonly layout = "kernel-ring";
  readonly linkType: number;
  readonly snaplen: number;
  readonly descriptor: number;
  readonly batch: Uint8Array;
  readonly fault = null;
  start = 0;

  readonly #socket: PacketSocket;
  readonly #words: Int32Array;
  readonly #blockBytes: number;
  readonly #name: string;
  /** Where the block begins that was handed out, or comes next. */
  #block = 0;
  #isHandedOut = false;
  #interfaceDrops: number;

  constructor({ socket, memory, blockBytes, linkType, snaplen, name }: RingParts) {
    this.#socket = socket;
    this.descriptor = socket.descriptor;
    this.batch = new Uint8Array(memory);
    this.#words = new Int32Array(memory);
    this.#blockBytes = blockBytes;
    this.linkType = linkType;
    this.snaplen = snaplen;
    this.#name = name;
    this.#interfaceDrops = readInterfaceDrops(name);
  }

  read(): number {
    if (this.#isHandedOut) this.#giveBack();
    const words = this.#words;
    for (;;) {
      const block = this.#block;
      // Atomic, so that nothing else of the block is read before its status is.
      if ((Atomics.load(words, (block + STATUS_AT) >> 2) & STATUS_USER) === 0) break;
      this.#isHandedOut = true;
      if (words[(block + FRAMES_AT) >> 2]! > 0) {
        this.start = block + words[(block + FIRST_AT) >> 2]! + RECORD_AT;
        return block + words[(block + USED_AT) >> 2]!;
      }
      this.#giveBack();
    }
    this.#socket.forgetError();
    return 0;
  }

  takeDrops(): { readonly kernel: number; readonly interface: number } {
    const now = readInterfaceDrops(this.#name);
    const byInterface = Math.max(0, now - this.#interfaceDrops);
    this.#interfaceDrops = now;
    return { kernel: this.#socket.takeDrops(), interface: byInterface };
  }

  close(): void {
    this.#socket.close();
  }

  #giveBack(): void {
    Atomics.store(this.#words, (this.#block + STATUS_AT) >> 2, STATUS_KERNEL);
    this.#isHandedOut = false;
    this.#block += this.#blockBytes;
    if (this.#block >= this.batch.length) this.#block = 0;
  }
}

/** As libpcap counts them: what the driver had no room for. */
function readInterfaceDrops(name: string): number {
  return ["rx_missed_errors", "rx_fifo_errors"].reduce((sum, kind) => {
    try {
      return sum + Number(readFileSync(`/sys/class/net/${name}/statistics/${kind}`, "latin1"));
    } catch {
      return sum;
    }
  }, 0);
}
