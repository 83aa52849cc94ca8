const SLASH = 0x2f;
const QUERY = 0x3f;
const HASH = 0x23;
const COLON = 0x3a;
const AT = 0x40;

/** Which part of a request's target is shown (RFC 9112 §3.2): bytes[start, end), and the query that follows, if any. */
export interface Shown {
  /** Of what stands before the path, in the absolute form: `http://`, without credentials; empty otherwise. */
  schemeEnd: number;
  /** Where the host or the path begins: behind the credentials. */
  start: number;
  end: number;
  /** From the question mark on; equal to `queryEnd` where there is none. */
  queryStart: number;
  queryEnd: number;
  /** There were credentials between `schemeEnd` and `start`. */
  hasCredentials: boolean;
}

/** Reused: what is found of one target is used before the next. */
const SHOWN: Shown = { schemeEnd: 0, start: 0, end: 0, queryStart: 0, queryEnd: 0, hasCredentials: false };

/**
 * Finds what is shown of the target bytes[start, end): the path without its query, with scheme and host where they are told (a
 * proxy's requests), and of the path at most `pathDepth` segments. In CONNECT's and in `*` there is no path. `isCut`: its end was
 * not kept. Reused; use it before the next call.
 */
export function shownOf(bytes: Uint8Array, start: number, end: number, isCut: boolean, pathDepth: number): Shown {
  const shown = SHOWN;
  shown.hasCredentials = false;
  shown.schemeEnd = start;
  shown.start = start;
  let path = start;
  if (bytes[start] !== SLASH) {
    shown.schemeEnd = behindScheme(bytes, start, end);
    path = shown.schemeEnd;
    while (path < end && bytes[path] !== SLASH && bytes[path] !== QUERY && bytes[path] !== HASH) path++;
    shown.start = behindCredentials(bytes, shown.schemeEnd, path);
    shown.hasCredentials = shown.start > shown.schemeEnd;
    // What is cut off may be credentials, begun.
    if (isCut && path === end) {
      shown.hasCredentials = true;
      shown.start = end;
    }
  }
  let i = path;
  let slashes = 0;
  while (i < end && bytes[i] !== QUERY && bytes[i] !== HASH && (bytes[i] !== SLASH || slashes++ < pathDepth)) i++;
  // The root is a path, too.
  shown.end = i;
  while (i < end && bytes[i] !== QUERY) i++;
  shown.queryStart = i;
  shown.queryEnd = end;
  return shown;
}

/** Behind `scheme://`; where there is none, where it began. */
function behindScheme(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && isSchemeCharacter(bytes[i]!)) i++;
  const isScheme = i > start && i + 2 < end && bytes[i] === COLON && bytes[i + 1] === SLASH && bytes[i + 2] === SLASH;
  return isScheme ? i + 3 : start;
}

/** Behind the last `@`: whoever writes one into a password unescaped must not see the rest of it here. */
function behindCredentials(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && bytes[i - 1] !== AT) i--;
  return Math.max(i, start);
}

/** Letters, digits, `+`, `-`, `.` (RFC 3986 §3.1). */
function isSchemeCharacter(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x2b && byte <= 0x2e);
}
