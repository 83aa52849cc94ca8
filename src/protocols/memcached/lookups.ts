import type { Exchange } from "../protocol.ts";
import { Code, detailOf, isMetaGet, type Reply, Shape, shapeOf } from "./reply-kind.ts";

// Runs for every response.

/** Counts the keys that the oldest pending request asked for, and those found: `reply` is its answer. */
export function tellLookups(exchange: Exchange, reply: Reply): void {
  const replyKind = exchange.replyKindAt(0);
  const shape = shapeOf(replyKind);
  if (shape === Shape.get && reply.code === Code.end) {
    const keys = detailOf(replyKind);
    // How many a line asked for that was cut off, nobody knows.
    if (keys > 0) exchange.lookups(reply.hits, Math.max(0, keys - reply.hits));
  } else if (isMetaGet(shape) && reply.code < Code.error) {
    const isMiss = reply.code === Code.en;
    exchange.lookups(isMiss ? 0 : 1, isMiss ? 1 : 0);
  }
}

/** The oldest pending requests, quiet ones, had nothing to say. */
export function settleQuiet(exchange: Exchange, requests: number): void {
  for (let count = requests; count > 0; count--) {
    if (isMetaGet(shapeOf(exchange.replyKindAt(0)))) exchange.lookups(0, 1);
    exchange.settleSilently();
  }
}
