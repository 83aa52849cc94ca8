import { Fifo } from "../connection/fifo.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { TransactionCopy } from "../transactions/transaction-copy.ts";
import { Culprits, LONG_US, servedUs, TOGETHER_US } from "./culprits.ts";

/** Held at most; beyond, the oldest is told as it is. */
const CAPACITY = 4096;

/** Takes a finished transaction; `isPrinted`: it goes to the outputs, too. */
export type Deliver = (transaction: Transaction, isPrinted: boolean) => void;

/** A transaction that waits to be told. Used again: with a busy server nearly all that is printed is held for a moment. */
class Held {
  readonly transaction = new TransactionCopy();
  isPrinted = false;
  /** What else is told in its place. */
  tell: (() => void) | null = null;
}

/**
 * Who held a server that does one thing at a time (`Protocol.isSerial`), on whatever connection: a server answers those that
 * waited together with the one they waited for, and in any order. So what was long is told a moment later, once all of these
 * answers have passed, and whatever ends meanwhile after it.
 */
export class Inquiry {
  private readonly deliverTo: Deliver;
  private readonly byServer: (Culprits | undefined)[] = [];
  private readonly held = new Fifo<Held>();
  private readonly free: Held[] = [];

  constructor(deliver: Deliver) {
    this.deliverTo = deliver;
  }

  get isHolding(): boolean {
    return this.held.length > 0;
  }

  /** Takes note of a transaction that may have held others: finished, or its response has begun. */
  note(of: Transaction): void {
    if (!isLong(of) || of.protocol.quickCommands?.has(of.commandId)) return;
    // Who was answered long before is told first: what is found out must not hang on where a batch ends.
    if (this.held.length > 0) this.releaseBefore(of);
    const { id } = of.server;
    const culprits = this.byServer[id] ?? new Culprits();
    this.byServer[id] = culprits;
    culprits.note(of);
  }

  /** Delivers it, now or a moment later. */
  // Runs for every transaction that is printed.
  deliver(transaction: Transaction, isPrinted: boolean): void {
    if (this.held.length > 0 && transaction.unanswered === "") this.releaseBefore(transaction);
    if (this.held.length === 0 && !isLong(transaction)) {
      this.deliverTo(transaction, isPrinted);
      return;
    }
    const held = this.free.pop() ?? new Held();
    held.transaction.take(transaction);
    held.isPrinted = isPrinted;
    this.held.push(held);
    if (this.held.length > CAPACITY) this.release();
  }

  /** Runs `tell` now, or a moment later where what was told before is held: everything is told in one order. */
  inTurn(tell: () => void): void {
    if (this.held.length === 0) {
      tell();
      return;
    }
    const held = this.free.pop() ?? new Held();
    held.tell = tell;
    this.held.push(held);
    if (this.held.length > CAPACITY) this.release();
  }

  /** Delivers what has waited long enough when this one ends, or is seen to have begun. (Its end by itself, a double, would be allocated.) */
  private releaseBefore({ endUs }: Transaction): void {
    const { first } = this.held;
    if (first !== undefined && (first.tell !== null || first.transaction.endUs + 2 * TOGETHER_US <= endUs))
      this.advance(endUs);
  }

  /** Delivers what has waited long enough, on the capture's clock; Infinity: all. */
  advance(clockUs: number): void {
    for (let first = this.held.first; first !== undefined; first = this.held.first) {
      if (first.tell === null && first.transaction.endUs + 2 * TOGETHER_US > clockUs) return;
      this.release();
    }
  }

  private release(): void {
    const held = this.held.shift()!;
    if (held.tell === null) this.decide(held);
    else held.tell();
    held.tell = null;
    this.free.push(held);
  }

  private decide({ transaction, isPrinted }: Held): void {
    if (isLong(transaction)) {
      const found = this.byServer[transaction.server.id]?.of(transaction) ?? null;
      if (found !== null && found.us > (transaction.behind?.us ?? 0)) transaction.behind = found;
    }
    this.deliverTo(transaction, isPrinted);
  }
}

/** The server, or who held it, took long for this one. */
function isLong(of: Transaction): boolean {
  const { protocol, waitUs, queueUs, unanswered, server } = of;
  if (protocol.isSerial !== true || server.id === 0 || unanswered !== "") return false;
  return of.class === TransactionClass.normal && waitUs - queueUs >= LONG_US && servedUs(of) >= LONG_US;
}
