import { type Given, refused } from "./given.ts";

const US_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["us", 1],
  ["µs", 1],
  ["μs", 1],
  ["ms", 1000],
  ["", 1000],
  ["s", 1_000_000],
  ["m", 60_000_000],
  ["h", 3_600_000_000],
]);

/** The longest time an option takes: a week. */
const MAX_TIME_US = 7 * 24 * 3_600_000_000;

/**
 * A TIME in whole microseconds: `10` is ms (tcpkit's habit), `500us`, `1.5ms`, `2s`, `5m`, `1h`. Throws TcplatError "usage" for anything
 * else, for less than `minUs` and for more than a week.
 */
export function parseTime(given: Given, minUs: number): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([a-zµμ]*)$/.exec(given.text) ?? [];
  const scale = US_PER_UNIT.get(unit);
  if (number === undefined || scale === undefined) {
    throw refused(given, "a time is a number with us, ms, s, m or h (10 is 10 ms): write 500us, 1.5ms or 2s");
  }
  // Rounded to a thousandth first: 1.001 * 1000 is not 1001 in binary.
  const exactUs = Math.round(Number(number) * scale * 1000) / 1000;
  if (!Number.isInteger(exactUs))
    throw refused(given, "times are whole microseconds: write 1us or more, without a fraction");
  if (exactUs < minUs) throw refused(given, `it is ${timeText(exactUs)} and must be at least ${timeText(minUs)}`);
  if (exactUs > MAX_TIME_US) throw refused(given, "it must be at most a week: write 168h or less");
  return exactUs;
}

function timeText(us: number): string {
  if (us % 1_000_000 === 0) return `${us / 1_000_000}s`;
  return us % 1000 === 0 ? `${us / 1000}ms` : `${us}us`;
}

/** A whole decimal number within [min, max]. */
export function parseWhole(given: Given, min: number, max: number): number {
  const number = /^\d+$/.test(given.text) ? Number(given.text) : Number.NaN;
  if (!(number >= min && number <= max)) throw refused(given, `it must be a whole number from ${min} to ${max}`);
  return number;
}

/** One of a few words. */
export function parseChoice<T extends string>(given: Given, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === given.text);
  if (found === undefined) throw refused(given, `it must be ${listed(choices, "or")}`);
  return found;
}

/** On or off. */
export function parseFlag(given: Given): boolean {
  return given.text === "true";
}

/** An address to listen on. Names are not looked up, but for `localhost`, which is 127.0.0.1. */
export function parseListenAddress(given: Given): string {
  if (given.text === "localhost") return "127.0.0.1";
  const address = given.text.replace(/^\[(.*)\]$/, "$1");
  if (canonicalAddress(address.replace(/%[\w.-]+$/, "")) === null)
    throw refused(given, "it must be an IPv4 or IPv6 address: 127.0.0.1, or 0.0.0.0 for every one of this host");
  return address;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** An address as tcplat prints it: RFC 5952 for IPv6, without a zone; null for what is none. (`node:net` would take 4 ms to load.) */
export function canonicalAddress(text: string): string | null {
  if (IPV4.test(text)) return text;
  const url = `http://[${text}]`;
  // The URL parser writes IPv6 as RFC 5952 §4 asks.
  return /^[\da-f:.]+$/i.test(text) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : null;
}

/** `a, b or c`. */
export function listed(words: readonly string[], conjunction: "and" | "or"): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${conjunction} ${last}`;
}
