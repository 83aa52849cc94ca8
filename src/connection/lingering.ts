import type { Connection } from "./connection.ts";
import { ConnectionFifo, GONE } from "./connection-fifo.ts";

/** An ended connection is remembered this long, so that a late segment of it does not look like a new one. */
const LINGER_US = 10_000_000;
/** So many may be gone from the table before their places here are given back. */
const TRIM = 1024;

/** Connections that have ended and are remembered, the first ended first. */
export class Lingering {
  private readonly ended = new ConnectionFifo();
  /** How many of them may be gone from the table already. */
  private gone = 0;

  /** It has ended now: from here on `lastUs` counts how long it is remembered. */
  add(connection: Connection): void {
    this.ended.push(connection);
  }

  /** A new connection takes this one's place in the table. */
  replaced(connection: Connection): void {
    if (++this.gone <= TRIM || this.gone * 2 <= this.ended.length) return;
    this.ended.dropGone(connection);
    this.gone = 0;
  }

  /** Takes the first ended out that is still in the table; undefined where there is none. */
  takeFirst(): Connection | undefined {
    let first = this.ended.shift();
    while (first === GONE) first = this.ended.shift();
    return first;
  }

  /** The same for those only that have been remembered for long enough at `clockUs`. */
  takeDue(clockUs: number): Connection | undefined {
    const { ended } = this;
    let first = ended.first;
    for (; first === GONE; first = ended.first) ended.shift();
    if (first === undefined || first.lastUs + LINGER_US > clockUs) return undefined;
    ended.shift();
    return first;
  }
}
