import type { Here } from "./here.ts";
import type { PendingPool } from "./pending.ts";
import type { TransactionRecord } from "./record.ts";
import type { TransactionSink } from "./transaction.ts";

/** What all pairings of a run share. */
export interface PairingContext {
  readonly pool: PendingPool;
  readonly sink: TransactionSink;
  readonly record: TransactionRecord;
  readonly here: Here;
  readonly wantsText: boolean;
  readonly wantsValues: boolean;
  readonly pathDepth: number;
}
