import type { Exchange } from "../protocol.ts";

const COLON = 0x3a;
/** Fields that `--details` tells, by their names in small letters: of none of them is the value a secret. */
const TOLD: ReadonlySet<string> = new Set([
  ..."host user-agent content-type content-length content-encoding transfer-encoding expect upgrade".split(" "),
  ..."server retry-after x-cache age via".split(" "),
]);
const LONGEST = Math.max(...Array.from(TOLD, (name) => name.length));

/** Tells the field bytes[start, end) if it is one of those. */
export function tellField(exchange: Exchange, bytes: Uint8Array, start: number, end: number): void {
  const colon = bytes.subarray(start, Math.min(end, start + LONGEST + 1)).indexOf(COLON);
  if (colon < 0) return;
  const name = textOf(bytes, start, start + colon).toLowerCase();
  if (TOLD.has(name)) exchange.detail(name, textOf(bytes, start + colon + 1, end).trim());
}

/** A byte a character. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
