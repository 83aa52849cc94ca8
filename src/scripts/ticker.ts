import type { Tick } from "../../types/script.d.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { statsDocument } from "../outputs/stats-document.ts";
import { summaryRecord } from "../outputs/summary.ts";

const TICK_US = 1_000_000;

/** Tells once a second of the capture's clock that a tick is due. */
export class Ticker {
  #lastUs = Number.NaN;

  /** `clockUs`: the capture's clock, 0 before the first frame. */
  isDue(clockUs: number): boolean {
    if (clockUs === 0) return false;
    if (Number.isNaN(this.#lastUs)) this.#lastUs = clockUs;
    if (clockUs - this.#lastUs < TICK_US) return false;
    this.#lastUs = clockUs;
    return true;
  }
}

/** Every number, as a script gets them. */
export function tickOf(snapshot: Snapshot, clockUs: number): Tick {
  const { type: _, ...counters } = JSON.parse(summaryRecord(snapshot));
  return { time_us: clockUs, counters, servers: JSON.parse(statsDocument(snapshot)) };
}
