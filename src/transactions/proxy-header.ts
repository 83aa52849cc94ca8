import { u16 } from "../bytes/read.ts";

const FIRST = new TextEncoder().encode("PROXY ");
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
/** The longest line of version 1, its end included. */
const MAX_LINE = 107;
/** `*1 $4 PING` with its line ends; HTTP's shortest has 18. */
const LEAST_REQUEST = 14;
const FIXED_BYTES = 16;
const VERSION_2 = 2;
const CR = 0x0d;
const LF = 0x0a;

/** There is a header, whose end was not captured. */
export const UNSEEN_END = -1;

/**
 * How many of bytes[start, end), a client's first, and of the `cut` bytes behind them that were not captured, are the header in which a
 * proxy says whom the connection is for; 0 where there is none. It is sent at once, so that what is not here whole is none (HAProxy's
 * `proxy-protocol.txt`, §2):
 *
 *     version 1   "PROXY " ("TCP4" | "TCP6" | "UNKNOWN") … CRLF
 *     version 2   12 bytes of signature, version and command u8, family u8, length u16, so many bytes
 */
export function proxyHeaderBytes(bytes: Uint8Array, start: number, end: number, cut: number): number {
  if (beginsWith(FIRST, bytes, start, end)) {
    const limit = Math.min(end, start + MAX_LINE);
    for (let i = start + FIRST.length; i < limit; i++)
      if (bytes[i] === LF) return bytes[i - 1] === CR ? i + 1 - start : 0;
    return cut === 0 || limit - start === MAX_LINE ? 0 : endUnseen(end - start, cut);
  }
  if (end - start < FIXED_BYTES || !beginsWith(SIGNATURE, bytes, start, end)) return 0;
  if (bytes[start + 12]! >> 4 !== VERSION_2) return 0;
  const length = FIXED_BYTES + u16(bytes, start + 14);
  if (length <= end - start || length === end - start + cut) return length;
  return length < end - start + cut ? UNSEEN_END : 0;
}

/** Of a line of which only `seen` bytes are here: what is cut is its end where it is too short for a request behind it. */
function endUnseen(seen: number, cut: number): number {
  return cut < LEAST_REQUEST ? seen + cut : UNSEEN_END;
}

function beginsWith(beginning: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < beginning.length) return false;
  for (let i = 0; i < beginning.length; i++) if (bytes[start + i] !== beginning[i]) return false;
  return true;
}
