import { TcplatError } from "../errors.ts";
import type { FrameSource } from "./frame-source.ts";
import { firstLine, type Libpcap, LibpcapMissing, loadLibpcap, usedLibpcap } from "./libpcap-binding.ts";
import { isRegularFile, openPumped, openRegularFile } from "./libpcap-file.ts";
import type { LiveOptions } from "./live-options.ts";
import { LiveSource } from "./live-source.ts";
import { openPcapFile } from "./pcap-file.ts";
import { StreamPump } from "./stream-pump.ts";
import { openInput } from "./waiting-input.ts";

/** What reading a capture file needs to know. */
export interface FileOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  /** A libpcap filter, "" for none. */
  readonly filter: string;
}

/** Starts a live capture through the system's libpcap. Throws TcplatError. */
export function openLive(options: LiveOptions): LiveSource {
  return new LiveSource(
    libpcapOr((error) => (error instanceof LibpcapMissing ? "" : "; or use --engine cap")),
    options,
  );
}

/**
 * Opens a pcap or pcapng file of any byte order and precision. A promise, since standard input or a named pipe may keep its
 * header waiting. Rejects with TcplatError "file", "filter" or "engine".
 */
export async function openFile(options: FileOptions): Promise<FrameSource> {
  const { file, filter } = options;
  const isRegular = file !== "-" && isRegularFile(file);
  const plain = isRegular && filter === "" ? openPcapFile(file) : null;
  if (plain !== null) return plain;
  const libpcap = libpcapOr(() => "; a plain pcap file is read without it where no filter is given");
  if (isRegular) return openRegularFile(libpcap, file, filter);
  const name = file === "-" ? "standard input" : file;
  let pump: StreamPump;
  try {
    pump = new StreamPump(libpcap, await openInput(file));
  } catch (error) {
    throw new TcplatError("file", `${name}: ${firstLine(error)}`);
  }
  return await openPumped(libpcap, name, filter, pump);
}

/** libpcap; where it cannot be had the error ends with what `otherwise` says of going without. */
function libpcapOr(otherwise: (error: TcplatError) => string): Libpcap {
  try {
    return loadLibpcap();
  } catch (error) {
    if (!(error instanceof TcplatError)) throw error;
    throw new TcplatError(error.code, `${error.message}${otherwise(error)}`);
  }
}

/** As `libpcapVersion`, or "" as long as nothing has needed libpcap. */
export function usedLibpcapVersion(): string {
  return usedLibpcap()?.version ?? "";
}

/** libpcap's own line about itself, e.g. "libpcap version 1.10.3 (with TPACKET_V3)". Throws TcplatError "engine". */
export function libpcapVersion(): string {
  return loadLibpcap().version;
}
