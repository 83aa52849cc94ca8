import type { Protocol } from "../protocols/protocol.ts";
import { NO_ERROR, TransactionClass } from "../protocols/protocol.ts";
import type { ServerRef, Transaction, TransactionSink, UnmatchedReason } from "../transactions/transaction.ts";
import { Flag, UNANSWERED_REASONS, UNMATCHED_REASONS } from "../transactions/transaction.ts";
import { Counters } from "./counters.ts";
import { SeriesTable } from "./series.ts";
import type { Snapshot, StageCounters } from "./snapshot.ts";
import { takeSnapshot } from "./take-snapshot.ts";

/** Takes each transaction that is to be printed. The record is reused: copy what must outlive the call. */
export interface TransactionOutput {
  transaction(transaction: Transaction): void;
}

export interface AggregateOptions {
  /** `-t` in µs; null prints all and counts none as slow. */
  readonly thresholdUs: number | null;
  readonly outputs: readonly TransactionOutput[];
}

/** Turns transactions into numbers, and hands on those that are to be printed. */
export class Aggregate implements TransactionSink {
  private readonly series = new SeriesTable();
  private readonly counters = new Counters();
  private readonly slowUs: number;
  /** By class: transactions at least this long are printed. Waiting on purpose is never slow. */
  private readonly printFromUs: Float64Array;
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
  }

  // Runs for every segment.
  requested(server: ServerRef, protocol: Protocol, commandId: number, requestBytes: number, hasReply: boolean): void {
    const service = this.series.service(server, protocol);
    this.counters.requests++;
    service.requests++;
    service.command(commandId).requests++;
    service.requestBytes += requestBytes;
    if (hasReply) service.pending++;
    else service.noReply++;
  }

  settledSilently(server: ServerRef, protocol: Protocol): void {
    const service = this.series.service(server, protocol);
    service.pending--;
    service.noReply++;
  }

  // Runs for every segment.
  answered(transaction: Transaction): void {
    const server = this.series.server(transaction.server);
    server.side = transaction.side;
    const service = this.series.service(transaction.server, transaction.protocol);
    const series = service.command(transaction.commandId).of(transaction.class);
    this.counters.responses++;
    service.answered++;
    service.pending--;
    service.responseBytes += transaction.responseBytes;
    if (transaction.errorId === NO_ERROR) series.ok++;
    else {
      series.errors++;
      service.errors[transaction.errorId] = service.errors[transaction.errorId]! + 1;
    }
    const latencyUs = transaction.latencyUs;
    if ((transaction.flags & Flag.clockSkew) === 0) {
      series.latency.record(latencyUs);
      if (transaction.class === TransactionClass.normal) {
        service.wait.record(transaction.waitUs);
        if (latencyUs >= this.slowUs) service.slow++;
      }
    }
    if (latencyUs >= this.printFromUs[transaction.class]!) this.print(transaction);
  }

  unanswered(transaction: Transaction): void {
    const server = this.series.server(transaction.server);
    server.side = transaction.side;
    const service = this.series.service(transaction.server, transaction.protocol);
    service.pending--;
    increment(service.unanswered, UNANSWERED_REASONS, transaction.unanswered);
    if (transaction.waitedUs >= this.printFromUs[transaction.class]!) this.print(transaction);
  }

  unmatched(server: ServerRef, protocol: Protocol, reason: UnmatchedReason, responseBytes: number): void {
    const service = this.series.service(server, protocol);
    this.counters.responses++;
    service.unmatchedBytes += responseBytes;
    increment(service.unmatched, UNMATCHED_REASONS, reason);
  }

  pushed(server: ServerRef, protocol: Protocol, bytes: number): void {
    const service = this.series.service(server, protocol);
    this.counters.responses++;
    service.pushes++;
    service.pushBytes += bytes;
  }

  lookups(server: ServerRef, protocol: Protocol, hits: number, misses: number): void {
    const service = this.series.service(server, protocol);
    service.hits += hits;
    service.misses += misses;
  }

  parserError(protocol: Protocol, reason: string): void {
    const errors = this.counters.parser(protocol).errors;
    errors.set(reason, (errors.get(reason) ?? 0) + 1);
  }

  resynced(protocol: Protocol): void {
    this.counters.parser(protocol).resyncs++;
  }

  /** Every number as it stands now, with those of the stages to the left. */
  snapshot(stages: StageCounters): Snapshot {
    return takeSnapshot(this.series, this.counters, stages);
  }

  private print(transaction: Transaction): void {
    for (let i = 0; i < this.outputs.length; i++) this.outputs[i]!.transaction(transaction);
  }
}

function increment<Name extends string>(counts: Float64Array, names: readonly Name[], name: Name | ""): void {
  const index = names.indexOf(name as Name);
  if (index < 0) throw new Error(`"${name}" is no reason of ${names.join(", ")}`);
  counts[index] = counts[index]! + 1;
}
