/** Upper bounds of the contract's buckets, inclusive, in µs. The last bucket (index BUCKET_BOUNDS_US.length) has none. */
export const BUCKET_BOUNDS_US: readonly number[] = [
  10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
  3_000_000, 5_000_000, 10_000_000, 20_000_000,
];
export const BUCKET_COUNT = BUCKET_BOUNDS_US.length + 1;

/** Up to here a table tells the bucket (3 ns a record less than a search, test/bench/aggregate.ts). */
const SHORT_US = 1000;
const SHORT_BUCKETS = new Uint8Array(SHORT_US + 1);
for (let us = 0; us <= SHORT_US; us++) {
  SHORT_BUCKETS[us] = BUCKET_BOUNDS_US.findIndex((bound) => us <= bound);
}
const FIRST_LONG_BUCKET = BUCKET_BOUNDS_US.indexOf(SHORT_US) + 1;
const BOUNDS = Float64Array.from(BUCKET_BOUNDS_US);

/** Each octave above EXACT_US is split in 64 steps: a step's middle is at most 1/128 away from any time in it. */
const STEPS_BITS = 6;
const STEPS = 1 << STEPS_BITS;
const EXACT_US = 2 * STEPS;
/** Longer times (12 days) share the last step; `maxUs` stays exact. */
const LONGEST_US = 2 ** 40 - 1;
const INITIAL_STEPS = 256;

/**
 * Times of one series: exact counts in the contract's buckets, finer log-linear counts for quantiles, sum and maximum.
 * Grows with the longest time it holds, to 18 KiB at most.
 */
export class Histogram {
  /** Counts per bucket, not cumulative. */
  readonly buckets = new Float64Array(BUCKET_COUNT);
  count = 0;
  sumUs = 0;
  maxUs = 0;
  private steps = new Float64Array(INITIAL_STEPS);

  // Runs for every segment.
  /** `us`: a whole number of microseconds, not negative. */
  record(us: number): void {
    const bucket = us <= SHORT_US ? SHORT_BUCKETS[us]! : longBucketIndex(us);
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    const step = stepIndex(us);
    if (step >= this.steps.length) this.grow(step);
    this.steps[step] = this.steps[step]! + 1;
    this.count++;
    this.sumUs += us;
    if (us > this.maxUs) this.maxUs = us;
  }

  /** Adds what `other` holds. */
  merge(other: Histogram): void {
    for (let i = 0; i < BUCKET_COUNT; i++) this.buckets[i] = this.buckets[i]! + other.buckets[i]!;
    if (other.steps.length > this.steps.length) this.grow(other.steps.length - 1);
    for (let i = 0; i < other.steps.length; i++) this.steps[i] = this.steps[i]! + other.steps[i]!;
    this.count += other.count;
    this.sumUs += other.sumUs;
    if (other.maxUs > this.maxUs) this.maxUs = other.maxUs;
  }

  /** The time in µs that the fraction `q` of all times does not exceed, at most 1 % off; NaN when empty. */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let i = 0; i < this.steps.length; i++) {
      seen += this.steps[i]!;
      if (seen >= rank) return Math.min(stepMiddleUs(i), this.maxUs);
    }
    return this.maxUs;
  }

  private grow(step: number): void {
    const larger = new Float64Array(Math.ceil((step + 1) / INITIAL_STEPS) * INITIAL_STEPS);
    larger.set(this.steps);
    this.steps = larger;
  }
}

function longBucketIndex(us: number): number {
  let index = FIRST_LONG_BUCKET;
  while (index < BOUNDS.length && us > BOUNDS[index]!) index++;
  return index;
}

function stepIndex(us: number): number {
  if (us < EXACT_US) return us;
  if (us > 0x7fff_ffff) return longStepIndex(us);
  const shift = 31 - Math.clz32(us) - STEPS_BITS;
  return (shift << STEPS_BITS) + (us >>> shift);
}

function longStepIndex(us: number): number {
  const capped = Math.min(us, LONGEST_US);
  const shift = 31 - Math.clz32(capped / 65_536) + 16 - STEPS_BITS;
  return (shift << STEPS_BITS) + Math.floor(capped / 2 ** shift);
}

/** The middle of the whole microseconds that share a step. */
function stepMiddleUs(step: number): number {
  if (step < EXACT_US) return step;
  const shift = (step >>> STEPS_BITS) - 1;
  const width = 2 ** shift;
  return (step - (shift << STEPS_BITS)) * width + (width - 1) / 2;
}
