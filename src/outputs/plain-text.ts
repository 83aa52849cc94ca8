import { commandName } from "../transactions/names.ts";
import { TEXT_CAPACITY, type Transaction } from "../transactions/transaction.ts";

/** What the line and the record show, as strings: for those who tell of few requests, or of none by itself. */

/** Bytes of whatever origin as printable ASCII; the others as `\xNN`. */
export function plainBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** What was asked: the request's words as they were sent, secrets redacted; or its command. */
export function requestText({ text, textStart, textEnd, protocol, commandId }: Transaction): string {
  if (textStart === textEnd) return commandName(protocol, commandId);
  return plainBytes(text.subarray(textStart, Math.min(textEnd, textStart + TEXT_CAPACITY)));
}

/** `1.102`: microseconds as milliseconds. The middle of a histogram's step may lie between two microseconds. */
export function milliseconds(us: number): string {
  return (Math.round(us) / 1000).toFixed(3);
}

/** `2026-11-21 00:55:59.673375`, local time; `us` since the epoch. */
export function localTime(us: number): string {
  return `${localSecond(new Date(Math.floor(us / 1e6) * 1000))}.${micros(us)}`;
}

/** `2026-11-21 00:55:59`, local time. */
export function localSecond(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `2026-11-21T00:55:59.673375Z`; null of NaN. */
export function utcTime(us: number): string | null {
  if (Number.isNaN(us)) return null;
  return `${new Date(Math.floor(us / 1e6) * 1000).toISOString().slice(0, 19)}.${micros(us)}Z`;
}

function micros(us: number): string {
  return String(us - Math.floor(us / 1e6) * 1e6).padStart(6, "0");
}
