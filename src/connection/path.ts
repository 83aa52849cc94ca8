import { RoundTrip } from "./round-trip.ts";

/** Where tcplat's host stands. */
export type Side = "client" | "server" | "local" | "transit";

/** How a connection is made, until that has been told. Times are Segment.timeLow. */
interface Handshake {
  synLow: number;
  lastSynLow: number;
  hasSyn: boolean;
  synRetransmissions: number;
  synAckLow: number;
  isSynAckTwice: boolean;
  connectUs: number;
  connectedAtUs: number;
  /** The server has answered the SYN, and the client not yet the server. */
  isConnecting: boolean;
}

/** Time in which a receive window was closed, until the last one opened, and how many are closed now. */
interface ClosedWindows {
  us: number;
  count: number;
  sinceLow: number;
}

/** What the network between the two ends of a connection takes of its time. */
export class Path {
  /** From here to the server and back, and from here to the client and back. */
  readonly toServer = new RoundTrip();
  readonly toClient = new RoundTrip();
  private handshake: Handshake | null = null;
  /** Null while none has been. */
  private closed: ClosedWindows | null = null;

  // Times are Segment.timeLow: µs modulo 2^32, differences signed, good for half an hour.

  /** The server has answered the SYN, and the client not yet the server. */
  get isConnecting(): boolean {
    return this.handshake?.isConnecting === true;
  }

  /** SYNs that were sent again. */
  get synRetransmissions(): number {
    return this.handshake?.synRetransmissions ?? 0;
  }

  /** How long connecting took, SYNs sent again included, in µs; -1 where that was not seen, or was told before. */
  get connectUs(): number {
    return this.handshake?.connectUs ?? -1;
  }

  /** When that was done, µs since the epoch. */
  get connectedAtUs(): number {
    return this.handshake?.connectedAtUs ?? Number.NaN;
  }

  /** It has been told how the connection was made: 100 bytes less. */
  forgetHandshake(): void {
    this.handshake = null;
  }

  syn(nowLow: number): void {
    this.handshake ??= newHandshake();
    const handshake = this.handshake;
    if (handshake.hasSyn) handshake.synRetransmissions++;
    else handshake.synLow = nowLow;
    handshake.lastSynLow = nowLow;
    handshake.hasSyn = true;
  }

  synAck(nowLow: number): void {
    this.handshake ??= newHandshake();
    const handshake = this.handshake;
    if (handshake.isConnecting) {
      handshake.isSynAckTwice = true;
      return;
    }
    handshake.synAckLow = nowLow;
    if (!handshake.hasSyn) return;
    handshake.isConnecting = true;
    // Of two SYNs nobody knows which one was answered (Karn).
    if (handshake.synRetransmissions === 0) this.toServer.shookHands((nowLow - handshake.lastSynLow) | 0, nowLow);
  }

  /**
   * The client's first segment after the server's answer came. Where that carries data, the client's acknowledgement, which it sends
   * at once, was not captured, and the data may have come any time later: what is known ends with the server's answer.
   */
  connected({ timeUs, payloadLength }: { readonly timeUs: number; readonly payloadLength: number }): void {
    const nowLow = timeUs | 0;
    this.handshake ??= newHandshake();
    const handshake = this.handshake;
    handshake.isConnecting = false;
    const sinceAnswerUs = (nowLow - handshake.synAckLow) | 0;
    const unknownUs = payloadLength > 0 ? Math.max(0, sinceAnswerUs) : 0;
    if (!handshake.isSynAckTwice && payloadLength === 0) this.toClient.shookHands(sinceAnswerUs, nowLow);
    handshake.connectUs = Math.max(0, ((nowLow - handshake.synLow) | 0) - unknownUs);
    handshake.connectedAtUs = timeUs - unknownUs;
  }

  windowCloses(nowLow: number): void {
    this.closed ??= { us: 0, count: 0, sinceLow: 0 };
    if (this.closed.count++ === 0) this.closed.sinceLow = nowLow;
  }

  windowOpens(nowLow: number): void {
    const closed = this.closed;
    if (closed !== null && --closed.count === 0) closed.us += Math.max(0, (nowLow - closed.sinceLow) | 0);
  }

  /** The receive window of either end has been closed at least once. */
  get hadClosedWindow(): boolean {
    return this.closed !== null;
  }

  /**
   * The round trip, or -1 while unknown: of the way that is not within the host that captures, and of both ways where
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
    const closed = this.closed;
    if (closed === null) return 0;
    return closed.count === 0 ? closed.us : closed.us + Math.max(0, ((moment.timeUs | 0) - closed.sinceLow) | 0);
  }
}

function newHandshake(): Handshake {
  return {
    synLow: 0,
    lastSynLow: 0,
    hasSyn: false,
    synRetransmissions: 0,
    synAckLow: 0,
    isSynAckTwice: false,
    connectUs: -1,
    connectedAtUs: 0,
    isConnecting: false,
  };
}
