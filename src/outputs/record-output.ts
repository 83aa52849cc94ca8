import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { RecordWriter } from "./record-writer.ts";

/** Writes a transaction as one record, its newline included, of at most RECORD_CAPACITY bytes. */
export interface RecordFormat {
  /** Returns where the record that began at `at` ends. */
  put(transaction: Transaction, into: Buffer, at: number): number;
}

/** Prints transactions: a format on a writer. */
export class RecordOutput implements TransactionOutput {
  private readonly format: RecordFormat;
  private readonly writer: RecordWriter;

  constructor(format: RecordFormat, writer: RecordWriter) {
    this.format = format;
    this.writer = writer;
  }

  // Runs for every segment.
  transaction(transaction: Transaction): void {
    const writer = this.writer;
    if (!writer.begin()) return;
    writer.end(this.format.put(transaction, writer.chunk, writer.at));
  }
}
