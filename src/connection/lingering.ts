import type { Connection } from "./connection.ts";
import { Fifo } from "./fifo.ts";

/** An ended connection is remembered this long, so that a late segment of it does not look like a new one. */
const LINGER_US = 10_000_000;
/** So many may be gone from the table before their places here are given back. */
const TRIM = 1024;

/** Connections that have ended and are remembered, the first ended first. */
export class Lingering {
  private readonly ended = new Fifo<Connection>();
  /** How many of them may be gone from the table already. */
  private gone = 0;

  /** It has ended now: from here on `lastUs` counts how long it is remembered. */
  add(connection: Connection): void {
    this.ended.push(connection);
  }

  /** A new connection takes this one's place in the table. */
  replaced(connection: Connection): void {
    if (++this.gone <= TRIM || this.gone * 2 <= this.ended.length) return;
    this.ended.retain((ended) => ended.slot >= 0 && ended !== connection);
    this.gone = 0;
  }

  /** Takes the first ended out that is still in the table; undefined where there is none. */
  takeFirst(): Connection | undefined {
    let first = this.ended.shift();
    while (first !== undefined && first.slot < 0) first = this.ended.shift();
    return first;
  }

  /** The same for those only that have been remembered for long enough at `clockUs`. */
  takeDue(clockUs: number): Connection | undefined {
    const { ended } = this;
    while (ended.first !== undefined && ended.first.slot < 0) ended.shift();
    return ended.first !== undefined && ended.first.lastUs + LINGER_US <= clockUs ? ended.shift() : undefined;
  }
}
