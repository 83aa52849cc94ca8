/** Classic BPF, by class, size and mode (`linux/bpf_common.h`). X + k is where an indexed load reads. */
const LOAD_WORD = 0x40;
const LOAD_HALF = 0x48;
const LOAD_BYTE = 0x50;
const LOAD_HALF_AT = 0x28;
const LOAD_A = 0x60;
const LOAD_X = 0x61;
const SET_X = 0x01;
const STORE_A = 0x02;
const STORE_X = 0x03;
const ADD_X = 0x0c;
const MULTIPLY = 0x24;
const AND = 0x54;
const SHIFT_LEFT = 0x64;
const SHIFT_RIGHT = 0x74;
const XOR_X = 0xac;
const A_TO_X = 0x07;
const IF_EQUAL = 0x15;
const IF_ANY = 0x45;
const RETURN = 0x06;
const RETURN_A = 0x16;

/** `linux/filter.h`, SKF_NET_OFF: offsets from here on count from the network header, wherever the frame begins. */
const NETWORK = -0x100000;
/** SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType, behind the tag that the kernel has taken off. */
const PROTOCOL = -0x1000;
const TCP = 6;
const UDP = 17;
const INSTRUCTION_BYTES = 8;
const [ADDRESSES, BASE, PORTS] = [0, 1, 2];

/** A label, or an instruction: for jumps, where it goes on when the condition holds, and when not; "" is the next line. */
type Line = string | readonly [code: number, k: number, then?: string, otherwise?: string];

/**
 * Which member of a group a frame is for: a hash of both addresses and both ports that is the same in both directions. (The kernel's
 * own flow hash, PACKET_FANOUT_HASH, may come from the network card, and then need not be.) Whatever is no whole TCP segment or UDP datagram
 * goes to the first member. Multiplied, and its upper half taken: the ports of a loopback's clients are often all even.
 */
const PROGRAM: readonly Line[] = [
  [LOAD_HALF_AT, PROTOCOL],
  [SET_X, NETWORK],
  [IF_EQUAL, 0x8100, "tagged", ""],
  [IF_EQUAL, 0x88a8, "tagged", "version"],
  // A second tag (QinQ) is still there: the packet begins behind it.
  "tagged",
  [SET_X, NETWORK + 4],
  "version",
  [STORE_X, BASE],
  [LOAD_BYTE, 0],
  [AND, 0xf0],
  [IF_EQUAL, 0x60, "ipv6", ""],
  [IF_EQUAL, 0x40, "", "first"],
  // RFC 791 §3.1: protocol at 9, fragment bits and offset at 6, source at 12, destination at 16.
  [LOAD_BYTE, 9],
  [IF_EQUAL, TCP, "whole", ""],
  [IF_EQUAL, UDP, "", "first"],
  "whole",
  [LOAD_HALF, 6],
  [IF_ANY, 0x3fff, "first", ""],
  [LOAD_WORD, 12],
  [STORE_A, ADDRESSES],
  [LOAD_WORD, 16],
  [LOAD_X, ADDRESSES],
  [XOR_X, 0],
  [STORE_A, ADDRESSES],
  [LOAD_X, BASE],
  [LOAD_BYTE, 0],
  [AND, 0x0f],
  [SHIFT_LEFT, 2],
  [ADD_X, 0],
  [A_TO_X, 0],
  [IF_EQUAL, 0, "ports", "ports"],
  // RFC 8200 §3: next header at 6; the last words of the source are at 20, of the destination at 36.
  "ipv6",
  [LOAD_BYTE, 6],
  [IF_EQUAL, TCP, "words", ""],
  [IF_EQUAL, UDP, "", "first"],
  "words",
  [LOAD_WORD, 20],
  [STORE_A, ADDRESSES],
  [LOAD_WORD, 36],
  [LOAD_X, ADDRESSES],
  [XOR_X, 0],
  [STORE_A, ADDRESSES],
  [LOAD_A, BASE],
  [SET_X, 40],
  [ADD_X, 0],
  [A_TO_X, 0],
  // RFC 9293 §3.1, RFC 768: source port at 0, destination port at 2.
  "ports",
  [LOAD_HALF, 0],
  [STORE_A, PORTS],
  [LOAD_HALF, 2],
  [LOAD_X, PORTS],
  [XOR_X, 0],
  [STORE_A, PORTS],
  [LOAD_A, ADDRESSES],
  [MULTIPLY, 0x9e3779b1],
  [LOAD_X, PORTS],
  [XOR_X, 0],
  [MULTIPLY, 0x7feb352d],
  [SHIFT_RIGHT, 16],
  [RETURN_A, 0],
  "first",
  [RETURN, 0],
];

/** The program as the kernel wants it (`struct sock_filter`: code u16, jump if true u8, if false u8, k u32), and its length. */
export function fanoutProgram(): { readonly code: Buffer; readonly instructions: number } {
  const labels = new Map<string, number>();
  const lines: Exclude<Line, string>[] = [];
  for (const line of PROGRAM) {
    if (typeof line === "string") labels.set(line, lines.length);
    else lines.push(line);
  }
  const code = Buffer.alloc(lines.length * INSTRUCTION_BYTES);
  lines.forEach(([operation, k, then = "", otherwise = ""], index) => {
    const at = index * INSTRUCTION_BYTES;
    const jump = (label: string) => (label === "" ? 0 : labels.get(label)! - index - 1);
    code.writeUInt16LE(operation, at);
    code.writeUInt8(jump(then), at + 2);
    code.writeUInt8(jump(otherwise), at + 3);
    code.writeUInt32LE(k >>> 0, at + 4);
  });
  return { code, instructions: lines.length };
}
