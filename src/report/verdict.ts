import type { Transaction } from "../transactions/transaction.ts";

/** Why a transaction took so long, where that was measured; the words and fields of the JSON record. */
export interface Verdict {
  /** `server`, `network`, `retransmission`, `queue`, `send`, `receive` or `unknown`: the largest share, and that share in µs. */
  readonly cause: string;
  readonly causeUs: number;
  /** The server's part of the wait in µs, or null while unknown; the rest of the wait is the network's. */
  readonly serverUs: number | null;
  readonly rttUs: number | null;
  readonly retransmitUs: number;
  readonly zeroWindowUs: number;
  /** The request that this one waited for most, or null. */
  readonly behind: { readonly id: string; readonly command: string; readonly us: number } | null;
}

/** Reads a transaction's verdict; null where nothing was measured. What it returns is kept: make it anew for each call. */
export type VerdictOf = (transaction: Transaction) => Verdict | null;
