/** The smallest share of the connections: with none at all, nothing would be known. */
export const FLOOR_RATIO = 0.01;
/** What is told right after a change still holds what was before it. */
const SETTLE_S = 0.5;
/** Use is judged over so long: shorter, and a garbage collection is an overload. */
const WINDOW_S = 1;
/** A reduction aims at this share of the budget, which lies in the band where nothing changes. */
const AIM = 0.85;
/** No single second takes away more than nine tenths. */
const MIN_FACTOR = 0.1;
const MAX_FACTOR = 0.9;
/** Only below this share of the budget more connections are taken, this many times more, and so often at most. */
const GROW_BELOW = 0.7;
const GROW_FACTOR = 1.2;
const GROW_EVERY_S = 5;
/** A growth that was followed by an overload is tried again after so long; each failure doubles it. */
const FIRST_PROBE_S = 15;
const LAST_PROBE_S = 240;

/**
 * Which share of the connections may be analysed so that the CPU use stays within a budget. Down fast, in proportion to
 * the excess; up slowly; in between (70 to 100 % of the budget) not at all. Where a single connection is what costs, a
 * step up may bring an overload at once: then the step is taken back, and not tried again for a while. Pure: it knows
 * the time only from what it is told.
 */
export class SampleController {
  /** From FLOOR_RATIO to 1. */
  ratio = 1;
  readonly #budget: number;
  #settleS = 0;
  #windowS = 0;
  #windowUse = 0;
  /** Since the last change. */
  #ageS = 0;
  /** Where the last change was a growth: the ratio before it. */
  #before: number | null = null;
  /** A growth to this ratio, or beyond, brought an overload; and how long ago. */
  #ceiling = Number.POSITIVE_INFINITY;
  #sinceFailureS = 0;
  #probeS = FIRST_PROBE_S;

  /** `budget`: the share of one core that the process may use, e.g. 0.2. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Takes the process' use of a core (1 is all of one) during the last `seconds`; returns the ratio from now on. */
  update(use: number, seconds: number): number {
    this.#ageS += seconds;
    this.#sinceFailureS += seconds;
    if (this.#settleS > 0) {
      this.#settleS -= seconds;
      return this.ratio;
    }
    this.#windowS += seconds;
    this.#windowUse += use * seconds;
    if (this.#windowS < WINDOW_S) return this.ratio;
    const mean = this.#windowUse / this.#windowS;
    this.#windowS = 0;
    this.#windowUse = 0;
    if (mean > this.#budget) this.#shrink(mean);
    else if (mean < GROW_BELOW * this.#budget) this.#grow();
    return this.ratio;
  }

  #shrink(use: number): void {
    if (this.#before !== null && this.#ageS <= GROW_EVERY_S) {
      this.#probeS = this.#ceiling === Number.POSITIVE_INFINITY ? FIRST_PROBE_S : this.#probeS * 2;
      if (this.#probeS > LAST_PROBE_S) this.#probeS = LAST_PROBE_S;
      this.#ceiling = this.ratio;
      this.#sinceFailureS = 0;
      this.#change(this.#before);
    } else {
      const factor = Math.min(Math.max((AIM * this.#budget) / use, MIN_FACTOR), MAX_FACTOR);
      this.#change(Math.max(this.ratio * factor, FLOOR_RATIO));
    }
    this.#before = null;
  }

  #grow(): void {
    if (this.ratio >= 1 || this.#ageS < GROW_EVERY_S) return;
    // The last step went well: whatever stood against it has gone.
    if (this.#before !== null && this.ratio >= this.#ceiling) this.#ceiling = Number.POSITIVE_INFINITY;
    const next = Math.min(this.ratio * GROW_FACTOR, 1);
    if (next >= this.#ceiling && this.#sinceFailureS < this.#probeS) return;
    const before = this.ratio;
    this.#change(next);
    this.#before = before;
  }

  #change(ratio: number): void {
    if (ratio === this.ratio) return;
    this.ratio = ratio;
    this.#ageS = 0;
    this.#settleS = SETTLE_S;
  }
}
