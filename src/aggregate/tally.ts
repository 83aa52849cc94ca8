import { NO_ERROR, TransactionClass } from "../protocols/protocol.ts";
import { addShares, type Shares } from "../transactions/shares.ts";
import type { ServiceSink, Transaction, UnansweredReason, UnmatchedReason } from "../transactions/transaction.ts";
import { Flag, UNANSWERED_REASONS, UNMATCHED_REASONS } from "../transactions/transaction.ts";
import type { Counters } from "./counters.ts";
import type { ServerSeries, Service } from "./series.ts";

/** What all tallies of a run share: where they count, and what is printed. */
export interface TallyContext {
  readonly counters: Counters;
  /** A transaction of class normal at least this long is slow, in µs. */
  readonly slowUs: number;
  /** Ordinary transactions of less need not be handed on one by one, in µs. */
  readonly toldFromUs: number;
  /** And where the wait, without that for others before it, was less. */
  readonly notedFromUs: number;
  /** Reused for every transaction. */
  readonly shares: Shares;
  /** Its response has begun: it may have held others. */
  begin(transaction: Transaction): void;
  /** The transaction is counted; it took `us`. */
  finish(transaction: Transaction, us: number): void;
}

/** Counts what one connection tells, in the series of its server and protocol. */
export class Tally implements ServiceSink {
  /** 0 until the first was told: it says on which side of the network its server is. */
  toldFromUs = 0;
  readonly notedFromUs: number;
  private readonly context: TallyContext;
  private readonly counters: Counters;
  private readonly server: ServerSeries;
  private readonly service: Service;

  constructor(context: TallyContext, server: ServerSeries, service: Service) {
    this.context = context;
    this.notedFromUs = context.notedFromUs;
    this.counters = context.counters;
    this.server = server;
    this.service = service;
  }

  // Runs for every request.
  requested(commandId: number, requestBytes: number, hasReply: boolean, count: number): void {
    const service = this.service;
    this.counters.requests += count;
    service.command(commandId).requests += count;
    service.requestBytes += requestBytes;
    if (hasReply) service.pending += count;
    else service.noReply += count;
  }

  settledSilently(): void {
    this.service.pending--;
    this.service.noReply++;
  }

  begun(transaction: Transaction): void {
    this.context.begin(transaction);
  }

  // Runs for every response.
  answered(transaction: Transaction): void {
    const service = this.service;
    const series = service.command(transaction.commandId).of(transaction.class);
    if (this.server.side === null) this.server.side = transaction.side;
    this.toldFromUs = this.context.toldFromUs;
    this.counters.responses++;
    service.pending--;
    service.responseBytes += transaction.responseBytes;
    if (transaction.errorId === NO_ERROR) series.ok++;
    else {
      series.errors++;
      service.errors[transaction.errorId] = service.errors[transaction.errorId]! + 1;
    }
    const latencyUs = asInteger(transaction.latencyUs);
    if ((transaction.flags & Flag.clockSkew) === 0) {
      series.latency.record(latencyUs);
      if (transaction.class === TransactionClass.normal) {
        const waitUs = asInteger(transaction.waitUs);
        if (waitUs !== latencyUs) service.toWaits.move(latencyUs, waitUs);
        this.countShares(transaction, latencyUs >= this.context.slowUs);
      }
    }
    this.context.finish(transaction, latencyUs);
  }

  // Runs for every response.
  answeredSoon(
    commandId: number,
    responseBytes: number,
    waitUs: number,
    queueUs: number,
    toServerUs: number,
    count: number,
  ): void {
    const service = this.service;
    const series = service.command(commandId).of(TransactionClass.normal);
    this.counters.responses += count;
    service.pending -= count;
    service.responseBytes += responseBytes;
    series.ok += count;
    series.latency.record(waitUs, count);
    addShares(service.lostUs, waitUs, queueUs, toServerUs, count);
    if (toServerUs < 0) service.ofUnknownWay += count;
  }

  // Runs for every response.
  private countShares(transaction: Transaction, isSlow: boolean): void {
    const shares = this.context.shares.split(transaction);
    shares.addTo(this.service.lostUs);
    if (shares.isNetworkUnknown) this.service.ofUnknownWay++;
    if (!isSlow) return;
    const { slow } = this.service;
    const cause = shares.causeId;
    slow[cause] = slow[cause]! + 1;
  }

  unanswered(transaction: Transaction): void {
    this.server.side = transaction.side;
    this.service.pending--;
    increment(this.service.unanswered, UNANSWERED_REASONS, transaction.unanswered);
    this.context.finish(transaction, transaction.waitedUs);
  }

  unfinished(reason: UnansweredReason): void {
    increment(this.service.unfinished, UNANSWERED_REASONS, reason);
  }

  unmatched(reason: UnmatchedReason, responseBytes: number): void {
    this.counters.responses++;
    this.service.unmatchedBytes += responseBytes;
    increment(this.service.unmatched, UNMATCHED_REASONS, reason);
  }

  pushed(bytes: number): void {
    this.counters.responses++;
    this.service.pushes++;
    this.service.pushBytes += bytes;
  }

  lookups(hits: number, misses: number): void {
    this.service.hits += hits;
    this.service.misses += misses;
  }

  parserError(reason: string): void {
    const errors = this.counters.parser(this.service.protocol).errors;
    errors.set(reason, (errors.get(reason) ?? 0) + 1);
  }

  resynced(): void {
    this.counters.parser(this.service.protocol).resyncs++;
  }
}

/** The same number: below 2^31 µs as the small integer that the compiler passes on without allocating (11 ns a transaction). */
function asInteger(us: number): number {
  return us < 0x7fff_ffff ? us | 0 : us;
}

function increment<Name extends string>(counts: Float64Array, names: readonly Name[], name: Name | ""): void {
  const index = names.indexOf(name as Name);
  if (index < 0) throw new Error(`"${name}" is no reason of ${names.join(", ")}`);
  counts[index] = counts[index]! + 1;
}
