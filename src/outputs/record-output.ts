import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";

/** Writes one record, its newline included, of at most `capacity` bytes. Returns where the record that began at `at` ends. */
export interface RecordFormat {
  readonly capacity: number;
  /** Where, in the record last put, the number of the connection stands that its request waited behind; -1: nowhere. */
  readonly behindIdAt: number;
  put(transaction: Transaction, into: Buffer, at: number): number;
  /** A connection that was made slowly. */
  putConnect(connect: Connect, into: Buffer, at: number): number;
}

/** Where records go: a RecordWriter, or what holds them back for a while. See there. */
export interface RecordPlace {
  readonly chunk: Buffer;
  readonly at: number;
  /** `capacity`: bytes that the record may take, RECORD_CAPACITY unless given. */
  begin(capacity?: number): boolean;
  end(to: number): void;
}

/** Prints transactions, and connections that were made slowly: a format on a writer. */
export class RecordOutput implements TransactionOutput {
  private readonly format: RecordFormat;
  private readonly writer: RecordPlace;

  constructor(format: RecordFormat, writer: RecordPlace) {
    this.format = format;
    this.writer = writer;
  }

  // Runs for every transaction that is printed.
  transaction(transaction: Transaction): void {
    const writer = this.writer;
    if (!writer.begin(this.format.capacity)) return;
    writer.end(this.format.put(transaction, writer.chunk, writer.at));
  }
  connect(connect: Connect): void {
    const writer = this.writer;
    if (!writer.begin()) return;
    writer.end(this.format.putConnect(connect, writer.chunk, writer.at));
  }
}
