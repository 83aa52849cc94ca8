import type { Behind } from "../transactions/ahead.ts";
import { Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";

/** What took the server for so long may have held others. */
export const LONG_US = 1000;
/** Replies that a server made at the same moment leave it, in any order, within this. */
export const TOGETHER_US = 1000;
const CAPACITY = 64;

interface Culprit {
  readonly connectionId: number;
  readonly requestNumber: number;
  readonly commandId: number;
  readonly client: string;
  /** While the server worked on it, µs since the epoch. */
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Requests that may have held a server that does one thing at a time: those that it took long for. One that waited
 * for another is as long, nearly, and within the other's time: it is left out.
 */
export class Culprits {
  private culprits: Culprit[] = [];

  note(of: Transaction): void {
    const { connectionId, requestNumber, commandId } = of;
    const { fromUs, toUs } = serviceOf(of);
    for (const known of this.culprits) if (known.fromUs <= fromUs && known.toUs + TOGETHER_US >= toUs) return;
    this.culprits = this.culprits.filter((known) => known.fromUs < fromUs || known.toUs > toUs + TOGETHER_US);
    if (this.culprits.length === CAPACITY) this.culprits.shift();
    this.culprits.push({ connectionId, requestNumber, commandId, client: of.client.text, fromUs, toUs });
  }

  /** Who held the server for most of this one's time in it: begun before it came, and done when it was answered. */
  of(victim: Transaction): Behind | null {
    const { fromUs, toUs } = serviceOf(victim);
    let longestUs = (toUs - fromUs) / 2;
    let found: Culprit | null = null;
    for (const culprit of this.culprits) {
      if (culprit.connectionId === victim.connectionId || culprit.fromUs >= fromUs) continue;
      if (culprit.toUs > toUs + TOGETHER_US) continue;
      const heldUs = Math.min(culprit.toUs, toUs) - fromUs;
      if (heldUs <= longestUs) continue;
      longestUs = heldUs;
      found = culprit;
    }
    if (found === null) return null;
    const { connectionId, requestNumber, commandId, client } = found;
    return { connectionId, requestNumber, commandId, us: longestUs, client };
  }
}

/** Reused: what is told of one transaction is used before the next. */
const SHARES = new Shares();

/**
 * While the server worked on it, or on another's: the server's share, where it stands in the wait, on the server's own host. Hence
 * nobody is said to have waited for longer than that share.
 */
function serviceOf(of: Transaction): { fromUs: number; toUs: number } {
  const { server, network, queue, send } = SHARES.split(of);
  const sentUs = of.startUs + of.sendUs;
  // What of the request was sent again in the wait, and not while it was being sent.
  const resentUs = Math.min(Math.max(0, of.resentRequestUs - (of.sendUs - send)), of.waitUs);
  const fromUs = sentUs + resentUs + Math.floor(network / 2) + queue;
  return { fromUs, toUs: fromUs + server };
}

/** How long the server, or who held it, took, in µs. */
export function servedUs(of: Transaction): number {
  return SHARES.split(of).server;
}
