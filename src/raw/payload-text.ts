/** Bytes of a row, two to a group. */
const ROW_BYTES = 16;
/** How wide the groups of a whole row are, with what parts them. */
const GROUPS_WIDTH = 40;

const DOT = ".";
const LF = 0x0a;
const CR = 0x0d;

/** `-X`: rows of tcpdump's, each with its place in the packet, its bytes in hexadecimal and as ASCII. */
export function hexText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const row = bytes.subarray(at, at + ROW_BYTES);
    const hex = Buffer.from(row).toString("hex");
    const groups = hex.replace(/.{4}(?=.)/g, "$& ");
    text += `\t0x${at.toString(16).padStart(4, "0")}:  ${groups.padEnd(GROUPS_WIDTH)} ${printable(row, DOT)}\n`;
  }
  return text;
}

/**
 * `-A`: the bytes as ASCII, broken where they break a line, each behind a tab: no payload can pose as the line of a packet. What is not
 * printable is a dot.
 */
export function asciiText(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LF, start);
    const next = feed < 0 ? bytes.length : feed + 1;
    let end = feed < 0 ? bytes.length : feed;
    if (end > start && feed >= 0 && bytes[end - 1] === CR) end--;
    text += `\t${printable(bytes.subarray(start, end), " ")}\n`;
    start = next;
  }
  return text;
}

/** `blank`: what a blank is shown as; in rows tcpdump makes a dot of it. */
function printable(bytes: Uint8Array, blank: string): string {
  let text = "";
  for (const byte of bytes)
    text += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : byte === 0x20 ? blank : DOT;
  return text;
}
