import { TcplatError } from "../errors.ts";
import { cText, ERROR_TEXT_BYTES, loadKoffi, loadLibpcap, type Pointer } from "./libpcap-binding.ts";

/** One line of `-D`. */
export interface CaptureInterface {
  readonly name: string;
  /** libpcap's description, "" for none. */
  readonly description: string;
  /** IPv4 and IPv6 addresses in canonical text. */
  readonly addresses: readonly string[];
}

/** Both engines say it so. */
export function interfaceDown(name: string): TcplatError {
  return new TcplatError("interface", `interface ${name} is down: ip link set ${name} up`);
}

/** More entries than any host has; a broken list must not loop for ever. */
const MAX_ENTRIES = 65536;

/** `pcap/pcap.h`, struct pcap_if. */
interface DeviceRecord {
  readonly next: Pointer;
  readonly name: string | null;
  readonly description: string | null;
  readonly addresses: Pointer;
}

/** `pcap/pcap.h`, struct pcap_addr. */
interface AddressRecord {
  readonly next: Pointer;
  readonly address: Pointer;
}

type Koffi = typeof import("koffi");

/** The interfaces libpcap can capture on, in its order. Throws TcplatError "engine" or "running". */
export function lookupInterfaces(): readonly CaptureInterface[] {
  const libpcap = loadLibpcap();
  const koffi = loadKoffi();
  const first: Pointer[] = [null];
  const errorText = Buffer.alloc(ERROR_TEXT_BYTES);
  if (libpcap.findAllDevices(first, errorText) !== 0) {
    throw new TcplatError("running", `the interfaces cannot be listed: ${cText(errorText)}`);
  }
  try {
    return readDevices(koffi, first[0] ?? null);
  } finally {
    libpcap.freeAllDevices(first[0] ?? null);
  }
}

function readDevices(koffi: Koffi, first: Pointer): CaptureInterface[] {
  const type = koffi.struct({
    next: "void *",
    name: "str",
    description: "str",
    addresses: "void *",
    flags: "uint32_t",
  });
  const devices: CaptureInterface[] = [];
  for (let at = first; at !== null && devices.length < MAX_ENTRIES; ) {
    const record: DeviceRecord = koffi.decode(at, type);
    devices.push({
      name: record.name ?? "",
      description: record.description ?? "",
      addresses: readAddresses(koffi, record.addresses),
    });
    at = record.next;
  }
  return devices;
}

function readAddresses(koffi: Koffi, first: Pointer): string[] {
  const type = koffi.struct({ next: "void *", address: "void *" });
  const addresses: string[] = [];
  for (let at = first; at !== null && addresses.length < MAX_ENTRIES; ) {
    const record: AddressRecord = koffi.decode(at, type);
    const text = record.address === null ? null : socketAddressText(koffi, record.address);
    if (text !== null) addresses.push(text);
    at = record.next;
  }
  return addresses;
}

/**
 * struct sockaddr: the family is 16 bits wide on Linux; on BSD and macOS a length comes first and the family is one byte.
 * The address follows at 4 (sockaddr_in) or 8 (sockaddr_in6). Other families (link layer) give null.
 */
function socketAddressText(koffi: Koffi, pointer: bigint): string | null {
  const [b0, b1]: number[] = koffi.decode(pointer, "uint8_t", 2);
  const family = process.platform === "linux" ? b0 : b1;
  if (family === 2) return Array.from(koffi.decode(pointer, 4, "uint8_t", 4) as Uint8Array).join(".");
  const isIpv6 = process.platform === "linux" ? family === 10 : family === 30 || family === 28;
  if (!isIpv6) return null;
  const bytes: Uint8Array = koffi.decode(pointer, 8, "uint8_t", 16);
  const words = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  // The URL parser writes IPv6 as RFC 5952 asks.
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}
