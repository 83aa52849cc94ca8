import { INSTRUCTION_BYTES, instructionsOf } from "./filter.ts";
import type { Libpcap } from "./libpcap-binding.ts";

// A filter for a socket of our own: libpcap compiles it, the kernel runs it (linux/filter.h, linux/bpf_common.h).

/** Places of what the kernel knows of a frame besides its bytes: SKF_AD_OFF and what is added to it. */
const PROTOCOL_AT = 0xfffff000;
const PACKET_TYPE_AT = 0xfffff004;
const INTERFACE_AT = 0xfffff008;

const PACKET_OUTGOING = 4;

const LD = 0;
const LDX = 1;
const IMMEDIATE = 0x00;
const ABSOLUTE = 0x20;
const INDIRECT = 0x40;
const MEMORY = 0x60;
const HEADER_LENGTH = 0xa0;

const LOAD_WORD = LD | ABSOLUTE;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** LINKTYPE_LINUX_SLL2's header: protocol 2, reserved 2, interface 4, ARPHRD 2, packet type 1, address length 1, address 8. */
export const LINUX_SLL2 = 276;
const SLL2_BYTES = 20;

/**
 * The program for frames of this link type, or null where a socket cannot say what the filter does: libpcap must capture then, and has
 * the words for what is wrong. With SLL2 the socket's frames begin with the network header. `loopback`: the index of the
 * interface whose outgoing frames are left out, since each comes in again; 0 for none.
 */
export function kernelFilter(
  libpcap: Libpcap,
  { filter, linkType, snaplen }: { filter: string; linkType: number; snaplen: number },
  loopback: number,
): Buffer | null {
  // Behind a tag the kernel took off, only libpcap's own capture can look.
  if (/\bvlan\b/.test(filter)) return null;
  const compiled = compile(libpcap, filter, linkType, snaplen);
  if (compiled === null || (linkType === LINUX_SLL2 && !isUncooked(compiled))) return null;
  if (loopback === 0) return compiled;
  return Buffer.concat([
    instruction(LOAD_WORD, 0, 0, PACKET_TYPE_AT),
    instruction(JUMP_IF_EQUAL, 0, 3, PACKET_OUTGOING),
    instruction(LOAD_WORD, 0, 0, INTERFACE_AT),
    instruction(JUMP_IF_EQUAL, 0, 1, loopback),
    instruction(RETURN, 0, 0, 0),
    compiled,
  ]);
}

function compile(libpcap: Libpcap, filter: string, linkType: number, snaplen: number): Buffer | null {
  const handle = libpcap.openDead(linkType, snaplen);
  try {
    return instructionsOf(libpcap, handle, filter);
  } catch {
    return null;
  } finally {
    libpcap.close(handle);
  }
}

/** Rewrites a program for cooked frames to one for what is behind their header, in place; false where it cannot be. */
function isUncooked(program: Buffer): boolean {
  for (let at = 0; at < program.length; at += INSTRUCTION_BYTES) {
    const k = uncookedPlace(program.readUInt16LE(at), program.readUInt32LE(at + 4));
    if (k === null) return false;
    program.writeUInt32LE(k, at + 4);
  }
  return true;
}

function uncookedPlace(code: number, k: number): number | null {
  const kind = code & 7;
  if (kind !== LD && kind !== LDX) return k;
  const mode = code & 0xe0;
  if (mode === IMMEDIATE || mode === MEMORY) return k;
  // What is left takes the frame's length, which is another one now.
  if (mode !== ABSOLUTE && mode !== INDIRECT && mode !== HEADER_LENGTH) return null;
  if (k >= PROTOCOL_AT) return k;
  if (k >= SLL2_BYTES) return k - SLL2_BYTES;
  if (mode !== ABSOLUTE) return null;
  if (k === 0) return PROTOCOL_AT;
  if (k === 4) return INTERFACE_AT;
  return k === 10 ? PACKET_TYPE_AT : null;
}

function instruction(code: number, ifTrue: number, ifFalse: number, k: number): Buffer {
  const bytes = Buffer.alloc(INSTRUCTION_BYTES);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(k, 4);
  return bytes;
}
