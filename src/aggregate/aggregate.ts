import type { Protocol } from "../protocols/protocol.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import { Shares } from "../transactions/shares.ts";
import type { Connect, ServerRef, ServiceSink, Transaction, TransactionSink } from "../transactions/transaction.ts";
import { Counters } from "./counters.ts";
import { LONG_US } from "./culprits.ts";
import { Inquiry } from "./inquiry.ts";
import { SeriesTable } from "./series.ts";
import type { Snapshot, StageCounters } from "./snapshot.ts";
import { type AggregateState, takeState } from "./state.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { Tally, type TallyContext } from "./tally.ts";

/** Takes each transaction that is to be printed. The record is reused: copy what must outlive the call. */
export interface TransactionOutput {
  transaction(transaction: Transaction): void;
  /** Takes each connection that was made slowly (`-t`). */
  connect?(connect: Connect): void;
}

/** What is only counted is counted in small integers. */
const MOST_UNTOLD_US = 2 ** 30;

export interface AggregateOptions {
  /** `-t` in µs; null prints all and counts none as slow. */
  readonly thresholdUs: number | null;
  readonly outputs: readonly TransactionOutput[];
  /** All connections are counted here: who waited for another's can be found out. True unless given. */
  readonly seesAll?: boolean;
  /** Takes every finished transaction, printed or not; null for nobody. */
  readonly observer?: TransactionOutput | null;
}

/** Turns transactions into numbers, and hands on those that are to be printed. */
export class Aggregate implements TransactionSink, TallyContext {
  readonly counters = new Counters();
  readonly shares = new Shares();
  /** A transaction of class normal at least this long is slow, in µs. */
  readonly slowUs: number;
  /** By class: transactions at least this long are printed. Waiting on purpose is never slow. */
  readonly printFromUs: Float64Array;
  readonly observer: TransactionOutput | null;
  readonly toldFromUs: number;
  readonly notedFromUs: number;
  private readonly isTelling: boolean;
  private readonly inquiry: Inquiry | null;
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
    this.isTelling = this.outputs.length > 0 || this.observer !== null;
    const seesAll = options.seesAll ?? true;
    this.inquiry = this.isTelling && seesAll ? new Inquiry((of, isPrinted) => this.deliver(of, isPrinted)) : null;
    this.toldFromUs = this.leastToldUs();
    this.notedFromUs = this.inquiry === null ? MOST_UNTOLD_US : LONG_US;
  }

  private leastToldUs(): number {
    if (this.observer !== null) return 0;
    const printedUs = this.outputs.length > 0 ? this.printFromUs[TransactionClass.normal]! : MOST_UNTOLD_US;
    return Math.max(0, Math.min(printedUs, this.slowUs, MOST_UNTOLD_US));
  }

  /** A round trip of one of the server's connections, in µs. */
  roundTrip(server: ServerRef, us: number): void {
    this.series.server(server).roundTrip.record(us);
  }

  connected(connect: Connect): void {
    this.series.server(connect.server).connect.record(connect.latencyUs);
    if (connect.rttUs !== null) this.roundTrip(connect.server, connect.rttUs);
    if (connect.latencyUs < this.slowUs) return;
    if (this.inquiry === null) {
      for (const output of this.outputs) output.connect?.(connect);
      return;
    }
    // When it is its turn, the connection may be gone.
    const { client, serverEndpoint } = connect;
    const told = { ...connect, client: { text: client.text }, serverEndpoint: { text: serverEndpoint.text } };
    this.inquiry.inTurn(() => {
      for (const output of this.outputs) output.connect?.(told);
    });
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

  /** Those who waited for one with a long response are told before that has ended. */
  begin(transaction: Transaction): void {
    if (transaction.waitUs >= LONG_US) this.inquiry?.note(transaction);
  }

  /** Hands on what is to be printed, and everything to the observer. */
  // Runs for every response.
  finish(transaction: Transaction, us: number): void {
    if (!this.isTelling) return;
    const isPrinted = us >= this.printFromUs[transaction.class]!;
    const { inquiry } = this;
    if (inquiry === null) this.deliver(transaction, isPrinted);
    else {
      if (transaction.waitUs >= LONG_US) inquiry.note(transaction);
      if (isPrinted || this.observer !== null) inquiry.deliver(transaction, isPrinted);
    }
  }

  /** Something is held back until who held its server has been seen. */
  get isHolding(): boolean {
    return this.inquiry?.isHolding ?? false;
  }

  /** The capture's clock stands here: what was held back may be told. Infinity: all. */
  advance(clockUs: number): void {
    this.inquiry?.advance(clockUs);
  }

  private deliver(transaction: Transaction, isPrinted: boolean): void {
    this.observer?.transaction(transaction);
    if (!isPrinted) return;
    for (let i = 0; i < this.outputs.length; i++) this.outputs[i]!.transaction(transaction);
  }
}
