import { loadKoffi } from "./libpcap-binding.ts";

/** `linux/sockios.h`. */
const SIOCGIFFLAGS = 0x8913;
/** `net/if.h`. */
const IFF_UP = 1;
/** `net/if.h`: 16 bytes of name with its NUL, then the union that holds the flags. */
const IFREQ_BYTES = 40;
const NAME_BYTES = 16;
/** `bits/socket.h`. */
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;

interface InterfaceCalls {
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly ioctl: (descriptor: number, request: number, kind: unknown, argument: Uint8Array) => number;
  readonly close: (descriptor: number) => number;
  readonly indexOf: (name: string) => number;
}

let calls: InterfaceCalls | null = null;

/** What the kernel says of an interface now; `index` 0: it does not exist. */
export interface InterfaceState {
  readonly index: number;
  readonly isUp: boolean;
}

/**
 * Looks an interface up by name, in the network namespace this process captures in (`/sys/class/net` may show another one's).
 * libpcap 1.10 says nothing when an interface goes down, so somebody must ask. Off Linux only its existence is known.
 */
export function lookupInterfaceState(name: string): InterfaceState {
  calls ??= declare();
  const index = calls.indexOf(name);
  if (index === 0 || process.platform !== "linux") return { index, isUp: index !== 0 };
  const descriptor = calls.socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (descriptor < 0) return { index, isUp: true };
  try {
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write(name, 0, NAME_BYTES - 1, "latin1");
    const status = calls.ioctl(descriptor, SIOCGIFFLAGS, "void *", request);
    return { index, isUp: status === 0 && (request.readUInt16LE(NAME_BYTES) & IFF_UP) !== 0 };
  } finally {
    calls.close(descriptor);
  }
}

function declare(): InterfaceCalls {
  const libc = loadKoffi().load(null);
  return {
    socket: libc.func("int socket(int, int, int)"),
    ioctl: libc.func("int ioctl(int, ulong, ...)"),
    close: libc.func("int close(int)"),
    indexOf: libc.func("uint if_nametoindex(str)"),
  };
}
