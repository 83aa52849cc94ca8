import type { Connection } from "./connection.ts";
import { ServerOnly } from "./server-only.ts";

/** A connection that leaves is read on for so long; one that always has a request pending, then no further. */
const LEAVE_US = 200_000;

/**
 * Which connections are analysed (`--max-cpu`): whole ones, those whose hash lies below a threshold. Both directions have one
 * hash, and a smaller sample is a part of a larger one, so that a change disturbs as few connections as can be.
 */
export class Sample {
  /** The share of the connections that is analysed, (0..1]. */
  ratio = 1;
  /** Connections that were put outside, some of them in their middle. */
  connectionsOutside = 0;
  /** Segments of connections that were outside by then. */
  segmentsOutside = 0;
  private threshold = 2 ** 32;
  private leaveByUs = 0.5;

  /** `clockUs` is the capture's clock. */
  set(ratio: number, clockUs: number): void {
    this.ratio = ratio;
    this.threshold = Math.ceil(ratio * 2 ** 32);
    this.leaveByUs = clockUs + LEAVE_US;
  }

  /** Whether a connection with this hash is analysed. */
  holds(hash: number): boolean {
    return spread(hash) < this.threshold;
  }

  /**
   * Ends the reading of a connection where nothing is pending on it, else that of its client's bytes when it has had time
   * enough: what was asked is told with its answer, or slow requests would be missing from the numbers. True when it is over.
   */
  release(connection: Connection, clockUs: number): boolean {
    const receiver = connection.receiver;
    connection.isLeaving = receiver?.hasPending === true;
    if (connection.isLeaving) {
      if (clockUs <= this.leaveByUs || receiver instanceof ServerOnly) return false;
      connection.receiver = new ServerOnly(receiver!);
      connection.lossReason = "sampled";
      return false;
    }
    receiver?.ended("idle");
    connection.receiver = null;
    return true;
  }

  /** A connection stays in the sample; where its client's bytes are read no more, it is opened anew when it has gone. */
  keep(connection: Connection): void {
    connection.isLeaving = connection.receiver instanceof ServerOnly;
  }

  /** From here on the connection costs a look-up and a test a segment. */
  exclude(connection: Connection): void {
    connection.isIgnored = true;
    connection.isOutside = true;
    this.connectionsOutside++;
  }
}

/** The table's hash is for the table: neighbouring ports, all there is on a loopback, must spread over the whole range. */
function spread(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
