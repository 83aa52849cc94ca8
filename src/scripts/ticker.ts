import type { Tick } from "../../types/script.d.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { statsDocument } from "../outputs/stats-document.ts";
import { summaryRecord } from "../outputs/summary.ts";

const TICK_US = 1_000_000;

/** Tells once a second that a tick is due: of a file's own clock; live of ours, since the capture's jumps when frames come again. */
export class Ticker {
  readonly #isLive: boolean;
  #lastUs = Number.NaN;

  constructor(isLive: boolean) {
    this.#isLive = isLive;
  }

  /** `clockUs`: the capture's clock, 0 before the first frame. */
  isDue(clockUs: number): boolean {
    if (clockUs === 0) return false;
    const nowUs = this.#isLive ? performance.now() * 1000 : clockUs;
    if (Number.isNaN(this.#lastUs)) this.#lastUs = nowUs;
    if (nowUs - this.#lastUs < TICK_US) return false;
    this.#lastUs = nowUs;
    return true;
  }
}

/** Every number, as a script gets them. */
export function tickOf(snapshot: Snapshot, clockUs: number): Tick {
  const { type: _, ...counters } = JSON.parse(summaryRecord(snapshot));
  return { time_us: clockUs, counters, servers: JSON.parse(statsDocument(snapshot)) };
}
