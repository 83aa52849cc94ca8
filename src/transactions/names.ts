import { NO_ERROR } from "../protocols/protocol.ts";
import { FLAG_NAMES, type Transaction } from "./transaction.ts";

/** `17-204`: a request's `id`, its connection's number and its own on that connection. */
export function idText({ connectionId, requestNumber }: Pick<Transaction, "connectionId" | "requestNumber">): string {
  return `${connectionId}-${requestNumber}`;
}

/** The name of a command by its protocol's table; "other" where it has none. */
export function commandName(protocol: Transaction["protocol"], commandId: number): string {
  return protocol.commands[commandId] ?? "other";
}

/** The name of the error that a response brought, "other" where the table has none; null where it is no error. */
export function errorName({ protocol, errorId }: Pick<Transaction, "protocol" | "errorId">): string | null {
  return errorId === NO_ERROR ? null : (protocol.errors[errorId] ?? "other");
}

/** `ok`, `error WRONGTYPE` or `unanswered (timeout)`. */
export function statusText(transaction: Pick<Transaction, "unanswered" | "protocol" | "errorId">): string {
  if (transaction.unanswered !== "") return `unanswered (${transaction.unanswered})`;
  const error = errorName(transaction);
  return error === null ? "ok" : `error ${error}`;
}

/** The names of the flags that are set, in the order of their bits. */
export function flagNames(flags: number): (typeof FLAG_NAMES)[number][] {
  return FLAG_NAMES.filter((_, bit) => (flags & (1 << bit)) !== 0);
}
