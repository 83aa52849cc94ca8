import type { LibraryHandle } from "koffi";
import { loadKoffi } from "../../src/capture/libpcap-binding.ts";

/** `linux/if_packet.h`, `linux/if_ether.h`, `bits/socket.h`. */
const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 0o2000003;
const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const MSG_DONTWAIT = 0x40;
const SOCKADDR_LL_BYTES = 20;
const FRAME_CAPACITY = 65536;

/** Whole Ethernet frames of one interface (packet(7)): those that come in are told, others can be sent out. */
export class PacketSocket {
  readonly #descriptor: number;
  readonly #receive: ReturnType<LibraryHandle["func"]>;
  readonly #send: ReturnType<LibraryHandle["func"]>;
  readonly #frame = Buffer.alloc(FRAME_CAPACITY);
  /** Frames the interface would not take. */
  refused = 0;

  constructor(device: string) {
    const libc = loadKoffi().load(null);
    this.#receive = libc.func("long recv(int, void *, size_t, int)");
    this.#send = libc.func("long send(int, void *, size_t, int)");
    const protocol = ((ETH_P_ALL << 8) | (ETH_P_ALL >> 8)) & 0xffff;
    this.#descriptor = libc.func("int socket(int, int, int)")(AF_PACKET, SOCK_RAW_CLOEXEC, protocol);
    const index: number = libc.func("uint if_nametoindex(str)")(device);
    if (this.#descriptor < 0 || index === 0) throw new Error(`no packet socket on ${device}`);
    // Else what one end sends comes back in as something new.
    const on = Buffer.from([1, 0, 0, 0]);
    const setOption = libc.func("int setsockopt(int, int, int, void *, uint)");
    const isDeaf = setOption(this.#descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, on, 4) === 0;
    const address = Buffer.alloc(SOCKADDR_LL_BYTES);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16LE(protocol, 2);
    address.writeInt32LE(index, 4);
    const bind = libc.func("int bind(int, void *, uint)");
    if (!isDeaf || bind(this.#descriptor, address, address.length) !== 0) throw new Error(`no bind to ${device}`);
  }

  /** Tells every frame from here on; the bytes are reused. */
  onFrame(take: (frame: Buffer) => void): void {
    const wait = () =>
      this.#receive.async(this.#descriptor, this.#frame, FRAME_CAPACITY, 0, (_error: unknown, length: number) => {
        // Whatever has come meanwhile, without a thread's round trip each.
        for (let bytes = length; bytes > 0; bytes = this.#receiveNow()) take(this.#frame.subarray(0, bytes));
        wait();
      });
    wait();
  }

  send(frame: Uint8Array): void {
    if (this.#send(this.#descriptor, frame, frame.length, 0) !== frame.length) this.refused++;
  }

  #receiveNow(): number {
    return this.#receive(this.#descriptor, this.#frame, FRAME_CAPACITY, MSG_DONTWAIT);
  }
}
