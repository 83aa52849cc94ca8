import type { Endpoint, Transaction } from "../transactions/transaction.ts";
import { Literal } from "./put.ts";

/** Connections whose text is kept; of two with the same place the later one has it. A power of two. */
const KEPT = 4096;

interface Kept {
  readonly client: Endpoint;
  readonly class: number;
  readonly text: Literal;
}

/** What the records of one connection and class have in common, made once. (A Map by client takes 20 ns more a record.) */
export class CommonText {
  private readonly make: (transaction: Transaction) => string;
  private readonly kept: (Kept | null)[] = new Array<Kept | null>(KEPT).fill(null);

  constructor(make: (transaction: Transaction) => string) {
    this.make = make;
  }

  // Runs for every transaction that is printed.
  of(transaction: Transaction): Literal {
    const place = transaction.connectionId & (KEPT - 1);
    const kept = this.kept[place]!;
    if (kept !== null && kept.client === transaction.client && kept.class === transaction.class) return kept.text;
    const text = new Literal(this.make(transaction));
    this.kept[place] = { client: transaction.client, class: transaction.class, text };
    return text;
  }
}
