import type { Protocol } from "../protocols/protocol.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import type { ServerRef, ServiceSink, Transaction, TransactionSink } from "../transactions/transaction.ts";
import { Counters } from "./counters.ts";
import { SeriesTable } from "./series.ts";
import type { Snapshot, StageCounters } from "./snapshot.ts";
import { type AggregateState, takeState } from "./state.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { Tally, type TallyContext } from "./tally.ts";

/** Takes each transaction that is to be printed. The record is reused: copy what must outlive the call. */
export interface TransactionOutput {
  transaction(transaction: Transaction): void;
}

export interface AggregateOptions {
  /** `-t` in µs; null prints all and counts none as slow. */
  readonly thresholdUs: number | null;
  readonly outputs: readonly TransactionOutput[];
  /** Takes every finished transaction, printed or not; null for nobody. */
  readonly observer?: TransactionOutput | null;
}

/** Turns transactions into numbers, and hands on those that are to be printed. */
export class Aggregate implements TransactionSink, TallyContext {
  readonly counters = new Counters();
  /** A transaction of class normal at least this long is slow, in µs. */
  readonly slowUs: number;
  /** By class: transactions at least this long are printed. Waiting on purpose is never slow. */
  readonly printFromUs: Float64Array;
  readonly observer: TransactionOutput | null;
  private readonly series = new SeriesTable();
  private readonly outputs: readonly TransactionOutput[];

  constructor(options: AggregateOptions) {
    const thresholdUs = options.thresholdUs;
    this.slowUs = thresholdUs ?? Number.POSITIVE_INFINITY;
    this.printFromUs = new Float64Array(5).fill(thresholdUs ?? Number.NEGATIVE_INFINITY);
    if (thresholdUs !== null) {
      this.printFromUs[TransactionClass.blocking] = Number.POSITIVE_INFINITY;
      this.printFromUs[TransactionClass.stream] = Number.POSITIVE_INFINITY;
    }
    this.outputs = options.outputs;
    this.observer = options.observer ?? null;
  }

  service(server: ServerRef, protocol: Protocol): ServiceSink {
    const service = this.series.service(server, protocol);
    service.tally ??= new Tally(this, this.series.server(server), service);
    return service.tally;
  }

  /** Every number as it stands now, with those of the stages to the left. */
  snapshot(stages: StageCounters): Snapshot {
    return takeSnapshot(this.series, this.counters, stages);
  }

  /** The same numbers, to be merged with those of others. */
  state(): AggregateState {
    return takeState(this.series, this.counters);
  }

  print(transaction: Transaction): void {
    for (let i = 0; i < this.outputs.length; i++) this.outputs[i]!.transaction(transaction);
  }
}
