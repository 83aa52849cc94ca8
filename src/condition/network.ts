import { canonicalWords } from "./address-words.ts";

/** Addresses with a common beginning, and a port; either may be left open. */
export interface Network {
  /** The address in four words, or null: any. */
  readonly words: readonly number[] | null;
  /** Bits of it that count. */
  readonly bits: number;
  /** null: any. */
  readonly port: number | null;
}

const WITH_PORT = /^(?:\[(?<v6>[^\]]*)\]|(?<v4>[\d.]*|\*)):(?<port>\d{1,5})$/;

/**
 * `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`, each of them an address of any port; `10.0.0.1:6379`, `[2001:db8::1]:6379`; `:6379`, this port of
 * anybody. Null for what is none.
 */
export function parseNetwork(text: string): Network | null {
  const { v6, v4, port } = WITH_PORT.exec(text)?.groups ?? {};
  if (port !== undefined) {
    const number = Number(port);
    if (number > 65_535) return null;
    if (v6 === undefined && (v4 === "" || v4 === "*")) return { words: null, bits: 0, port: number };
    const words = canonicalWords(v6 ?? v4 ?? "");
    return words === null ? null : { words, bits: 128, port: number };
  }
  const [, address = "", prefix] = /^\[?([^/\]]*)\]?(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const words = canonicalWords(address);
  if (words === null) return null;
  const width = address.includes(":") ? 128 : 32;
  const bits = prefix === undefined ? width : Number(prefix);
  // An IPv4 address is the last word of ::ffff:0:0/96, so that none of IPv6 is taken for one.
  return bits > width ? null : { words, bits: bits + 128 - width, port: null };
}

/** Whether an endpoint's text (`192.168.0.1:51137`, `[2001:db8::1]:6379`) is of a network. */
export function isOfNetwork(endpoint: string, network: Network): boolean {
  const colon = endpoint.lastIndexOf(":");
  if (network.port !== null && network.port !== Number(endpoint.slice(colon + 1))) return false;
  if (network.words === null) return true;
  const words = canonicalWords(endpoint.slice(0, colon).replace(/^\[|\]$/g, ""));
  if (words === null) return false;
  for (let word = 0; word < 4; word++) {
    const bits = Math.min(32, Math.max(0, network.bits - word * 32));
    // A shift by 32 is one by 0.
    const mask = bits === 0 ? 0 : -1 << (32 - bits);
    if (((words[word]! ^ network.words[word]!) & mask) !== 0) return false;
  }
  return true;
}
