import { existsSync } from "node:fs";
import { TcplatError } from "../errors.ts";
import { type Libpcap, loadKoffi, loadLibpcap, NETMASK_UNKNOWN, type Pointer } from "./libpcap-binding.ts";

/** `struct bpf_program`: a count and a pointer, on 32- and 64-bit hosts. */
const PROGRAM_BYTES = 16;
/** One instruction (linux/filter.h): code u16, jump if true u8, jump if false u8, operand k u32. */
export const INSTRUCTION_BYTES = 8;

const DLT_ETHERNET = 1;

/**
 * A filter that also matches VLAN-tagged frames, 802.1Q and QinQ; "" stays "". The second `vlan` looks behind the first
 * one's tag (`pcap-filter(7)`, "vlan").
 */
export function widenToVlan(filter: string): string {
  return filter.trim() === "" ? filter : `(${filter}) or (vlan and (${filter})) or (vlan and (${filter}))`;
}

/** Checks a filter before anything is opened, as for Ethernet. Throws TcplatError "filter" in libpcap's own words. */
export function compileFilter(filter: string): void {
  const libpcap = loadLibpcap();
  const handle = libpcap.openDead(DLT_ETHERNET, 65535);
  try {
    withProgram(libpcap, handle, filter, () => {});
  } finally {
    libpcap.close(handle);
  }
}

/** Compiles a filter for this handle's link type and sets it; "" sets none. Throws TcplatError "filter". */
export function applyFilter(libpcap: Libpcap, handle: Pointer, filter: string): void {
  if (filter.trim() === "") return;
  withProgram(libpcap, handle, filter, (program) => {
    if (libpcap.setFilter(handle, program) !== 0) throw filterError(libpcap, handle, filter);
  });
}

/** The instructions of a filter for this handle's link type, 8 bytes each. Throws TcplatError "filter". */
export function instructionsOf(libpcap: Libpcap, handle: Pointer, filter: string): Buffer {
  let instructions = Buffer.alloc(0);
  withProgram(libpcap, handle, filter, (program) => {
    const bytes = program.readUInt32LE(0) * INSTRUCTION_BYTES;
    instructions = Buffer.from(new Uint8Array(loadKoffi().view(program.readBigUInt64LE(8), bytes)));
  });
  return instructions;
}

/** Sets a filter of our own making, where libpcap knows all that it says. */
export function isFilterSet(libpcap: Libpcap, handle: Pointer, filter: string): boolean {
  try {
    applyFilter(libpcap, handle, filter);
    return true;
  } catch {
    return false;
  }
}

function withProgram(libpcap: Libpcap, handle: Pointer, filter: string, use: (program: Buffer) => void): void {
  const program = Buffer.alloc(PROGRAM_BYTES);
  if (filter.includes("\0") || libpcap.compile(handle, program, filter, 1, NETMASK_UNKNOWN) !== 0) {
    throw filterError(libpcap, handle, filter);
  }
  try {
    use(program);
  } finally {
    libpcap.freeCode(program);
  }
}

function filterError(libpcap: Libpcap, handle: Pointer, filter: string): TcplatError {
  const reason = filter.includes("\0") ? "a NUL byte" : libpcap.errorText(handle);
  const file = filter.split(/ +/).find((word) => word !== "" && !word.includes("\0") && existsSync(word));
  const hint = file === undefined ? "" : ` (${JSON.stringify(file)} is a file: -r reads it)`;
  return new TcplatError("filter", `the filter ${JSON.stringify(filter)} is wrong: ${reason}${hint}`);
}
