import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import type { Condition } from "./condition.ts";

/** Stands before the outputs of a run with `--filter`: passes on what the condition takes, and counts the rest. */
export class Sieve implements TransactionOutput {
  /** Transactions and connections that were to be told, and were not. */
  filtered = 0;
  readonly #condition: Condition;
  readonly #outputs: readonly TransactionOutput[];

  constructor(condition: Condition, outputs: readonly TransactionOutput[]) {
    this.#condition = condition;
    this.#outputs = outputs;
  }

  // Runs for every transaction that is printed.
  transaction(transaction: Transaction): void {
    if (!this.#condition.takes(transaction)) {
      this.filtered++;
      return;
    }
    for (const output of this.#outputs) output.transaction(transaction);
  }

  connect(connect: Connect): void {
    if (!this.#condition.takesConnect(connect)) {
      this.filtered++;
      return;
    }
    for (const output of this.#outputs) output.connect?.(connect);
  }
}
