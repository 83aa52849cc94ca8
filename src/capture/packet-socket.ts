import type { KoffiFunc } from "koffi";
import { INSTRUCTION_BYTES } from "./filter.ts";
import { loadKoffi, type Pointer } from "./libpcap-binding.ts";

// What of packet(7) a capture needs. Numbers are those of linux/if_packet.h, linux/if_ether.h and asm-generic/socket.h.

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const ETH_P_ALL = 3;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;
const SO_TIMESTAMPNS = 35;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_PROMISC = 1;
const PACKET_STATISTICS = 6;
const PACKET_RX_RING = 5;
const PACKET_VERSION = 10;
const TPACKET_V3 = 2;
const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_FIXED_ANONYMOUS = 0x32;
const MAP_FAILED = 0xffffffffffffffffn;

/** `struct sockaddr_ll`: family u16, protocol u16 (big-endian), interface i32, ARPHRD type u16, packet type u8, address. */
const ADDRESS_BYTES = 20;

/** `struct tpacket_req3`, as far as it is chosen. */
export interface RingShape {
  readonly blockBytes: number;
  readonly blocks: number;
  /** A block that is not full is handed over after so long, ms. */
  readonly timeoutMs: number;
}

/** A packet socket that hands over blocks of a ring in memory that it shares with the kernel (packet(7), TPACKET_V3). */
export class PacketSocket {
  readonly descriptor: number;
  readonly #calls: Calls;
  #ring: { readonly address: Pointer; readonly bytes: number } | null = null;

  /** `isCooked`: frames begin with their network header. Throws Error where the kernel allows none. */
  constructor(isCooked: boolean) {
    this.#calls = loadCalls();
    this.descriptor = this.#calls.socket(AF_PACKET, (isCooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_NONBLOCK_CLOEXEC, 0);
    if (this.descriptor < 0) throw new Error("no packet socket");
  }

  /** Chooses an interface, 0 for all; nothing is captured yet. Returns its ARPHRD type. */
  choose(interfaceIndex: number): number {
    const address = this.#bind(interfaceIndex, 0);
    this.#check(this.#calls.getsockname(this.descriptor, address, [ADDRESS_BYTES]), "getsockname");
    return address.readUInt16LE(8);
  }

  /** Has the kernel stamp each frame once, when it passes, for whoever captures it; else each socket's copy gets its own time, some 0.3 µs later. */
  stampEarly(): void {
    this.#set(SOL_SOCKET, SO_TIMESTAMPNS, Buffer.from(Uint32Array.of(1).buffer));
  }

  /** From here on the kernel captures. */
  start(interfaceIndex: number): void {
    this.#bind(interfaceIndex, ETH_P_ALL);
  }

  takeOthersFrames(interfaceIndex: number): void {
    // struct packet_mreq: interface i32, type u16, address length u16, address 8.
    const membership = Buffer.alloc(16);
    membership.writeInt32LE(interfaceIndex, 0);
    membership.writeUInt16LE(PACKET_MR_PROMISC, 4);
    this.#set(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership);
  }

  attach(filter: Buffer): void {
    const { koffi } = this.#calls;
    // struct sock_fprog: the number of instructions u16, and where they are.
    const program = Buffer.alloc(16);
    program.writeUInt16LE(filter.length / INSTRUCTION_BYTES, 0);
    program.writeBigUInt64LE(BigInt(koffi.address(filter)), 8);
    this.#set(SOL_SOCKET, SO_ATTACH_FILTER, program);
  }

