/** Names of tables and endpoints are shorter; a longer one is cut. */
const NAME_CAPACITY = 96;

/** Bytes of whatever origin as printable ASCII; the others as `\xNN`. */
export function plainBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** A text of whatever origin likewise, at most `capacity` of its characters. */
export function plainText(text: string, capacity: number): string {
  const shown = text.length > capacity ? text.slice(0, capacity) : text;
  return /^[\x20-\x7e]*$/.test(shown) ? shown : plainBytes(Buffer.from(shown));
}

/** A name likewise, without blanks. */
export function plainName(text: string): string {
  return plainText(text, NAME_CAPACITY).replaceAll(" ", "_");
}

/** `2026-11-21 00:55:59.673375`, local time; `us` since the epoch. */
export function localTime(us: number): string {
  const date = new Date(Math.floor(us / 1e6) * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${micros(us)}`;
}

/** `2026-11-21T00:55:59.673375Z`; null of NaN. */
export function utcTime(us: number): string | null {
  if (Number.isNaN(us)) return null;
  return `${new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19)}.${micros(us)}Z`;
}

function micros(us: number): string {
  return String(us - Math.floor(us / 1e6) * 1e6).padStart(6, "0");
}
