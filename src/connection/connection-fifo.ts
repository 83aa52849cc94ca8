import type { Connection } from "./connection.ts";
import { Fifo } from "./fifo.ts";

/** What `first` and `shift` return of a connection that is gone from the table. */
export const GONE = null;

/** Connections, first in, first out. What is gone from the table meanwhile stays in its place, and is known to be gone. */
export class ConnectionFifo {
  private readonly connections = new Fifo<Connection>();
  /** By which they were known here: a connection that is gone may serve as another one. */
  private readonly ids = new Fifo<number>();

  /** With those that are gone. */
  get length(): number {
    return this.ids.length;
  }

  /** The oldest; undefined where there is none. */
  get first(): Connection | typeof GONE | undefined {
    return this.stillThere(this.connections.first, this.ids.first);
  }

  push(connection: Connection): void {
    this.connections.push(connection);
    this.ids.push(connection.id);
  }

  /** Takes the oldest out. */
  shift(): Connection | typeof GONE | undefined {
    return this.stillThere(this.connections.shift(), this.ids.shift());
  }

  /** Puts all that are not gone behind one another. `leaving` is about to go. */
  dropGone(leaving: Connection): void {
    for (let left = this.length; left > 0; left--) {
      const connection = this.shift();
      if (connection && connection !== leaving) this.push(connection);
    }
  }

  private stillThere(connection: Connection | undefined, id: number | undefined): Connection | typeof GONE | undefined {
    return connection === undefined || (connection.slot >= 0 && connection.id === id) ? connection : GONE;
  }
}
