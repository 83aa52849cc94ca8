import type { Side } from "./connection.ts";
import { RoundTrip } from "./round-trip.ts";

/** What the network between the two ends of a connection takes of its time. */
export class Path {
  /** From here to the server and back, and from here to the client and back. */
  readonly toServer = new RoundTrip();
  readonly toClient = new RoundTrip();
  /** SYNs that were sent again. */
  synRetransmissions = 0;
  /** The server has answered the SYN, and the client not yet the server. */
  isConnecting = false;
  /** How long connecting took, SYNs sent again included, in µs, and when it was done; -1 where that was not seen. */
  connectUs = -1;
  connectedAtUs = 0;
  #synLow = 0;
  #lastSynLow = 0;
  #hasSyn = false;
  #synAckLow = 0;
  #isSynAckTwice = false;
  /** Time in which a receive window was closed, until the last one opened, and how many are closed now. */
  #closedUs = 0;
  #closed = 0;
  #closedLow = 0;

  // Times are Segment.timeLow: µs modulo 2^32, differences signed, good for half an hour.

  syn(nowLow: number): void {
    if (this.#hasSyn) this.synRetransmissions++;
    else this.#synLow = nowLow;
    this.#lastSynLow = nowLow;
    this.#hasSyn = true;
  }

  synAck(nowLow: number): void {
    if (this.isConnecting) {
      this.#isSynAckTwice = true;
      return;
    }
    this.#synAckLow = nowLow;
    if (!this.#hasSyn) return;
    this.isConnecting = true;
    // Of two SYNs nobody knows which one was answered (Karn).
    if (this.synRetransmissions === 0) this.toServer.shookHands((nowLow - this.#lastSynLow) | 0, nowLow);
  }

  /** The client's first segment after the server's answer came. */
  connected(timeUs: number): void {
    const nowLow = timeUs | 0;
    this.isConnecting = false;
    if (!this.#isSynAckTwice) this.toClient.shookHands((nowLow - this.#synAckLow) | 0, nowLow);
    this.connectUs = Math.max(0, (nowLow - this.#synLow) | 0);
    this.connectedAtUs = timeUs;
  }

  windowCloses(nowLow: number): void {
    if (this.#closed++ === 0) this.#closedLow = nowLow;
  }

  windowOpens(nowLow: number): void {
    if (--this.#closed === 0) this.#closedUs += Math.max(0, (nowLow - this.#closedLow) | 0);
  }

  /**
   * The round trip (T14), or -1 while unknown: of the way that is not within the host that captures, and of both ways where
   * neither end is.
   */
  roundTripUs(side: Side): number {
    const { toServer, toClient } = this;
    if (side === "transit" && toServer.us >= 0 && toClient.us >= 0) return toServer.us + toClient.us;
    return side === "server" ? toClient.us : toServer.us;
  }

  /** How long the receive window of either end was closed until `moment`, in µs since the connection began. */
  // Runs for every segment with payload.
  closedUs(moment: { readonly timeUs: number }): number {
    if (this.#closed === 0) return this.#closedUs;
    return this.#closedUs + Math.max(0, ((moment.timeUs | 0) - this.#closedLow) | 0);
  }
}
