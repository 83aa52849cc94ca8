import { loadKoffi } from "./libpcap-binding.ts";

/** `linux/sockios.h`. */
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFINDEX = 0x8933;
/** `net/if.h`. */
const IFF_UP = 1;
/** `net/if.h`: 16 bytes of name with its NUL, then the union that holds the flags, or the index. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
/** `bits/socket.h`. */
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;

interface InterfaceCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly ioctl: (descriptor: number, request: number, kind: unknown, argument: Uint8Array) => number;
  readonly indexOf: (name: string) => number;
}

let calls: InterfaceCalls | null = null;
/** The socket by which the kernel is asked, kept: an interface is there also while no descriptor is left for another. */
let descriptor = -1;

/** What the kernel says of an interface now; `index` 0: it does not exist. */
export interface InterfaceState {
  readonly index: number;
  readonly isUp: boolean;
}

/**
 * Looks an interface up by name (`netdevice(7)`), in the network namespace this process captures in (`/sys/class/net` may show another
 * one's). libpcap 1.10 says nothing when an interface goes down, so somebody must ask. Off Linux only its existence is known.
 */
export function lookupInterfaceState(name: string): InterfaceState {
  calls ??= declare();
  if (process.platform !== "linux") {
    const index = calls.indexOf(name);
    return { index, isUp: index !== 0 };
  }
  if (descriptor < 0) descriptor = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  const index = ask(calls, name, SIOCGIFINDEX)?.readInt32LE(NAME_BYTES) ?? 0;
  const flags = ask(calls, name, SIOCGIFFLAGS)?.readUInt16LE(NAME_BYTES) ?? 0;
  return { index, isUp: (flags & IFF_UP) !== 0 };
}

/** A `struct ifreq` as the kernel fills it in, or null where it knows no such interface. */
function ask({ ioctl }: InterfaceCalls, name: string, request: number): Buffer | null {
  const argument = Buffer.alloc(IFREQ_BYTES);
  argument.write(name, 0, NAME_BYTES - 1, "latin1");
  return ioctl(descriptor, request, "void *", argument) === 0 ? argument : null;
}

function declare(): InterfaceCalls {
  const libc = loadKoffi().load(null);
  return {
    socket: libc.func("int socket(int, int, int)"),
    ioctl: libc.func("int ioctl(int, ulong, ...)"),
    indexOf: libc.func("uint if_nametoindex(str)"),
  };
}
