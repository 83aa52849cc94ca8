/**
 * What a text-protocol response begins with, one bit each, so that a set of them is an integer. `word` is a word in
 * capitals that no table knows, `line` any other text.
 */
export const Code = {
  stored: 1 << 0,
  notStored: 1 << 1,
  exists: 1 << 2,
  notFound: 1 << 3,
  value: 1 << 4,
  end: 1 << 5,
  deleted: 1 << 6,
  touched: 1 << 7,
  ok: 1 << 8,
  reset: 1 << 9,
  version: 1 << 10,
  number: 1 << 11,
  stat: 1 << 12,
  hd: 1 << 13,
  va: 1 << 14,
  en: 1 << 15,
  nf: 1 << 16,
  ns: 1 << 17,
  ex: 1 << 18,
  mn: 1 << 19,
  me: 1 << 20,
  word: 1 << 21,
  line: 1 << 22,
  error: 1 << 23,
  /** An error that only storage commands get. */
  storageFailure: 1 << 24,
  /** `ERROR` alone, which says that it is no command. */
  plainError: 1 << 25,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

/** What can answer a request, and how its response ends. */
export const Shape = {
  any: 0,
  get: 1,
  storage: 2,
  counter: 3,
  delete: 4,
  touch: 5,
  version: 6,
  stats: 7,
  /** `stats sizes_enable` and `sizes_disable`: one STAT line without END. */
  statsOneLine: 8,
  watch: 9,
  /** `lru_crawler metadump` and `mgdump`. */
  dump: 10,
  metaNoop: 11,
  metaDebug: 12,
  metaGet: 13,
  metaGetValue: 14,
  metaSet: 15,
  metaDelete: 16,
  metaArithmetic: 17,
  quietMetaGet: 18,
  quietMetaGetValue: 19,
  quietMetaSet: 20,
  quietMetaDelete: 21,
  quietMetaArithmetic: 22,
  /** With `N`: answered in spite of `q` when the item was made. */
  quietMetaCreate: 23,
  binary: 24,
  /** GETQ and its like: silent on a miss. */
  binaryQuietGet: 25,
  /** SETQ and its like: silent on success. */
  binaryQuiet: 26,
  /** `quit`: nothing ever. */
  none: 27,
  /** Cut off before its command's name had ended. */
  cut: 28,
  /** `mg` whose flags are cut off: whether they asked for the value, its reply tells. */
  metaGetCut: 29,
} as const;
export type Shape = (typeof Shape)[keyof typeof Shape];

const { hd, va, en, nf, ns, ex } = Code;
const ANYTHING = (1 << 24) - 1;
const NOT_META = ANYTHING & ~(hd | va | en | nf | ns | ex | Code.mn | Code.me | Code.value | Code.line);

/** The codes a request of each shape may be answered by, errors apart. Tried on 1.6.18, `q` command by command. */
const CODES_BY_SHAPE = Int32Array.of(
  NOT_META,
  Code.value | Code.end,
  Code.stored | Code.notStored | Code.exists | Code.notFound,
  Code.number | Code.notFound,
  Code.deleted | Code.notFound,
  Code.touched | Code.notFound,
  Code.version,
  Code.stat | Code.end | Code.reset | Code.ok | Code.word | Code.line,
  Code.stat | Code.end,
  Code.ok,
  Code.line | Code.word | Code.end | Code.en | Code.ok,
  Code.mn,
  Code.me | en,
  hd | en,
  va | en,
  hd | ns | ex | nf,
  hd | nf | ex,
  hd | va | nf | ns | ex,
  hd,
  va,
  ns | ex | nf,
  nf | ex,
  nf | ns | ex,
  hd | va | nf | ns | ex,
  0,
  0,
  0,
  0,
  ANYTHING & ~Code.line,
  hd | va | en,
);

const IS_QUIET = Uint8Array.from(CODES_BY_SHAPE, (_, shape) =>
  (shape >= Shape.quietMetaGet && shape <= Shape.quietMetaCreate) ||
  shape === Shape.binaryQuietGet ||
  shape === Shape.binaryQuiet
    ? 1
    : 0,
);

// Bits of a request's replyKind, 31 in all:
//   0-4    shape
//   5-6    what a meta response repeats: Echo
//   7-9    lines of garbage in front of it that the server will answer with ERROR (at most 7 are counted)
//   10     noreply requests in front of it
//   11-30  get: keys asked for (at most 1,048,575 are counted); meta: keys as well; 0 for both where the line is cut, since more of them,
//          and flags, may have followed; binary: the opcode, and above it the key's mark
const ECHO_SHIFT = 5;
const STRAYS_SHIFT = 7;
const STRAYS_MAX = 7;
const NOREPLY_BIT = 1 << 10;
const DETAIL_SHIFT = 11;
const DETAIL_MAX = (1 << 20) - 1;

/**
 * What a meta request asked to be repeated in its response; `encodedKey`: a key in base64, which 1.6.18's mg repeats
 * decoded, its ms as it was sent.
 */
export const Echo = { none: 0, opaque: 1, key: 2, encodedKey: 3 } as const;
export type Echo = (typeof Echo)[keyof typeof Echo];

// Runs for every message.
export function replyKindOf(shape: Shape, echo: Echo, strays: number, isAfterNoreply: boolean, detail: number): number {
  return (
    shape |
    (echo << ECHO_SHIFT) |
    (Math.min(strays, STRAYS_MAX) << STRAYS_SHIFT) |
    (isAfterNoreply ? NOREPLY_BIT : 0) |
    (Math.min(detail, DETAIL_MAX) << DETAIL_SHIFT)
  );
}

export function shapeOf(replyKind: number): number {
  return replyKind & 31;
}

/** False for NONE_PENDING. */
export function isQuiet(replyKind: number): boolean {
  return replyKind >= 0 && IS_QUIET[replyKind & 31] === 1;
}

/** Whether a request of this kind can be answered by this code. Errors can answer all. */
export function canAnswer(replyKind: number, code: number): boolean {
  return ((CODES_BY_SHAPE[replyKind & 31]! | Code.error | Code.storageFailure) & code) !== 0;
}

/** A complete response: what it begins with, and what else may tell whose it is. */
export interface Reply {
  /** A Code. */
  readonly code: number;
  /** As in Exchange. */
  readonly errorId: number;
  /** Ids of what it repeats; 0: nothing. */
  readonly opaqueId: number;
  readonly keyId: number;
  /** Values within it. */
  readonly hits: number;
}

const META = hd | va | en | nf | ns | ex;

/** Whether a pending request of this kind and id can have given this reply, for all that it shows. */
export function fits(replyKind: number, id: number, reply: Reply): boolean {
  const shape = replyKind & 31;
  if (reply.code === Code.storageFailure) return isStorage(shape);
  if (reply.code === Code.plainError && isQuiet(replyKind)) return false;
  // Neither does anything that could fail.
  if (reply.code >= Code.error) return shape !== Shape.metaNoop && shape !== Shape.version;
  return canAnswer(replyKind, reply.code) && hasSameId(replyKind, id, reply);
}

/** One that is not quiet may be answered without what it asked to be repeated: not every version repeats always. */
export function hasSameId(replyKind: number, id: number, reply: Reply): boolean {
  if ((reply.code & META) === 0) return echoOf(replyKind) === Echo.none || !isQuiet(replyKind);
  const echo = echoOf(replyKind);
  // What else it asked to be repeated is cut off.
  if (detailOf(replyKind) === 0 && echo !== Echo.opaque) return true;
  if (echo === Echo.encodedKey) return reply.opaqueId === 0;
  if (echo === Echo.none) return reply.opaqueId === 0 && reply.keyId === 0;
  if (echo === Echo.key && reply.opaqueId !== 0) return false;
  const repeated = echo === Echo.opaque ? reply.opaqueId : reply.keyId;
  return repeated === id || (repeated === 0 && !isQuiet(replyKind));
}

export function isStorage(shape: number): boolean {
  return shape === Shape.storage || shape === Shape.metaSet || shape === Shape.quietMetaSet;
}

export function isMetaGet(shape: number): boolean {
  return (
    shape === Shape.metaGet ||
    shape === Shape.metaGetCut ||
    shape === Shape.metaGetValue ||
    shape === Shape.quietMetaGet ||
    shape === Shape.quietMetaGetValue
  );
}

function echoOf(replyKind: number): number {
  return (replyKind >> ECHO_SHIFT) & 3;
}

/** ERROR lines due before this request's response that belong to no request. */
export function straysOf(replyKind: number): number {
  return (replyKind >> STRAYS_SHIFT) & STRAYS_MAX;
}

/** The same kind with one stray line fewer to come. */
export function withoutStray(replyKind: number): number {
  return replyKind - (1 << STRAYS_SHIFT);
}

export function isAfterNoreply(replyKind: number): boolean {
  return (replyKind & NOREPLY_BIT) !== 0;
}

/** Keys asked for, or the opcode. */
export function detailOf(replyKind: number): number {
  return replyKind >>> DETAIL_SHIFT;
}

/** 12 bits that tell the key of a binary message from others, never 0; 0 where there is none. */
export function keyMarkOf(keyBytes: number, hash: number): number {
  return keyBytes === 0 ? 0 : (hash ^ (hash >>> 12) ^ (hash >>> 24)) & 0xfff || 1;
}
