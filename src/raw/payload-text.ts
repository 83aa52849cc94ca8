/** Bytes of a row, two to a group. */
const ROW_BYTES = 16;
/** How wide the groups of a whole row are, with what parts them. */
const GROUPS_WIDTH = 40;

/** With its place, of eight digits at most. */
const MAX_ROW_WIDTH = "\t0x12345678:  ".length + GROUPS_WIDTH + 1 + ROW_BYTES + 1;

const HEX = Buffer.from("0123456789abcdef");
const BLANK = 0x20;
const DOT = 0x2e;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

/** `-X`: rows of tcpdump's, each with its place in the packet, its bytes in hexadecimal and as ASCII. */
export function hexText(bytes: Uint8Array): string {
  const text = Buffer.allocUnsafe(Math.ceil(bytes.length / ROW_BYTES) * MAX_ROW_WIDTH);
  let to = 0;
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    to += text.write(`\t0x${at.toString(16).padStart(4, "0")}:  `, to, "latin1");
    to = putRow(text, to, bytes, at, Math.min(at + ROW_BYTES, bytes.length));
  }
  return text.toString("latin1", 0, to);
}

/** Byte by byte: of a capture with whole frames this is nearly all that is printed. Returns where the row ends. */
function putRow(text: Uint8Array, from: number, bytes: Uint8Array, start: number, end: number): number {
  const ascii = from + GROUPS_WIDTH + 1;
  text.fill(BLANK, from, ascii);
  let to = from;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    text[to++] = HEX[byte >>> 4]!;
    text[to++] = HEX[byte & 15]!;
    if ((i - start) % 2 === 1) to++;
    // A blank is a dot here, as tcpdump has it.
    text[ascii + i - start] = byte > BLANK && byte < 0x7f ? byte : DOT;
  }
  text[ascii + end - start] = LF;
  return ascii + end - start + 1;
}

/**
 * `-A`: the bytes as ASCII, broken where they break a line, each behind a tab: no payload can pose as the line of a packet. What is not
 * printable is a dot. Byte by byte into memory of its own: a text that grows by a letter costs six times as much, most of it garbage.
 */
export function asciiText(bytes: Uint8Array): string {
  // Most of all for nothing but line ends: a tab and an end for each. The last row may have none of its own.
  const text = Buffer.allocUnsafe(2 * bytes.length + 2);
  let to = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LF, start);
    const next = feed < 0 ? bytes.length : feed + 1;
    let end = feed < 0 ? bytes.length : feed;
    if (end > start && feed >= 0 && bytes[end - 1] === CR) end--;
    text[to++] = TAB;
    for (let i = start; i < end; i++) text[to++] = printable(bytes[i]!);
    text[to++] = LF;
    start = next;
  }
  return text.toString("latin1", 0, to);
}

function printable(byte: number): number {
  return byte >= BLANK && byte < 0x7f ? byte : DOT;
}
