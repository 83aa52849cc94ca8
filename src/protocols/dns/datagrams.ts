import type { DatagramSession, Exchange } from "../protocol.ts";
import { tellAnswer } from "./answers.ts";
import { HEADER_BYTES, Message } from "./message.ts";
import { tellQuestion } from "./questions.ts";

const message = new Message();

/** A message in each datagram. */
export class Datagrams implements DatagramSession {
  /** All that has to be remembered is pending. */
  readonly isAtRest = true;
  private readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  // Runs for every datagram.
  request(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    if (!isMessage(bytes, start, captured, end)) return false;
    // Between two servers either may ask; an answer of the one that was taken for the client is to nothing that is known.
    if (message.isResponse) return true;
    const exchange = this.exchange;
    exchange.requestBegins(start);
    tellQuestion(exchange, message, bytes, start, end - start, end, true);
    return true;
  }

  // Runs for every datagram.
  response(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
    if (!isMessage(bytes, start, captured, end)) return false;
    const exchange = this.exchange;
    exchange.responseBegins(start);
    if (message.isResponse) tellAnswer(exchange, message, bytes, start, captured, end);
    else exchange.push(end);
    return true;
  }
}

/** Reads it. What ends within its question, though all of it was captured, is something else that was sent to this port. */
function isMessage(bytes: Uint8Array, start: number, captured: number, end: number): boolean {
  if (!message.read(bytes, start, captured)) return false;
  // Some that refuse a question send its header back alone, with the count of what is not there.
  const isHeaderAlone = message.isResponse && end - start === HEADER_BYTES;
  return !message.isCut || captured < end || isHeaderAlone;
}
