/** Which of memcached's two protocols a connection speaks: its first byte decides (memcached `protocol_binary.txt`). */
export const Dialect = { unknown: 0, text: 1, binary: 2 } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];

/** What a connection's two parsers tell each other. */
export class MemcachedState {
  dialect: Dialect = Dialect.unknown;
  /** After `watch`: the server writes log lines and reads nothing any more. */
  isWatching = false;
  /** Lines of garbage, seen after the last request with a reply, that the server answers with ERROR. */
  strays = 0;
  /** There was a noreply request after the last one with a reply. */
  isAfterNoreply = false;
}
