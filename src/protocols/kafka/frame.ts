/**
 * Kafka's frames (kafka.apache.org/protocol, "Protocol"): a length, then so many bytes.
 *
 *     request    0  length           i32      response   0  length           i32
 *                4  api key          i16                 4  correlation id   i32
 *                6  api version      i16                 8  tagged fields, in flexible versions; the response
 *                8  correlation id   i32
 *               12  client id        i16, and so many bytes; -1: none
 *                   tagged fields, in flexible versions; the request
 */

/** A broker takes no more by default (`socket.request.max.bytes`), and nobody sends so much. */
export const MAX_FRAME_BYTES = 100 * 1024 * 1024;
export const LENGTH_BYTES = 4;
/** Up to and with the correlation id. */
export const REQUEST_HEADER_BYTES = 12;
export const RESPONSE_HEADER_BYTES = 8;
/** Api key, version and correlation id. */
export const LEAST_REQUEST_BYTES = REQUEST_HEADER_BYTES - LENGTH_BYTES;
/** The correlation id. */
export const LEAST_RESPONSE_BYTES = RESPONSE_HEADER_BYTES - LENGTH_BYTES;

/**
 * What the response parser must know of a request, in 31 bits: api key (8, `UNKNOWN_API` where none is known), version (6), the longest
 * wait in ms (17, as far as it fits).
 */
export const UNKNOWN_API = 0xff;
/** Of a SASL token without a header. */
export const TOKEN_KIND = 0xfe;
/** Tokens have no id: one after the other is answered. Of their own ids no client's counter is ever near. */
export const TOKEN_ID = -0x5341534c;
const MAX_KEPT_VERSION = 0x3f;
const MAX_KEPT_WAIT_MS = 0x1ffff - 1;
/** In place of a wait: brokers do not answer it (Produce with acks=0). */
const UNANSWERED_MS = 0x1ffff;

export function replyKindOf(apiKey: number, version: number, maxWaitMs: number): number {
  if (version > MAX_KEPT_VERSION) return UNKNOWN_API;
  return apiKey | (version << 8) | (Math.max(0, Math.min(maxWaitMs, MAX_KEPT_WAIT_MS)) << 14);
}

/** Of a request that brokers do not answer. */
export function unansweredKindOf(apiKey: number, version: number): number {
  return replyKindOf(apiKey, version, 0) | (UNANSWERED_MS << 14);
}

export function isUnanswered(replyKind: number): boolean {
  return replyKind >> 14 === UNANSWERED_MS;
}

export function apiKeyOf(replyKind: number): number {
  return replyKind & 0xff;
}

export function versionOf(replyKind: number): number {
  return (replyKind >> 8) & MAX_KEPT_VERSION;
}

export function maxWaitMsOf(replyKind: number): number {
  return replyKind >> 14;
}
