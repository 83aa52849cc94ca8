import { type Exchange, OTHER, TransactionClass } from "../protocol.ts";
import { in16Bits, type Message, shownHash } from "./message.ts";
import { name } from "./name.ts";
import { noteOf } from "./shown.ts";
import { COMMANDS, commandOf, Type, typeName } from "./tables.ts";

const WORDS = COMMANDS.map((command) => new TextEncoder().encode(command));
const encoder = new TextEncoder();

/** An id of the exchange: the message's own, and what tells its question from another with the same id. */
export function exchangeId(question: number, id: number): number {
  return (question << 16) | id;
}

/**
 * Tells the message just read, bytes[start, …) of which there are `length`, as a request that ends before `at`. It has begun.
 * Of a question that is cut off, what was captured and the length tell it from others with the same id.
 */
export function tellQuestion(
  exchange: Exchange,
  message: Message,
  bytes: Uint8Array,
  start: number,
  length: number,
  at: number,
  isDatagram: boolean,
): void {
  const { opcode, type, isCut, shown } = message;
  const hash = isCut ? shownHash(bytes, start, shown) : 0;
  const id = exchangeId(isCut ? in16Bits(Math.imul(hash ^ length, 0x9e3779b1)) : message.question, message.id);
  if (isDatagram && exchange.requestAgain(id)) return;
  const commandId = commandOf(opcode, type);
  if (exchange.wantsText) tellText(exchange, message, commandId);
  if (exchange.wantsDetails) {
    exchange.detail("id", message.id);
    if (message.class > 1) exchange.detail("class", message.class);
  }
  const isTransfer = opcode === 0 && (type === Type.axfr || type === Type.ixfr);
  exchange.requestEnds(
    at,
    commandId,
    isTransfer ? TransactionClass.stream : TransactionClass.normal,
    noteOf(message, hash),
    id,
  );
}

function tellText(exchange: Exchange, { opcode, type, question, isCut }: Message, commandId: number): void {
  if (commandId !== OTHER || question !== 0) {
    const word =
      commandId !== OTHER ? WORDS[commandId]! : encoder.encode(opcode === 0 ? typeName(type) : `OPCODE${opcode}`);
    exchange.word(false);
    exchange.text(word, 0, word.length);
  }
  if (name.length > 0) {
    exchange.word(true);
    exchange.text(name.text, 0, name.length);
  }
  if (isCut) exchange.textCut();
}
