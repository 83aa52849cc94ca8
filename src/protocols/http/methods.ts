import { OTHER } from "../protocol.ts";

/**
 * Methods by command id: RFC 9110 §9, PATCH (RFC 5789), WebDAV (RFC 4918 §9, RFC 3253 §3.6, RFC 5323, RFC 4791 §5.3.1), QUERY, and
 * PURGE, which caches take. They are case-sensitive.
 */
export const METHODS: readonly string[] = [
  "other",
  ..."GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY PURGE".split(" "),
  ..."PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH MKCALENDAR".split(" "),
];

/** Status codes of errors (RFC 9110 §15.5, §15.6) by error id. */
export const ERRORS: readonly string[] = ["other", ...Array.from({ length: 200 }, (_, i) => String(400 + i))];

/** The longest method that IANA lists, whether it is among METHODS or not. */
export const LONGEST_METHOD = "UPDATEREDIRECTREF".length;

const words = METHODS.map((method) => new TextEncoder().encode(method));
/** Ids by first letter: few methods share one. */
const byFirst = new Map<number, number[]>();
for (let id = 1; id < METHODS.length; id++) {
  const first = words[id]![0]!;
  byFirst.set(first, [...(byFirst.get(first) ?? []), id]);
}
const candidates: readonly (readonly number[] | undefined)[] = Array.from({ length: 128 }, (_, byte) =>
  byFirst.get(byte),
);

/** The id of the method bytes[start, end), or OTHER. */
// Runs for every request.
export function methodAt(bytes: Uint8Array, start: number, end: number): number {
  const ids = candidates[bytes[start]!];
  if (ids === undefined) return OTHER;
  for (const id of ids) {
    const word = words[id]!;
    if (word.length !== end - start) continue;
    let i = 1;
    while (i < word.length && word[i] === bytes[start + i]) i++;
    if (i === word.length) return id;
  }
  return OTHER;
}

/** Whether the method of this id begins with bytes[start, end). */
export function beginsWith(id: number, bytes: Uint8Array, start: number, end: number): boolean {
  const word = words[id]!;
  if (end - start > word.length) return false;
  for (let i = start; i < end; i++) if (bytes[i] !== word[i - start]) return false;
  return true;
}

/** The error id of a status code, or -1 where it is no error. */
export function errorOf(status: number): number {
  if (status < 400) return -1;
  return status < 600 ? status - 399 : OTHER;
}

/** 1 for the characters of a token (RFC 9110 §5.6.2). */
const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN[c.charCodeAt(0)] = 1;

/** Whether a method or a field's name may contain this byte. */
export function isToken(byte: number): boolean {
  return TOKEN[byte] === 1;
}
