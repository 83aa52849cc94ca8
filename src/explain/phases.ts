import { CAUSES, Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { Ladder } from "./ladder.ts";
import { isElision, isSentAgain, type Rung, type Span } from "./steps.ts";

/** A part of the latency, as `Shares` splits it, and when that was. */
export interface Phase {
  readonly name: (typeof CAUSES)[number];
  readonly us: number;
  readonly spans: readonly Span[];
}

/**
 * The phases that took any time, in the order in which they began. The shares are the record's; where in time they lie follows
 * from the segments that were sent again, and the network's is drawn half on each way.
 */
export function phasesOf(of: Transaction, ladder: Ladder): Phase[] {
  if (of.unanswered !== "") return [];
  const shares = new Shares().split(of);
  const spans = new Map<Phase["name"], Span[]>();
  const put = (name: Phase["name"], fromUs: number, toUs: number): number => {
    if (toUs > fromUs) spans.set(name, [...(spans.get(name) ?? []), { fromUs, toUs }]);
    return Math.max(fromUs, toUs);
  };
  const { sendUs, waitUs, receiveUs, latencyUs } = of;
  // The same division of what was lost as in Shares.
  const inSend = Math.min(Math.max(0, of.resentRequestUs - waitUs), sendUs);
  const inReceive = Math.min(of.resentResponseUs, receiveUs);
  const requestInWait = Math.min(of.resentRequestUs - inSend, waitUs);
  const responseInWait = Math.min(of.resentResponseUs - inReceive, waitUs - requestInWait);
  putAround("send", 0, sendUs, inSend, againAt(ladder, true, 0, sendUs), put);
  let at = put("retransmission", sendUs, sendUs + requestInWait);
  at = put("queue", at, at + shares.queue);
  at = put("network", at, at + shares.network / 2);
  at = put("server", at, at + shares.server);
  at = put("network", at, at + shares.network / 2);
  put("retransmission", at, at + responseInWait);
  const receiveFrom = sendUs + waitUs;
  const lastAgain = againAt(ladder, false, receiveFrom, latencyUs);
  putAround("receive", receiveFrom, latencyUs, inReceive, lastAgain, put);
  const phases = [...spans].map(([name, each]) => ({ name, spans: each, us: shares.share(CAUSES.indexOf(name)) }));
  return phases.toSorted((a, b) => a.spans[0]!.fromUs - b.spans[0]!.fromUs);
}

/** A phase of which `lostUs` were lost until `againUs`, when the last segment sent again came. */
function putAround(
  name: "send" | "receive",
  fromUs: number,
  toUs: number,
  lostUs: number,
  againUs: number | null,
  put: (name: Phase["name"], fromUs: number, toUs: number) => number,
): void {
  const lostTo = Math.max(fromUs + lostUs, Math.min(againUs ?? toUs, toUs));
  put(name, fromUs, lostTo - lostUs);
  put("retransmission", lostTo - lostUs, lostTo);
  put(name, lostTo, toUs);
}

/** When the last segment sent again in this direction, and in this time, came; null where none was seen. */
function againAt(ladder: Ladder, isFromClient: boolean, fromUs: number, toUs: number): number | null {
  const isIt = (rung: Rung): boolean =>
    rung.isFromClient === isFromClient && isSentAgain(rung) && rung.atUs > fromUs && rung.atUs <= toUs;
  const found = ladder.steps.findLast((step): step is Rung => !isElision(step) && isIt(step));
  return found?.atUs ?? null;
}
