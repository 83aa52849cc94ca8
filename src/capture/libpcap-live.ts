import { TcplatError } from "../errors.ts";
import { joinFanout } from "./fanout.ts";
import { applyFilter, isFilterSet } from "./filter.ts";
import { interfaceDown, lookupInterfaces } from "./interfaces.ts";
import { cText, ERROR_TEXT_BYTES, type Libpcap, type Pointer, PRECISION_NANO } from "./libpcap-binding.ts";
import { BLOCK_TIMEOUT_MS, capturedBytes, type LiveOptions } from "./live-options.ts";
import { ignoreOutgoing, isLoopback, withoutOutgoing } from "./outgoing.ts";
import { permissionSentence } from "./permission.ts";

/** A handle that captures, and what libpcap warned of when it began ("" for nothing). */
export interface ActiveHandle {
  readonly handle: Pointer;
  readonly warning: string;
}

/** LINKTYPE_LINUX_SLL2: unlike SLL it tells which interface a frame of `any` came from. DLT and LINKTYPE agree. */
const DLT_LINUX_SLL2 = 276;
const MAX_BUFFER_BYTES = 0x7fffffff;

/** Negative statuses of `pcap_activate` (`pcap/pcap.h`). */
const STATUS = { error: -1, noSuchDevice: -5, permissionDenied: -8, notUp: -9, promiscuousDenied: -11 } as const;

/**
 * Opens and starts a capture. Throws TcplatError: "interface" (none such, or down), "permission", "filter", "engine".
 */
export function activate(libpcap: Libpcap, options: LiveOptions): ActiveHandle {
  const errorText = Buffer.alloc(ERROR_TEXT_BYTES);
  if (options.interface.includes("\0")) throw noSuchInterface(options.interface);
  const handle = libpcap.create(options.interface, errorText);
  if (handle === null) throw new TcplatError("interface", `${options.interface}: ${cText(errorText)}`);
  try {
    configure(libpcap, handle, options);
    const status = libpcap.activate(handle);
    if (status < 0) throw activationError(libpcap, handle, status, options);
    const warning = status > 0 ? warningText(libpcap, handle, status) : "";
    if (libpcap.setNonblock(handle, 1, errorText) !== 0) throw new TcplatError("engine", cText(errorText));
    // Before the filter is compiled: its offsets depend on the link type.
    if (options.interface === "any") libpcap.setDatalink(handle, DLT_LINUX_SLL2);
    setFilter(libpcap, handle, options);
    const descriptor = libpcap.selectableDescriptor(handle);
    const isCopied = isLoopback(options.interface);
    if (isCopied) ignoreOutgoing(descriptor);
    if (options.fanout) joinFanout(descriptor, options.fanout, isCopied);
    return { handle, warning };
  } catch (error) {
    libpcap.close(handle);
    throw error;
  }
}

/** On `any` without the loopback's second copies, where this libpcap can say so. */
function setFilter(libpcap: Libpcap, handle: Pointer, { interface: name, filter }: LiveOptions): void {
  const narrower = name === "any" ? withoutOutgoing(filter) : null;
  if (narrower === null || !isFilterSet(libpcap, handle, narrower)) applyFilter(libpcap, handle, filter);
}

function configure(libpcap: Libpcap, handle: Pointer, options: LiveOptions): void {
  libpcap.setSnaplen(handle, capturedBytes(options));
  // As tcpdump: a mirror port's frames are for others. `any` cannot, and libpcap would only warn.
  libpcap.setPromiscuous(handle, options.interface === "any" ? 0 : 1);
  // Not immediate: only so does the kernel pack frames tightly (TPACKET_V3) and wake us once for many.
  libpcap.setTimeout(handle, BLOCK_TIMEOUT_MS);
  libpcap.setBufferSize(handle, Math.min(options.bufferKib * 1024, MAX_BUFFER_BYTES));
  libpcap.setPrecision(handle, PRECISION_NANO);
}

function warningText(libpcap: Libpcap, handle: Pointer, status: number): string {
  return libpcap.errorText(handle) || libpcap.statusText(status);
}

function activationError(libpcap: Libpcap, handle: Pointer, status: number, options: LiveOptions): TcplatError {
  const name = options.interface;
  const reason = libpcap.errorText(handle) || libpcap.statusText(status);
  switch (status) {
    case STATUS.permissionDenied:
    case STATUS.promiscuousDenied:
      return new TcplatError("permission", permissionSentence(name));
    case STATUS.noSuchDevice:
      return noSuchInterface(name);
    case STATUS.notUp:
      return interfaceDown(name);
    default:
      if (/memory/i.test(reason)) {
        return new TcplatError(
          "engine",
          `no ${options.bufferKib} KiB of kernel buffer (${reason}): ask for less with -B`,
        );
      }
      return new TcplatError("engine", `no capture on ${name}: ${reason}`);
  }
}

function noSuchInterface(name: string): TcplatError {
  return new TcplatError("interface", `there is no interface ${JSON.stringify(name)}: ${existing()}`);
}

function existing(): string {
  try {
    return `choose one of ${lookupInterfaces()
      .map((device) => device.name)
      .join(", ")}`;
  } catch {
    return "-D lists what there is";
  }
}
