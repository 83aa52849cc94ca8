import type { Connect, Transaction } from "../transactions/transaction.ts";
import { Fault } from "./fault.ts";
import { parseExpression } from "./grammar.ts";

/** What `--filter` asks for, compiled: closures that call each other, and no text is looked at again. */
export interface Condition {
  takes(transaction: Transaction): boolean;
  takesConnect(connect: Connect): boolean;
}

const MAX_LENGTH = 4096;

/** Compiles an expression (native-notes/filter.md). Throws Fault. */
export function parseCondition(expression: string): Condition {
  if (expression.length <= MAX_LENGTH) return parseExpression(expression);
  throw new Fault(`an expression has at most ${MAX_LENGTH} characters`, { start: MAX_LENGTH, end: MAX_LENGTH + 1 });
}
