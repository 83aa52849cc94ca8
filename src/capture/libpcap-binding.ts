import { createRequire } from "node:module";
import type { LibraryHandle } from "koffi";
import { TcplatError } from "../errors.ts";

/** The address of something C owns; null is C's NULL. */
export type Pointer = bigint | null;

/** Bytes of libpcap's error texts (`pcap/pcap.h`, PCAP_ERRBUF_SIZE). */
export const ERROR_TEXT_BYTES = 256;

/** Ask for nanoseconds (PCAP_TSTAMP_PRECISION_NANO). */
export const PRECISION_NANO = 1;

/** A filter is compiled without a netmask, as tcpdump does on `any` (PCAP_NETMASK_UNKNOWN). */
export const NETMASK_UNKNOWN = 0xffffffff;

/** A foreign function that can also run on a thread of koffi's pool, away from the event loop. */
type WithAsync<F extends (...args: never[]) => unknown> = F & {
  async(...args: [...Parameters<F>, (error: unknown, result: ReturnType<F>) => void]): void;
};

/** libpcap's functions, and the few of libc's that make its dumper write to memory. */
export interface Libpcap {
  readonly version: string;
  /** The address of `pcap_dump`, which is itself the callback of `dispatch`. */
  readonly dumpCallback: Pointer;
  readonly create: (device: string, errorText: Uint8Array) => Pointer;
  readonly openDead: (dlt: number, snaplen: number) => Pointer;
  readonly openOffline: (path: string, precision: number, errorText: Uint8Array) => Pointer;
  readonly openOfflineStream: WithAsync<(stream: Pointer, precision: number, errorText: Uint8Array) => Pointer>;
  readonly setSnaplen: (handle: Pointer, bytes: number) => number;
  readonly setPromiscuous: (handle: Pointer, on: number) => number;
  readonly setTimeout: (handle: Pointer, milliseconds: number) => number;
  readonly setBufferSize: (handle: Pointer, bytes: number) => number;
  readonly setPrecision: (handle: Pointer, precision: number) => number;
  readonly activate: (handle: Pointer) => number;
  readonly setNonblock: (handle: Pointer, on: number, errorText: Uint8Array) => number;
  /** The descriptor that becomes readable with frames; -1 for none. */
  readonly selectableDescriptor: (handle: Pointer) => number;
  readonly setDatalink: (handle: Pointer, dlt: number) => number;
  readonly datalink: (handle: Pointer) => number;
  readonly snapshot: (handle: Pointer) => number;
  readonly compile: (handle: Pointer, program: Uint8Array, filter: string, optimise: number, mask: number) => number;
  readonly setFilter: (handle: Pointer, program: Uint8Array) => number;
  readonly freeCode: (program: Uint8Array) => void;
  readonly dispatch: WithAsync<(handle: Pointer, frames: number, callback: Pointer, user: Pointer) => number>;
  readonly stats: (handle: Pointer, stats: Uint8Array) => number;
  readonly errorText: (handle: Pointer) => string;
  readonly statusText: (status: number) => string;
  readonly close: (handle: Pointer) => void;
  /** The stdio stream a capture file is read through. */
  readonly file: (handle: Pointer) => Pointer;
  readonly openDumper: (handle: Pointer, stream: Pointer) => Pointer;
  readonly flushDumper: (dumper: Pointer) => number;
  readonly dumperPosition: (dumper: Pointer) => number;
  readonly closeDumper: (dumper: Pointer) => void;
  readonly findAllDevices: (first: Pointer[], errorText: Uint8Array) => number;
  readonly freeAllDevices: (first: Pointer) => void;
  readonly openMemoryStream: (memory: Uint8Array, bytes: number, mode: string) => Pointer;
  readonly openDescriptor: (descriptor: number, mode: string) => Pointer;
  readonly rewind: (stream: Pointer) => void;
  readonly closeStream: (stream: Pointer) => number;
  readonly createPipe: (ends: Int32Array) => number;
  /** Takes a stream's lock away, which only one thread at a time uses here; null where libc has no such thing (macOS). */
  readonly setLocking: ((stream: Pointer, mode: number) => number) | null;
}

/** Debian and Ubuntu; Fedora, Alpine, Arch; with a development package; macOS. */
const LIBRARY_NAMES = ["libpcap.so.0.8", "libpcap.so.1", "libpcap.so", "libpcap.dylib"];

/** The commands that install libpcap, one for each family of systems. */
export const INSTALL_LIBPCAP = "apt install libpcap0.8, dnf install libpcap or apk add libpcap";

/** There is no libpcap: the engine `cap`, which calls it, too, is no way out. */
export class LibpcapMissing extends TcplatError {
  constructor() {
    super("engine", `libpcap is not installed (looked for ${LIBRARY_NAMES.join(", ")}): ${INSTALL_LIBPCAP}`);
  }
}

