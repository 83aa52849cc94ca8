import { milliseconds } from "../outputs/plain-text.ts";

/** Numbers as people read them. */

/** 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 request`, `2 requests`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A time for a headline or an axis, of three digits: 153 µs, 31.4 ms, 2 s; – for no time. */
export function shortTime(us: number): string {
  if (Number.isNaN(us)) return "–";
  // Rounded as in the tables, so that a number is the same wherever it stands.
  if (us < 1000) return `${Math.round(Number(milliseconds(us)) * 1000)}\u00a0µs`;
  if (us < 999_500) return `${digits(us / 1000)}\u00a0ms`;
  if (us < 600_000_000) return `${digits(us / 1_000_000)}\u00a0s`;
  return us < 36_000_000_000 ? `${digits(us / 60_000_000)}\u00a0min` : `${digits(us / 3_600_000_000)}\u00a0h`;
}

/** `30.0 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A share of a whole: 93 %, < 1 %. */
export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  return share > 0 && share < 1 ? "<\u00a01\u00a0%" : `${Math.round(share)}\u00a0%`;
}

function digits(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** Writes times since the epoch as a clock of one zone shows them. */
export class Clock {
  /** Minutes east of Greenwich. */
  readonly offsetMinutes: number;

  /** The zone of this host at `us`. */
  constructor(us: number) {
    this.offsetMinutes = Number.isNaN(us) ? 0 : -new Date(us / 1000).getTimezoneOffset();
  }

  /** `2020-03-08 19:23:06.258761`. */
  full(us: number): string {
    const second = Math.floor(us / 1e6);
    const date = new Date(second * 1000 + this.offsetMinutes * 60_000);
    const day = date.toISOString().slice(0, 19).replace("T", " ");
    return `${day}.${String(Math.floor(us - second * 1e6)).padStart(6, "0")}`;
  }

  /** `UTC+02:00`. */
  get zone(): string {
    const minutes = Math.abs(this.offsetMinutes);
    const two = (value: number): string => String(value).padStart(2, "0");
    return `UTC${this.offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
}
