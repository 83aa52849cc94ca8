import type { Side } from "./transaction.ts";

/** What a transaction's time went into, largest wins. The names are the contract's `cause`. */
export const CAUSES = ["server", "network", "retransmission", "queue", "send", "receive", "unknown"] as const;
export type Cause = (typeof CAUSES)[number];

/** What is known of one transaction's time; all in µs. */
export interface Times {
  readonly side: Side;
  readonly sendUs: number;
  readonly waitUs: number;
  readonly receiveUs: number;
  readonly queueUs: number;
  /** Lost to segments sent again, of the request and of the response. */
  readonly resentRequestUs: number;
  readonly resentResponseUs: number;
  /** From here to the server and back; negative while unknown. */
  readonly toServerUs: number;
}

/**
 * The latency, split: the parts add up to it. One record, reused. Retransmissions come first, since whatever waits behind a lost
 * segment waits for that; then the wait for earlier requests; what is left of the wait is the way to the server and back, as
 * far as it is known to be, and the server.
 */
export class Shares {
  server = 0;
  network = 0;
  retransmission = 0;
  queue = 0;
  send = 0;
  receive = 0;
  /** The way to the server is not known: `server` includes it. */
  isNetworkUnknown = false;

  // Runs for every response.
  split(times: Times): void {
    const resentRequest = Math.min(times.resentRequestUs, times.waitUs + times.sendUs);
    const fromWait = Math.min(resentRequest, times.waitUs);
    const fromReceive = Math.min(times.resentResponseUs, times.receiveUs);
    const responseFromWait = Math.min(times.resentResponseUs - fromReceive, times.waitUs - fromWait);
    const waited = times.waitUs - fromWait - responseFromWait;
    this.retransmission = resentRequest + fromReceive + responseFromWait;
    this.send = times.sendUs - (resentRequest - fromWait);
    this.receive = times.receiveUs - fromReceive;
    // The queue and the retransmission overlap: those ahead waited for the same segment.
    this.queue = Math.max(0, Math.min(times.queueUs - fromWait - responseFromWait, waited));
    const left = waited - this.queue;
    const hasNetwork = times.side === "client" || times.side === "transit";
    this.isNetworkUnknown = hasNetwork && times.toServerUs < 0;
    this.network = hasNetwork && times.toServerUs > 0 ? Math.min(times.toServerUs, left) : 0;
    this.server = left - this.network;
  }

  /** Moves `us` of the server's share to the queue: it was busy with another connection's command. */
  blame(us: number): void {
    const moved = Math.min(us, this.server);
    this.server -= moved;
    this.queue += moved;
  }

  /** The largest share, and `unknown` where it may be the network's or the server's. */
  get cause(): Cause {
    let cause: Cause = "server";
    let most = this.server;
    for (const name of SHARE_NAMES) {
      if (this[name] <= most) continue;
      most = this[name];
      cause = name;
    }
    return cause === "server" && this.isNetworkUnknown ? "unknown" : cause;
  }

  of(cause: Cause): number {
    return cause === "unknown" ? this.server : this[cause];
  }
}

const SHARE_NAMES = ["network", "retransmission", "queue", "send", "receive"] as const;
