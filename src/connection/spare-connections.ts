import { Connection, type Ends } from "./connection.ts";
import type { Server } from "./server.ts";

/** More of each kind are not kept: 7 MB of connections with their flows. */
const CAPACITY = 16_384;

/**
 * The objects of connections that are gone, for those that come. Where connections come and go each is remembered for seconds, and so outlives
 * several tidyings of V8's room for new objects, which copies it twice and then has to find it among the old ones. Whoever keeps a connection beyond its
 * time in the table tells by its id whether it is still the same (`ConnectionFifo`).
 */
export class SpareConnections {
  private readonly streams: Connection[] = [];
  private readonly datagrams: Connection[] = [];

  /** A connection between the ends that this segment goes from and to. */
  take(id: number, ends: Ends, server: Server, isDatagrams: boolean): Connection {
    const spare = (isDatagrams ? this.datagrams : this.streams).pop();
    if (spare === undefined) return new Connection(id, ends, server, isDatagrams);
    spare.open(id, ends, server);
    return spare;
  }

  /** It is gone from the table. */
  give(connection: Connection): void {
    const spares = connection.isDatagrams ? this.datagrams : this.streams;
    if (spares.length < CAPACITY) spares.push(connection);
  }
}
