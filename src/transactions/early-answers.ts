import { HOLD_US } from "../connection/holes.ts";
import type { MessageDetails } from "./details.ts";
import type { ServiceSink } from "./transaction.ts";

/** Who asks for an address asks for both kinds at once. */
const CAPACITY = 4;

/**
 * An answer in a datagram that was captured before anything was asked: several card queues, or a mirror's two ports, may hand over a quick
 * answer before its question. It waits for that as long as a segment does for the one before it. (A flood of answers makes one for each
 * port: it holds what is needed, and the one that came before it, and no more.)
 */
export interface EarlyAnswer {
  readonly id: number;
  readonly timeUs: number;
  readonly offset: number;
  readonly flags: number;
  readonly bytes: number;
  readonly errorId: number;
  readonly details: MessageDetails | null;
  before: EarlyAnswer | null;
}

/** No more are kept behind this one. */
export function isFull(latest: EarlyAnswer | null): boolean {
  let count = 0;
  for (let each = latest; each !== null; each = each.before) count++;
  return count >= CAPACITY;
}

/** The one to the question of this id, which came at `nowUs`; null where it is not among these. */
export function findEarly(latest: EarlyAnswer | null, id: number, nowUs: number): EarlyAnswer | null {
  let each = latest;
  while (each !== null && (each.id !== id || isTooOld(each, nowUs))) each = each.before;
  return each;
}

/** All but this one. */
export function without(latest: EarlyAnswer | null, taken: EarlyAnswer): EarlyAnswer | null {
  if (latest === null || latest === taken) return latest?.before ?? null;
  latest.before = without(latest.before, taken);
  return latest;
}

/** Those that no question can be coming for any more are nobody's. Returns the others. */
export function dropOld(latest: EarlyAnswer | null, nowUs: number, service: ServiceSink): EarlyAnswer | null {
  if (latest === null) return null;
  const before = dropOld(latest.before, nowUs, service);
  if (isTooOld(latest, nowUs)) {
    service.unmatched("no_request", latest.bytes);
    return before;
  }
  latest.before = before;
  return latest;
}

function isTooOld(answer: EarlyAnswer, nowUs: number): boolean {
  return answer.timeUs + HOLD_US < nowUs;
}
