import { setTimeout as delay } from "node:timers/promises";

/** Longest pause of a live capture for the reader of its records, and the share of the time that it regains. */
const PATIENCE_MS = 400;
const REGAINED = 0.1;
const STEP_MS = 2;

/**
 * What a live capture lends to whoever reads its records: a burst may hold it up to PATIENCE_MS, while the kernel keeps the
 * frames, and the time comes back slowly. A reader who is slow for ever costs records, not frames.
 */
export class Patience {
  #leftMs = PATIENCE_MS;
  #asOfMs = 0;

  /** Waits while `isNeeded`, and while there is patience left. */
  async lend(isNeeded: () => boolean): Promise<void> {
    const startMs = performance.now();
    const patienceMs = Math.min(PATIENCE_MS, this.#leftMs + (startMs - this.#asOfMs) * REGAINED);
    while (isNeeded() && performance.now() - startMs < patienceMs) await delay(STEP_MS);
    this.#asOfMs = performance.now();
    this.#leftMs = patienceMs - (this.#asOfMs - startMs);
  }
}
