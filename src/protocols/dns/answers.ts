import { type Exchange, NO_ERROR, NONE_PENDING } from "../protocol.ts";
import { tellRecords } from "./details.ts";
import type { Message } from "./message.ts";
import { exchangeId } from "./questions.ts";
import { Repeats, repeats } from "./shown.ts";
import { errorOf } from "./tables.ts";

/** Pending questions with an answer's id that are looked at where one of them is cut off, or the answer gives no question back. */
const MAX_LOOKED_AT = 16;
const ID_BITS = 0xffff;

/** The exchange's id of the pending question that this answer is to; one that no question has where there is none. */
export function pendingId(exchange: Exchange, message: Message, bytes: Uint8Array, start: number): number {
  const { id, question, questions } = message;
  const own = exchangeId(question, id);
  if (question !== 0 && exchange.replyKindOf(own) !== NONE_PENDING) return own;
  // One alone fits, or none is taken: with an error a question need not be given back, and what is cut off must agree in what is left, if anything is.
  let found = own;
  let best: Repeats = Repeats.unknown;
  let count = 0;
  let at = exchange.positionOf(id, ID_BITS, 0);
  for (let left = MAX_LOOKED_AT; at >= 0 && left > 0; left--) {
    const fit = questions === 0 ? Repeats.yes : repeats(exchange.replyKindAt(at), message, bytes, start);
    if (fit >= best) {
      count = fit > best ? 1 : count + 1;
      best = fit;
      found = exchange.idAt(at);
    }
    at = exchange.positionOf(id, ID_BITS, at + 1);
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
  exchange.answerById(at, pendingId(exchange, message, bytes, start), rcode === 0 ? NO_ERROR : errorOf(rcode));
}
