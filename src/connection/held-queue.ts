import type { Connection } from "./connection.ts";
import { Fifo } from "./fifo.ts";

/** A connection with held segments, and when these are to be given up waiting for. */
interface Waiting {
  readonly connection: Connection;
  readonly untilUs: number;
}

/** Connections with held segments: each waits equally long, so that the first is due first. */
export class HeldQueue {
  private readonly waiting = new Fifo<Waiting>();

  push(connection: Connection, untilUs: number): void {
    this.waiting.push({ connection, untilUs });
  }

  /** When the first is due, in µs since the epoch; infinity where none waits. */
  get nextUs(): number {
    return this.waiting.first?.untilUs ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Takes those out that are due and still wait for this time, not for another since. In an order that does not depend on who
   * else waits, so that each of several workers has the same: that of the sweep.
   */
  takeDue(clockUs: number): Connection[] {
    const due = new Set<Connection>();
    for (let head = this.waiting.first; head !== undefined && head.untilUs <= clockUs; head = this.waiting.first) {
      if (head.connection.holdUntilUs === head.untilUs) due.add(head.connection);
      this.waiting.shift();
    }
    return [...due].sort((a, b) => a.orderedFrame - b.orderedFrame);
  }
}
