/** What the process has used so far, read at one moment. */
export interface Reading {
  /** On any clock that never goes back. */
  readonly atMs: number;
  /** CPU of all threads, user and system. */
  readonly cpuUs: number;
  readonly residentBytes: number;
  readonly frames: number;
}

/** What tcplat costs; "lately" is the last ten seconds. */
export interface CostCounters {
  /** Share of one core used lately: 1 is all of one, more is more than one. */
  readonly cpuRatio: number;
  /** `--max-cpu` in the same measure, or null. */
  readonly maxCpuRatio: number | null;
  /** Since the process began. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly framesPerSecond: number;
  /** How late the event loop was lately, at worst. */
  readonly eventLoopDelayUs: number;
}

/** Readings kept: ten seconds of two each. */
const KEPT = 20;

/** What was read at the end of a stretch, and how late the event loop was in it. */
interface Stretch {
  readonly end: Reading;
  readonly delayUs: number;
}

/** Turns readings into what is used lately. Pure: it is told all it knows. */
export class CostMeter {
  #delayUs = 0;
  readonly #stretches: Stretch[];

  constructor(first: Reading) {
    this.#stretches = [{ end: first, delayUs: 0 }];
  }

  /** The event loop came to something this much later than it was due. */
  wasLate(delayUs: number): void {
    if (delayUs > this.#delayUs) this.#delayUs = delayUs;
  }

  /** Takes a reading. Returns the use of a core since the last one, and how long that is. */
  take(end: Reading): { readonly use: number; readonly seconds: number } {
    const before = this.#last;
    this.#stretches.push({ end, delayUs: this.#delayUs });
    this.#delayUs = 0;
    if (this.#stretches.length > KEPT + 1) this.#stretches.shift();
    const elapsedMs = end.atMs - before.atMs;
    return { use: perSecond(end.cpuUs - before.cpuUs, elapsedMs) / 1e6, seconds: elapsedMs / 1000 };
  }

  /** As of the last reading. `maxCpuRatio` is passed on. */
  counters(maxCpuRatio: number | null): CostCounters {
    const first = this.#stretches[0]!.end;
    const last = this.#last;
    const elapsedMs = last.atMs - first.atMs;
    return {
      cpuRatio: perSecond(last.cpuUs - first.cpuUs, elapsedMs) / 1e6,
      maxCpuRatio,
      cpuSeconds: last.cpuUs / 1e6,
      residentBytes: last.residentBytes,
      framesPerSecond: perSecond(last.frames - first.frames, elapsedMs),
      eventLoopDelayUs: Math.max(this.#delayUs, ...this.#stretches.slice(1).map((stretch) => stretch.delayUs)),
    };
  }

  get #last(): Reading {
    return this.#stretches.at(-1)!.end;
  }
}

function perSecond(amount: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (amount / elapsedMs) * 1000 : 0;
}
