import type { TestSegment } from "../support/segments.ts";
import { type Exchange, noteTimes, type Plan, type TruePair } from "./simulation.ts";

/** Without values that consist of commands: where their beginning is missing, native-notes/limits.md says what comes of it. */
export function withoutCommands(exchange: Exchange): Exchange {
  return exchange.request === "setHostile" ? { ...exchange, request: "set" } : exchange;
}

/** What is inline may be the middle of a value: behind a hole only a client known to wait is believed. */
export function inResp(exchange: Exchange): Exchange {
  return exchange.request === "inline" ? { ...exchange, request: "get" } : exchange;
}

/** Pairs of which every byte is in these frames. */
export function shownWhole(frames: readonly TestSegment[], plan: Plan, pairs: readonly TruePair[]): number {
  const again = pairs.map((pair) => ({ ...pair }));
  noteTimes(plan, frames, again);
  return again.filter((pair) => Number.isFinite(pair.requestEndUs) && Number.isFinite(pair.endUs)).length;
}
