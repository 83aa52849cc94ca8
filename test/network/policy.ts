/** What a forwarder does to the segments that pass it. */

/** Which way a frame goes. */
export type Way = "toServer" | "toClient";

/**
 * One thing done to segments with payload. Which ones: `nth` (counted from 1 in each direction since the policy was set), or each with
 * `probability`; without either, all.
 */
export interface Rule {
  /**
   * drop: it never arrives. duplicate: it arrives twice, the second time `ms` later. swap: it arrives behind the next one. delay: by `ms` and
   * at random up to `jitterMs` more, which changes the order, too.
   */
  readonly action: "drop" | "duplicate" | "swap" | "delay";
  readonly way: Way | "both";
  readonly nth?: readonly number[];
  readonly probability?: number;
  readonly ms?: number;
  readonly jitterMs?: number;
}

/** A list of rules, and the number that makes its chances come out the same each time. */
export interface Policy {
  readonly rules: readonly Rule[];
  readonly seed?: number;
  /** Every segment, of both ways and with payload or without, takes so many ms, to the tenth: a long line. */
  readonly wayMs?: number;
  /**
   * For so long, in ms, no segment of this way (pure acknowledgements, too) offers a window: from now on, or from when so many
   * segments with payload have gone the other way.
   */
  readonly closedWindow?: { readonly way: Way; readonly ms: number; readonly after?: number };
}

/** What becomes of one segment. */
export interface Verdict {
  readonly isDropped: boolean;
  readonly isSwapped: boolean;
  readonly delayMs: number;
  /** Of its second copy, or null. */
  readonly copyDelayMs: number | null;
}

const PASS: Verdict = { isDropped: false, isSwapped: false, delayMs: 0, copyDelayMs: null };

/** Judges the segments with payload, in the order in which they come. */
export class Judge {
  readonly policy: Policy;
  /** Segments with payload so far, and what was done to them. */
  readonly counts = { toServer: 0, toClient: 0, drop: 0, duplicate: 0, swap: 0, delay: 0 };
  readonly #random: () => number;

  constructor(policy: Policy) {
    this.policy = policy;
    this.#random = randomFrom(policy.seed ?? 1);
  }

  /** The next segment with payload goes this way. */
  verdict(way: Way): Verdict {
    const number = ++this.counts[way];
    let verdict = PASS;
    for (const rule of this.policy.rules) {
      if (rule.way !== "both" && rule.way !== way) continue;
      if (rule.nth !== undefined && !rule.nth.includes(number)) continue;
      if (rule.probability !== undefined && this.#random() >= rule.probability) continue;
      this.counts[rule.action]++;
      verdict = this.#apply(rule, verdict);
    }
    return verdict;
  }

  #apply(rule: Rule, verdict: Verdict): Verdict {
    const ms = (rule.ms ?? 0) + (rule.jitterMs === undefined ? 0 : this.#random() * rule.jitterMs);
    if (rule.action === "drop") return { ...verdict, isDropped: true };
    if (rule.action === "swap") return { ...verdict, isSwapped: true };
    if (rule.action === "duplicate") return { ...verdict, copyDelayMs: ms };
    return { ...verdict, delayMs: verdict.delayMs + ms };
  }
}

/** Numbers in [0, 1), the same for the same seed: a 32-bit generator of Weyl steps and two multiplications. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
