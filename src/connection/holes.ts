import type { Connection } from "./connection.ts";
import type { Flow } from "./flow.ts";
import { distance } from "./sequence.ts";

// How long held segments wait for what is missing before them, and what was never to come.

/** The reordering that a capture itself can cause (several queues, a bridge's interfaces): what was not captured for longer is lost to it. */
export const HOLD_US = 50_000;
/** For so long after the first segment of a connection that began before the capture, what was under way then may be acknowledged. */
const UNDER_WAY_US = 1_000_000;

/** Whether its first held segment has not waited HOLD_US yet. */
export function isYoung(flow: Flow, clockUs: number): boolean {
  return flow.held !== null && clockUs < flow.held[0]!.heldAtUs + HOLD_US;
}

/** Whether all bytes before `flow.next` were sent before the capture began: no hole in it. */
export function isFromBefore(connection: Connection, flow: Flow): boolean {
  if (flow.hasSyn || connection.hasHandshake) return false;
  if (flow.isSeen) return distance(flow.initial, flow.next) <= 0;
  return (connection.lastUs - flow.timedLow) % 2 ** 32 < UNDER_WAY_US;
}

/**
 * Both heads wait for each other: a segment that was lost by the capture and sent again acknowledges what was sent in
 * answer to it. The one captured last has the newer acknowledgement, so its bytes come first. False where there is no such tie, or, unless forced, one
 * that is young.
 */
export function resolveTie(connection: Connection, clockUs: number, isForced: boolean): boolean {
  const { fromA, fromB } = connection;
  const a = fromA.held?.[0];
  const b = fromB.held?.[0];
  if (a === undefined || b === undefined) return false;
  if (!isForced && clockUs < Math.max(a.heldAtUs, b.heldAtUs) + HOLD_US) return false;
  if (distance(a.sequence, fromA.next) > 0 || distance(b.sequence, fromB.next) > 0) return false;
  if (a.heldAtUs > b.heldAtUs) a.acknowledgement = fromB.next;
  else b.acknowledgement = fromA.next;
  return true;
}
