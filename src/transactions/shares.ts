import { Flag, type Transaction } from "./transaction.ts";

/** What a transaction's time went into; the names are those of `cause` in the JSON record. */
export const CAUSES = ["server", "network", "retransmission", "queue", "send", "receive", "unknown"] as const;
export type Cause = (typeof CAUSES)[number];
const UNKNOWN = CAUSES.indexOf("unknown");

/** What these flags say happened to the bytes forbids a verdict on their times. */
const DOUBTFUL = Flag.gap | Flag.clockSkew;

/**
 * A transaction's latency, split: the shares add up to it. One record, reused, all in µs. Retransmissions come first, since
 * whatever waits behind a lost segment waits for that; then the way to the server and back, as far as it is known to be, which
 * every request takes; then the wait for earlier requests; what is left of the wait is the server.
 */
export class Shares {
  server = 0;
  network = 0;
  retransmission = 0;
  queue = 0;
  send = 0;
  receive = 0;
  /** The way to the server is not known, so that `server` includes it. */
  isNetworkUnknown = false;
  private isDoubtful = false;

  /** Takes over an answered transaction. */
  // Runs for every response.
  split(of: Transaction): this {
    const { waitUs, sendUs, receiveUs, toServerUs } = of;
    let left = waitUs;
    this.send = sendUs;
    this.receive = receiveUs;
    this.retransmission = 0;
    this.queue = 0;
    if (of.resends !== 0) left -= this.takeResent(of);
    this.network = toServerUs > 0 ? Math.min(toServerUs, left) : 0;
    left -= this.network;
    if (of.queueUs > 0) {
      // The queue overlaps with both: those ahead waited for the same segment, and took the same way.
      this.queue = Math.min(Math.max(0, of.queueUs - (waitUs - left)), left);
      left -= this.queue;
    }
    this.server = left;
    this.isNetworkUnknown = toServerUs < 0;
    this.isDoubtful = (of.flags & DOUBTFUL) !== 0;
    return this;
  }

  /** What was lost to segments sent again, taken from the phases in which that was. Returns the part of the wait. */
  private takeResent(of: Transaction): number {
    const inSend = Math.min(Math.max(0, of.resentRequestUs - of.waitUs), of.sendUs);
    const inReceive = Math.min(of.resentResponseUs, of.receiveUs);
    const inWait = Math.min(of.resentRequestUs - inSend + of.resentResponseUs - inReceive, of.waitUs);
    this.send -= inSend;
    this.receive -= inReceive;
    this.retransmission = inSend + inReceive + inWait;
    return inWait;
  }

  /** Adds the shares to sums by index of CAUSES: the server's to "unknown" where it includes the network's. */
  // Runs for every response.
  addTo(sums: Float64Array): void {
    const server = this.isNetworkUnknown ? UNKNOWN : 0;
    sums[server] = sums[server]! + this.server;
    if (this.network > 0) sums[1] = sums[1]! + this.network;
    if (this.retransmission > 0) sums[2] = sums[2]! + this.retransmission;
    if (this.queue > 0) sums[3] = sums[3]! + this.queue;
    if (this.send > 0) sums[4] = sums[4]! + this.send;
    if (this.receive > 0) sums[5] = sums[5]! + this.receive;
  }

  /** A share by its index in CAUSES; "unknown" has none. */
  share(cause: number): number {
    switch (cause) {
      case 0:
        return this.server;
      case 1:
        return this.network;
      case 2:
        return this.retransmission;
      case 3:
        return this.queue;
      case 4:
        return this.send;
      case 5:
        return this.receive;
      default:
        return 0;
    }
  }

  /** The largest share, as an index of CAUSES: "unknown" where that may be the network's as well, or the times are doubtful. */
  get causeId(): number {
    if (this.isDoubtful) return UNKNOWN;
    let largest = 0;
    for (let cause = 1; cause < UNKNOWN; cause++) if (this.share(cause) > this.share(largest)) largest = cause;
    return largest === 0 && this.isNetworkUnknown && this.server > 0 ? UNKNOWN : largest;
  }

  /** How long that was: for "unknown" what is left when all else is told. */
  get causeUs(): number {
    const { causeId } = this;
    return causeId === UNKNOWN ? this.server : this.share(causeId);
  }
}

// Of a transaction that was all wait, and nothing of it sent again, the same shares by themselves, in small integers: a third of
// what `split` costs (test/bench, stages).

/** Its server's share. */
// Runs for every response.
export function serverShareUs(waitUs: number, queueUs: number, toServerUs: number): number {
  const networkUs = toServerUs > 0 ? Math.min(toServerUs, waitUs) : 0;
  return waitUs - Math.max(queueUs, networkUs);
}

/** Adds all of them, as `addTo`, of `count` such transactions. */
// Runs for every response.
export function addShares(
  sums: Float64Array,
  waitUs: number,
  queueUs: number,
  toServerUs: number,
  count: number,
): void {
  const network = toServerUs > 0 ? Math.min(toServerUs, waitUs) : 0;
  const queue = queueUs > network ? queueUs - network : 0;
  const server = toServerUs < 0 ? UNKNOWN : 0;
  sums[server] = sums[server]! + (waitUs - network - queue) * count;
  if (network > 0) sums[1] = sums[1]! + network * count;
  if (queue > 0) sums[3] = sums[3]! + queue * count;
}

/** The server's part of the wait: all of it on the server's host, else without the round trip; null while that is unknown. */
export function serverUs(of: Transaction): number | null {
  return of.toServerUs < 0 ? null : Math.max(0, of.waitUs - of.toServerUs);
}
