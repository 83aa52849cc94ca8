import { TcplatError } from "../errors.ts";
import { fanoutProgram } from "./fanout-program.ts";
import { loadKoffi } from "./libpcap-binding.ts";

/** Sockets among which the kernel shares out an interface's frames, each frame to one of them. */
export interface FanoutGroup {
  /** The kernel's choice for the first that joins; null before. */
  id: number | null;
}

/** `linux/if_packet.h`. */
const SOL_PACKET = 263;
const PACKET_FANOUT = 18;
const PACKET_FANOUT_DATA = 22;
/** The member is what a program of ours says, modulo their number. */
const FANOUT_CBPF = 6;
/** The kernel chooses an id that nobody else in this network namespace has. */
const FANOUT_FLAG_UNIQUEID = 0x2000;
/** The group's own word for what `ignoreOutgoing` says of a socket; kernels before 5.9 take no notice. */
const FANOUT_FLAG_IGNORE_OUTGOING = 0x4000;

/** Joins the group with a capture's socket; the first makes it. All ignore what goes out, or none. Throws TcplatError "engine". */
export function joinFanout(descriptor: number, group: FanoutGroup, ignoresOutgoing: boolean): void {
  const koffi = loadKoffi();
  const libc = koffi.load(null);
  const program = { len: "uint16", filter: "void *" };
  const setInteger = libc.func("int setsockopt(int, int, int, const uint32_t *, uint32_t)");
  const getInteger = libc.func("int getsockopt(int, int, int, _Out_ uint32_t *, _Inout_ uint32_t *)");
  const setProgram = libc.func("setsockopt", "int", [
    "int",
    "int",
    "int",
    koffi.pointer(koffi.struct(program)),
    "uint32",
  ]);
  const isFirst = group.id === null;
  const flags = (isFirst ? FANOUT_FLAG_UNIQUEID : 0) | (ignoresOutgoing ? FANOUT_FLAG_IGNORE_OUTGOING : 0);
  const kind = FANOUT_CBPF | flags;
  const wanted = ((kind << 16) | (group.id ?? 0)) >>> 0;
  if (setInteger(descriptor, SOL_PACKET, PACKET_FANOUT, [wanted], 4) !== 0) throw refused();
  const { code, instructions } = fanoutProgram();
  const value = { len: instructions, filter: code };
  const bytes = koffi.sizeof(koffi.struct(program));
  if (setProgram(descriptor, SOL_PACKET, PACKET_FANOUT_DATA, value, bytes) !== 0) throw refused();
  if (!isFirst) return;
  const got: [number] = [0];
  if (getInteger(descriptor, SOL_PACKET, PACKET_FANOUT, got, [4]) !== 0) throw refused();
  group.id = got[0] & 0xffff;
}

function refused(): TcplatError {
  return new TcplatError("engine", "this kernel does not share out frames (PACKET_FANOUT): leave --workers out");
}
