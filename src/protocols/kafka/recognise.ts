import { u16, u32 } from "../../bytes/read.ts";
import { type Exchange, Recognition } from "../protocol.ts";
import { ApiKey, isKnownApi, isKnownVersion, MAX_VERSION } from "./apis.ts";
import {
  apiKeyOf,
  isUnanswered,
  LEAST_REQUEST_BYTES,
  LEAST_RESPONSE_BYTES,
  LENGTH_BYTES,
  MAX_FRAME_BYTES,
  REQUEST_HEADER_BYTES,
  RESPONSE_HEADER_BYTES,
  versionOf,
} from "./frame.ts";
import { programOf } from "./programs.ts";
import { Walker } from "./walker.ts";

/** With the client id's length. */
const LOOKED_AT_BYTES = REQUEST_HEADER_BYTES + 2;
/** Characters of a client id that are looked at. */
const MAX_CLIENT_CHARACTERS = 32;

/** A client id is hardly longer: a few letters behind a greater length are another message's. */
const LIKELY_CLIENT_BYTES = 255;

/** Only looks; reused. */
const looker = new Walker(null);

/** See Protocol.recogniseRequest: a length, an api that Kafka has, and a client id of printable characters, or a body that can be read. */
export function recogniseRequest(bytes: Uint8Array, start: number, end: number): Recognition {
  if (!canBeginRequest(bytes, start, end)) return Recognition.no;
  if (end - start < LOOKED_AT_BYTES) return Recognition.undecided;
  const length = u32(bytes, start);
  const clientBytes = (u16(bytes, start + REQUEST_HEADER_BYTES) << 16) >> 16;
  if (clientBytes < -1 || clientBytes > length - LEAST_REQUEST_BYTES - 2) return Recognition.no;
  const clientStart = start + LOOKED_AT_BYTES;
  const shown = Math.min(clientBytes, MAX_CLIENT_CHARACTERS, end - clientStart);
  for (let at = clientStart; at < clientStart + shown; at++) {
    if (bytes[at]! < 0x20 || bytes[at]! >= 0x7f) return Recognition.no;
  }
  const [apiKey, version] = [u16(bytes, start + 4), u16(bytes, start + 6)];
  const program = programOf(apiKey, version, true, false);
  const stop = Math.min(end, start + LENGTH_BYTES + length);
  looker.begin(program, false);
  looker.walk(bytes, start + REQUEST_HEADER_BYTES, stop, length - LEAST_REQUEST_BYTES);
  if (looker.isBroken) return Recognition.no;
  const isShown = shown === MAX_CLIENT_CHARACTERS || clientBytes <= LIKELY_CLIENT_BYTES;
  if (shown > 0 && isShown) return Recognition.certain;
  return isKnownVersion(apiKey, version) && looker.isOver && stop === start + LENGTH_BYTES + length
    ? Recognition.certain
    : Recognition.possible;
}

/** So far as there are bytes: a length, an api key and a version that there may be. */
function canBeginRequest(bytes: Uint8Array, start: number, end: number): boolean {
  const seen = end - start;
  if (seen >= 1 && bytes[start]! > MAX_FRAME_BYTES >> 24) return false;
  if (seen >= LENGTH_BYTES) {
    const length = u32(bytes, start);
    if (length > MAX_FRAME_BYTES || length < LEAST_REQUEST_BYTES + 2) return false;
  }
  if (seen >= 6 && !isKnownApi(u16(bytes, start + 4))) return false;
  return seen < 8 || u16(bytes, start + 6) <= MAX_VERSION;
}

/** See Protocol.recogniseResponse: an id may be anything, so a length that fits is all that can be said. */
export function recogniseResponse(bytes: Uint8Array, start: number, end: number): Recognition {
  const seen = end - start;
  if (seen >= 1 && bytes[start]! > MAX_FRAME_BYTES >> 24) return Recognition.no;
  if (seen < RESPONSE_HEADER_BYTES) return Recognition.undecided;
  return u32(bytes, start) === seen - LENGTH_BYTES ? Recognition.possible : Recognition.no;
}

/** See Parser.begins: each request in these bytes is one beyond doubt, up to one that goes on behind them. */
export function isWholeRequests(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += LENGTH_BYTES + u32(bytes, at)) {
    const verdict = recogniseRequest(bytes, at, end);
    if (verdict !== Recognition.certain) return at > start && verdict !== Recognition.no;
    if (end - at < LENGTH_BYTES) return true;
  }
  return true;
}

/**
 * See Parser.begins: each response in these bytes is a pending request's, and can be its answer: its body can be read, and ends where its
 * length says. An id is small often, and so are other integers: where the last one goes on behind these bytes, there must be a text, too,
 * or records.
 */
export function isWholeResponses(exchange: Exchange, bytes: Uint8Array, start: number, end: number): boolean {
  let isProven = false;
  for (let at = start; at < end; at += LENGTH_BYTES + u32(bytes, at)) {
    if (end - at < RESPONSE_HEADER_BYTES) return isProven;
    const length = u32(bytes, at);
    if (length < LEAST_RESPONSE_BYTES || length > MAX_FRAME_BYTES) return false;
    const kind = exchange.replyKindOf(u32(bytes, at + LENGTH_BYTES) | 0);
    // What brokers do not answer is no proof: behind a loss its id may be any four bytes.
    if (kind < 0 || isUnanswered(kind)) return false;
    const apiKey = apiKeyOf(kind);
    const stop = at + LENGTH_BYTES + length;
    looker.begin(programOf(apiKey, versionOf(kind), false, false), false);
    if (apiKey === ApiKey.apiVersions) looker.unsupported = programOf(apiKey, 0, false, false);
    looker.walk(bytes, at + RESPONSE_HEADER_BYTES, Math.min(stop, end), length - LEAST_RESPONSE_BYTES);
    if (looker.isBroken) return false;
    if (looker.isProven) isProven = true;
    if (stop > end) return isProven;
    if (!looker.isOver) return false;
  }
  return true;
}
