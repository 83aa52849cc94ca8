import { u16, u32 } from "../bytes/read.ts";

/** Names by kind (RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413), as tcpdump writes them. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, "eol"],
  [1, "nop"],
  [2, "mss"],
  [3, "wscale"],
  [4, "sackOK"],
  [5, "sack"],
  [8, "TS"],
  [28, "uto"],
  [29, "tcp-ao"],
  [30, "mptcp"],
  [34, "tfo"],
]);

/**
 * The options in bytes[start, end), as in `mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7`. `sackBase` is taken off the edges of SACK
 * blocks. What does not fit ends the list as `[bad opt]`.
 */
export function optionsText(bytes: Uint8Array, start: number, end: number, sackBase: number): string {
  const shown: string[] = [];
  for (let at = start; at < end; ) {
    const kind = bytes[at]!;
    const name = NAMES.get(kind) ?? `unknown-${kind}`;
    if (kind <= 1) {
      shown.push(name);
      at++;
      if (kind === 0) break;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) {
      shown.push("[bad opt]");
      break;
    }
    shown.push(name + valueText(kind, bytes, at + 2, length - 2, sackBase));
    at += length;
  }
  return shown.join(",");
}

function valueText(kind: number, bytes: Uint8Array, at: number, length: number, sackBase: number): string {
  if (kind === 2 && length === 2) return ` ${u16(bytes, at)}`;
  if (kind === 3 && length === 1) return ` ${bytes[at]}`;
  if (kind === 8 && length === 8) return ` val ${u32(bytes, at)} ecr ${u32(bytes, at + 4)}`;
  if (kind === 5 && length % 8 === 0) {
    let blocks = ` ${length / 8} `;
    for (let edge = at; edge < at + length; edge += 8) {
      blocks += `{${(u32(bytes, edge) - sackBase) >>> 0}:${(u32(bytes, edge + 4) - sackBase) >>> 0}}`;
    }
    return blocks;
  }
  return length === 0 ? "" : ` 0x${Buffer.from(bytes.subarray(at, at + length)).toString("hex")}`;
}
