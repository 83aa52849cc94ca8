/** Upper bounds of the buckets of the stats port and of /metrics (README), inclusive, in µs. The last bucket (index BUCKET_BOUNDS_US.length) has none. */
export const BUCKET_BOUNDS_US: readonly number[] = [
  10, 20, 50, 100, 200, 500, 1000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
  3_000_000, 5_000_000, 10_000_000, 20_000_000,
];
export const BUCKET_COUNT = BUCKET_BOUNDS_US.length + 1;

/**
 * Steps: up to EXACT_US one for each microsecond; above, each octave of `us - 1` is split in 64, so that a step's middle is
 * at most 1/128 away from any time in it. Minus one, because bounds are inclusive: up to STEPPED_US every bound ends a step,
 * and the buckets need not be counted apart (a third of what a record costs).
 */
const STEPS_BITS = 6;
const STEPS = 1 << STEPS_BITS;
const EXACT_US = 2 * STEPS;
const STEPPED_US = 1000;
const STEPPED_BUCKETS = BUCKET_BOUNDS_US.indexOf(STEPPED_US) + 1;
/** Longer times (12 days) share the last step; `maxUs` stays exact. */
const LONGEST_US = 2 ** 40;
const MAX_INT = 0x7fff_ffff;
const INITIAL_STEPS = 320;

/** What a histogram holds, as it can be sent to another thread. */
export type HistogramCounts = Pick<Histogram, "sumUs" | "maxUs" | "steps" | "longBuckets">;
export type BucketCounts = Pick<BucketMoves, "sumUs" | "buckets">;

/**
 * Times of one series: exact counts in those buckets, finer log-linear counts for quantiles, sum and maximum.
 * Grows with the longest time it holds, to 18 KiB at most.
 */
export class Histogram {
  // Doubles from the start: V8 compiles anew what has seen only small integers in a field once another comes.
  sumUs = 0.5;
  maxUs = 0.5;
  /** The finer counts that quantiles are found by. */
  steps = new Float64Array(INITIAL_STEPS);
  /** Counts per bucket, of times above STEPPED_US. */
  readonly longBuckets = new Float64Array(BUCKET_COUNT);

  constructor() {
    this.sumUs = 0;
    this.maxUs = 0;
  }

  // Runs for every response.
  /** `count` times of `us`, a whole number of microseconds, not negative. */
  record(us: number, count = 1): void {
    const step = stepOf(us);
    if (us > STEPPED_US) this.recordLong(us, step, count);
    this.steps[step] = this.steps[step]! + count;
    this.sumUs += us * count;
    if (us > this.maxUs) this.maxUs = us;
  }

  get count(): number {
    return sum(this.buckets);
  }

  /** Counts per bucket, not cumulative. */
  get buckets(): number[] {
    const buckets: number[] = [];
    const used = stepOf(this.maxUs) + 1;
    let from = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      let count = this.longBuckets[bucket]!;
      for (const end = Math.min(STEPS_ENDS[bucket] ?? 0, used); from < end; from++) count += this.steps[from]!;
      buckets.push(count);
    }
    return buckets;
  }

  /** Adds what `other` holds. */
  merge(other: HistogramCounts): void {
    if (other.steps.length > this.steps.length) this.grow(other.steps.length - 1);
    const used = stepOf(other.maxUs) + 1;
    for (let i = 0; i < used; i++) this.steps[i] = this.steps[i]! + other.steps[i]!;
    for (let i = 0; i < BUCKET_COUNT; i++) this.longBuckets[i] = this.longBuckets[i]! + other.longBuckets[i]!;
    this.sumUs += other.sumUs;
    if (other.maxUs > this.maxUs) this.maxUs = other.maxUs;
  }

  /** The time in µs that the fraction `q` of all times does not exceed, at most 1 % off; NaN when empty. */
  quantile(q: number): number {
    return this.quantiles([q])[0]!;
  }

  /** The same for several fractions, in ascending order, in one go; `count` is that of all times. */
  quantiles(ascending: readonly number[], count: number = this.count): number[] {
    const { steps, maxUs } = this;
    let step = 0;
    let seen = count === 0 ? 0 : steps[0]!;
    return ascending.map((q) => {
      if (count === 0) return Number.NaN;
      const rank = Math.max(1, Math.ceil(q * count));
      if (rank === count) return maxUs;
      while (seen < rank && step + 1 < steps.length) seen += steps[++step]!;
      if (seen < rank) throw new Error("the steps hold fewer times than were counted");
      return Math.min(stepMiddleUs(step), maxUs);
    });
  }

  private recordLong(us: number, step: number, count: number): void {
    const bucket = bucketIndex(us);
    this.longBuckets[bucket] = this.longBuckets[bucket]! + count;
    if (step >= this.steps.length) this.grow(step);
  }

  private grow(step: number): void {
    const larger = new Float64Array(Math.ceil((step + 1) / STEPS) * STEPS);
    larger.set(this.steps);
    this.steps = larger;
  }
}

/** Times moved between the buckets of another histogram: what is in it once this is added to it. */
export class BucketMoves {
  sumUs = 0;
  /** By bucket, more or fewer. */
  readonly buckets = new Float64Array(BUCKET_COUNT);

  /** A time counts as another one: whole numbers of microseconds, not negative. */
  move(fromUs: number, toUs: number): void {
    const from = bucketIndex(fromUs);
    const to = bucketIndex(toUs);
    this.buckets[from] = this.buckets[from]! - 1;
    this.buckets[to] = this.buckets[to]! + 1;
    this.sumUs += toUs - fromUs;
  }

  /** Adds what `other` holds. */
  merge(other: BucketCounts): void {
    for (let i = 0; i < BUCKET_COUNT; i++) this.buckets[i] = this.buckets[i]! + other.buckets[i]!;
    this.sumUs += other.sumUs;
  }
}

function sum(counts: readonly number[]): number {
  let all = 0;
  for (let i = 0; i < counts.length; i++) all += counts[i]!;
  return all;
}

function bucketIndex(us: number): number {
  let index = us > STEPPED_US ? STEPPED_BUCKETS : 0;
  while (index < BUCKET_BOUNDS_US.length && us > BUCKET_BOUNDS_US[index]!) index++;
  return index;
}

/** For each bucket up to STEPPED_US, the index behind its last step. */
const STEPS_ENDS = BUCKET_BOUNDS_US.slice(0, STEPPED_BUCKETS).map((us) => (us <= EXACT_US ? us : stepIndex(us)) + 1);

/** Where a time is counted; behind the longest one's step there is nothing. */
function stepOf(us: number): number {
  return us <= EXACT_US ? us : us <= MAX_INT ? stepIndex(us) : longStepIndex(us);
}

/** Above EXACT_US, up to MAX_INT. */
function stepIndex(us: number): number {
  const before = us - 1;
  const shift = 31 - Math.clz32(before) - STEPS_BITS;
  return (shift << STEPS_BITS) + (before >>> shift) + 1;
}

function longStepIndex(us: number): number {
  const before = Math.min(us, LONGEST_US) - 1;
  const shift = 31 - Math.clz32(before / 65_536) + 16 - STEPS_BITS;
  return (shift << STEPS_BITS) + Math.floor(before / 2 ** shift) + 1;
}

/** The middle of the whole microseconds that share a step. */
function stepMiddleUs(step: number): number {
  if (step <= EXACT_US) return step;
  const shift = ((step - 1) >>> STEPS_BITS) - 1;
  const width = 2 ** shift;
  return (step - 1 - (shift << STEPS_BITS)) * width + 1 + (width - 1) / 2;
}