/** The engine's calls have no binary here: npm was told to leave out optional packages, or has none for this platform. */
export class KoffiMissing extends TcplatError {
  constructor(reason: string) {
    super("engine", `koffi does not load here (${reason}): install tcplat again with --include=optional`);
  }
}

let loaded: Libpcap | null = null;

/**
 * The system's libpcap, loaded at the first call. Throws TcplatError "engine" when koffi has no binary for this platform,
 * no libpcap is installed, or it is older than 1.5 (nanoseconds).
 */
export function loadLibpcap(): Libpcap {
  loaded ??= bind(loadKoffi());
  return loaded;
}

/** The system's libpcap, or null where nothing has called for it: loading takes 15 ms. */
export function usedLibpcap(): Libpcap | null {
  return loaded;
}

/** The module koffi; required late, so that without it `--engine cap` still works. Throws TcplatError "engine". */
export function loadKoffi(): typeof import("koffi") {
  try {
    return createRequire(import.meta.url)("koffi");
  } catch (error) {
    throw new KoffiMissing(firstLine(error));
  }
}

function bind(koffi: typeof import("koffi")): Libpcap {
  const library = openLibrary(koffi);
  try {
    return declare(library, koffi.load(null));
  } catch (error) {
    throw new TcplatError(
      "engine",
      `this libpcap lacks a function tcplat calls (${firstLine(error)}): install libpcap 1.5 or newer`,
    );
  }
}

function openLibrary(koffi: typeof import("koffi")): LibraryHandle {
  for (const name of LIBRARY_NAMES) {
    try {
      return koffi.load(name);
    } catch {
      // The next name may be this system's.
    }
  }
  throw new LibpcapMissing();
}

function declare(pcap: LibraryHandle, libc: LibraryHandle): Libpcap {
  return {
    version: pcap.func("str pcap_lib_version()")(),
    dumpCallback: pcap.symbol("pcap_dump"),
    create: pcap.func("void *pcap_create(str, void *)"),
    openDead: pcap.func("void *pcap_open_dead(int, int)"),
    openOffline: pcap.func("void *pcap_open_offline_with_tstamp_precision(str, uint, void *)"),
    openOfflineStream: pcap.func("void *pcap_fopen_offline_with_tstamp_precision(void *, uint, void *)"),
    setSnaplen: pcap.func("int pcap_set_snaplen(void *, int)"),
    setPromiscuous: pcap.func("int pcap_set_promisc(void *, int)"),
    setTimeout: pcap.func("int pcap_set_timeout(void *, int)"),
    setBufferSize: pcap.func("int pcap_set_buffer_size(void *, int)"),
    setPrecision: pcap.func("int pcap_set_tstamp_precision(void *, int)"),
    activate: pcap.func("int pcap_activate(void *)"),
    setNonblock: pcap.func("int pcap_setnonblock(void *, int, void *)"),
    selectableDescriptor: pcap.func("int pcap_get_selectable_fd(void *)"),
    setDatalink: pcap.func("int pcap_set_datalink(void *, int)"),
    datalink: pcap.func("int pcap_datalink(void *)"),
    snapshot: pcap.func("int pcap_snapshot(void *)"),
    compile: pcap.func("int pcap_compile(void *, void *, str, int, uint32_t)"),
    setFilter: pcap.func("int pcap_setfilter(void *, void *)"),
    freeCode: pcap.func("void pcap_freecode(void *)"),
    dispatch: pcap.func("int pcap_dispatch(void *, int, void *, void *)"),
    stats: pcap.func("int pcap_stats(void *, void *)"),
    errorText: pcap.func("str pcap_geterr(void *)"),
    statusText: pcap.func("str pcap_statustostr(int)"),
    close: pcap.func("void pcap_close(void *)"),
    file: pcap.func("void *pcap_file(void *)"),
    openDumper: pcap.func("void *pcap_dump_fopen(void *, void *)"),
    flushDumper: pcap.func("int pcap_dump_flush(void *)"),
    dumperPosition: pcap.func("long pcap_dump_ftell(void *)"),
    closeDumper: pcap.func("void pcap_dump_close(void *)"),
    findAllDevices: pcap.func("int pcap_findalldevs(_Out_ void **, void *)"),
    freeAllDevices: pcap.func("void pcap_freealldevs(void *)"),
    openMemoryStream: libc.func("void *fmemopen(void *, size_t, str)"),
    openDescriptor: libc.func("void *fdopen(int, str)"),
    rewind: libc.func("void rewind(void *)"),
    closeStream: libc.func("int fclose(void *)"),
    createPipe: libc.func("int pipe(void *)"),
    setLocking: optional(libc, "int __fsetlocking(void *, int)"),
  };
}

function optional(library: LibraryHandle, definition: string): ((stream: Pointer, mode: number) => number) | null {
  try {
    return library.func(definition);
  } catch {
    return null;
  }
}

/** The text C left in an error buffer, up to its NUL. */
export function cText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString("utf8");
}

/** The first line of whatever was thrown. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
