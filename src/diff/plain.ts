import { plainBytes } from "../outputs/plain-text.ts";

/** Names of tables and endpoints are shorter; a longer one is cut. */
const NAME_CAPACITY = 96;

/** A text of whatever origin as printable ASCII, at most `capacity` of its characters. */
export function plainText(text: string, capacity: number): string {
  const shown = text.length > capacity ? text.slice(0, capacity) : text;
  return /^[\x20-\x7e]*$/.test(shown) ? shown : plainBytes(Buffer.from(shown));
}

/** A name likewise, without blanks. */
export function plainName(text: string): string {
  return plainText(text, NAME_CAPACITY).replaceAll(" ", "_");
}
