import type { Tick } from "../../types/script.d.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { u32le } from "../bytes/read.ts";
import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
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

  /** `clockUs`: the capture's clock, not above 0 before the first frame. */
  isDue(clockUs: number): boolean {
    if (clockUs <= 0) return false;
    const nowUs = this.#isLive ? performance.now() * 1000 : clockUs;
    if (Number.isNaN(this.#lastUs)) this.#lastUs = nowUs;
    const sinceUs = nowUs - this.#lastUs;
    if (sinceUs < TICK_US) return false;
    // Whole seconds, so that what each tick is late does not add up.
    this.#lastUs = nowUs - (sinceUs % TICK_US);
    return true;
  }

  /** Of the records in batch[start, end): where those end with which a tick is due. A slice of a quiet file may hold minutes. */
  sliceEnd(batch: Uint8Array, start: number, end: number): number {
    if (this.#isLive) return end;
    for (let at = start; at < end; ) {
      const timeUs = u32le(batch, at) * 1e6 + u32le(batch, at + 4) / 1000;
      at += RECORD_HEADER_BYTES + u32le(batch, at + 8);
      if (Number.isNaN(this.#lastUs)) this.#lastUs = Math.floor(timeUs);
      if (Math.floor(timeUs) - this.#lastUs >= TICK_US) return at;
    }
    return end;
  }
}

/** Every number, as a script gets them. */
export function tickOf(snapshot: Snapshot, clockUs: number): Tick {
  const { type: _, ...counters } = JSON.parse(summaryRecord(snapshot));
  return { time_us: clockUs, counters, servers: JSON.parse(statsDocument(snapshot)) };
}
