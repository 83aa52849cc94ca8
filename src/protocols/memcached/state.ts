import type { Exchange } from "../protocol.ts";

/** What a parser of requests tells. */
export type RequestTeller = Pick<
  Exchange,
  | "wantsText"
  | "wantsValues"
  | "requestBegins"
  | "word"
  | "text"
  | "redacted"
  | "textCut"
  | "requestEnds"
  | "requestVoid"
>;

/** Which of memcached's two protocols a connection speaks: its first byte decides (memcached `protocol_binary.txt`). */
export const Dialect = { unknown: 0, text: 1, binary: 2 } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];

/** More of them are no number any more that an idle connection keeps. */
const MAX_STRAYS = 1 << 16;

/** What a connection's two parsers tell each other. */
export class MemcachedState {
  dialect: Dialect = Dialect.unknown;
  /** After `watch`: the server writes log lines and reads nothing any more. */
  isWatching = false;
  /** Lines of garbage, seen after the last request with a reply, that the server answers with ERROR. */
  strays = 0;
  /** There was a noreply request after the last one with a reply. */
  isAfterNoreply = false;

  /** As `Session.standing`. */
  get standing(): number {
    if (this.strays > MAX_STRAYS) return -1;
    return this.dialect | (this.isWatching ? 4 : 0) | (this.isAfterNoreply ? 8 : 0) | (this.strays << 4);
  }

  resume(standing: number): void {
    this.dialect = (standing & 3) as Dialect;
    this.isWatching = (standing & 4) !== 0;
    this.isAfterNoreply = (standing & 8) !== 0;
    this.strays = standing >> 4;
  }
}
