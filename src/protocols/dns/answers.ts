import { type Exchange, NO_ERROR, NONE_PENDING } from "../protocol.ts";
import { tellRecords } from "./details.ts";
import type { Message } from "./message.ts";
import { exchangeId } from "./questions.ts";
import { errorOf } from "./tables.ts";

/** Pending questions looked at for an answer that does not say what it answers. */
const MAX_LOOKED_AT = 64;

/** The exchange's id of the pending question that this answer is to; the one it would have where there is none. */
export function pendingId(exchange: Exchange, message: Message): number {
  const { id, question } = message;
  const own = exchangeId(question, id);
  if (question !== 0 && exchange.replyKindOf(own) !== NONE_PENDING) return own;
  // The one or the other may lack its question: cut off, or not given back with an error. One alone fits, or none is taken.
  let found = own;
  let count = 0;
  for (let position = Math.min(exchange.pendingCount, MAX_LOOKED_AT) - 1; position >= 0; position--) {
    const pending = exchange.idAt(position);
    if ((pending & 0xffff) !== id || (question !== 0 && pending >>> 16 !== 0)) continue;
    found = pending;
    count++;
  }
  return count === 1 ? found : own;
}

/** Tells the message just read, bytes[start, captured), which has begun, as a response that ends before `at`. */
export function tellAnswer(
  exchange: Exchange,
  message: Message,
  bytes: Uint8Array,
  start: number,
  captured: number,
  at: number,
): void {
  const rcode = message.wholeRcode(bytes, captured);
  if (exchange.wantsDetails) tellRecords(exchange, message, rcode, bytes, start, captured);
  exchange.answerById(at, pendingId(exchange, message), rcode === 0 ? NO_ERROR : errorOf(rcode));
}