  /** Makes the ring and returns its memory, which stays readable for good: after `close` it holds zeros. */
  mapRing({ blockBytes, blocks, timeoutMs }: RingShape): ArrayBuffer {
    this.#set(SOL_PACKET, PACKET_VERSION, Buffer.from(Uint32Array.of(TPACKET_V3).buffer));
    // Frames need no size of their own in version 3, but the kernel checks that there are as many as would fit.
    const frameBytes = 2048;
    const frames = (blockBytes / frameBytes) * blocks;
    const request = Uint32Array.of(blockBytes, blocks, frameBytes, frames, timeoutMs, 0, 0);
    this.#set(SOL_PACKET, PACKET_RX_RING, Buffer.from(request.buffer));
    const bytes = blockBytes * blocks;
    const address = this.#calls.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, this.descriptor, 0);
    if (address === null || address === MAP_FAILED) throw new Error("mmap");
    this.#ring = { address, bytes };
    return this.#calls.koffi.view(address, bytes);
  }

  /** Frames that found the ring full since the last call. */
  takeDrops(): number {
    // struct tpacket_stats_v3: packets, drops, freezes, each u32; the kernel begins anew with each call.
    const stats = Buffer.alloc(12);
    return this.#calls.getsockopt(this.descriptor, SOL_PACKET, PACKET_STATISTICS, stats, [12]) === 0
      ? stats.readUInt32LE(4)
      : 0;
  }

  /** Takes away an error, such as an interface's that went down: until then the descriptor is readable without frames. */
  forgetError(): void {
    this.#calls.getsockopt(this.descriptor, SOL_SOCKET, SO_ERROR, Buffer.alloc(4), [4]);
  }

  close(): void {
    const { mmap, close } = this.#calls;
    // Somebody may still hold a view of the ring: other memory takes its place, of which nothing is resident, and which may only be read: so it is not charged for.
    if (this.#ring !== null) {
      const { address, bytes } = this.#ring;
      mmap(address, bytes, PROT_READ, MAP_PRIVATE_FIXED_ANONYMOUS, -1, 0);
    }
    this.#ring = null;
    close(this.descriptor);
  }

  #bind(interfaceIndex: number, protocol: number): Buffer {
    const address = Buffer.alloc(ADDRESS_BYTES);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(protocol, 2);
    address.writeInt32LE(interfaceIndex, 4);
    this.#check(this.#calls.bind(this.descriptor, address, ADDRESS_BYTES), "bind");
    return address;
  }

  #set(level: number, option: number, value: Buffer): void {
    this.#check(this.#calls.setsockopt(this.descriptor, level, option, value, value.length), `option ${option}`);
  }

  #check(status: number, what: string): void {
    if (status !== 0) throw new Error(`${what}: error ${this.#calls.koffi.errno()}`);
  }
}

interface Calls {
  readonly koffi: typeof import("koffi");
  readonly socket: KoffiFunc<(domain: number, type: number, protocol: number) => number>;
  readonly bind: KoffiFunc<(descriptor: number, address: Uint8Array, bytes: number) => number>;
  readonly getsockname: KoffiFunc<(descriptor: number, address: Uint8Array, bytes: number[]) => number>;
  readonly setsockopt: KoffiFunc<
    (d: number, level: number, option: number, value: Uint8Array, bytes: number) => number
  >;
  readonly getsockopt: KoffiFunc<
    (d: number, level: number, option: number, value: Uint8Array, bytes: number[]) => number
  >;
  readonly mmap: KoffiFunc<
    (address: Pointer, bytes: number, protection: number, flags: number, descriptor: number, offset: number) => Pointer
  >;
  readonly close: KoffiFunc<(descriptor: number) => number>;
}

let loaded: Calls | null = null;

function loadCalls(): Calls {
  if (loaded !== null) return loaded;
  const koffi = loadKoffi();
  const libc = koffi.load(null);
  loaded = {
    koffi,
    socket: libc.func("int socket(int, int, int)"),
    bind: libc.func("int bind(int, void *, uint)"),
    getsockname: libc.func("int getsockname(int, void *, _Inout_ uint *)"),
    setsockopt: libc.func("int setsockopt(int, int, int, void *, uint)"),
    getsockopt: libc.func("int getsockopt(int, int, int, void *, _Inout_ uint *)"),
    mmap: libc.func("void *mmap(void *, size_t, int, int, int, int64_t)"),
    close: libc.func("int close(int)"),
  };
  return loaded;
}
