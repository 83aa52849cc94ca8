import type { Connect, Transaction } from "../transactions/transaction.ts";

/** What `--filter` asks for, compiled: closures that call each other, and no text is looked at again. */
export interface Condition {
  takes(transaction: Transaction): boolean;
  takesConnect(connect: Connect): boolean;
}
