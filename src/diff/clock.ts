/** A wrongly joined pair is off by what lies between two uses of the same sequence number; a clock's step is smaller. */
const SAME_CLOCK_US = 500_000;
/** Timestamps of two hosts are whole microseconds, and taken a little before or after the frame is on the wire. */
const STAMP_US = 5;
/** Requests of which one was quick on its way, and into how many stretches the time is divided at most. */
const STRETCH_SAMPLES = 20;
const MOST_STRETCHES = 50;
/** A drift is believed from so many stretches on, this far beyond its own error, and when it amounts to so much. */
const DRIFT_STRETCHES = 5;
const DRIFT_ERRORS = 5;
const DRIFT_SCATTERS = 3;
const DRIFT_US = 20;

/** How the server's clock stands to the client's. */
export interface Clock {
  /** Requests that told it. */
  readonly samples: number;
  /** Server's clock less client's at `referenceUs` (client's clock), in µs; right to `uncertaintyUs` either way. */
  readonly offsetUs: number;
  readonly uncertaintyUs: number;
  readonly referenceUs: number;
  /** µs per second by which the server's clock gains (parts per million); 0 where none is seen. */
  readonly driftPpm: number;
  /** No single offset and drift fit: a clock was set while the captures ran. */
  readonly isSteady: boolean;
}

/**
 * What one request tells of the clocks. No frame arrives before it is sent; so the server's clock is ahead of the
 * client's by at most `highUs` (arrival of the request less its sending), and at least `lowUs` (sending of the
 * response less its arrival). The true value is in between, in the middle where both ways take equally long.
 */
export class ClockSamples {
  readonly times: number[] = [];
  readonly lows: number[] = [];
  readonly highs: number[] = [];

  /** To be called in the order of `timeUs`, the client's time of the request. */
  add(timeUs: number, lowUs: number, highUs: number): void {
    this.times.push(timeUs);
    this.lows.push(lowUs);
    this.highs.push(highUs);
  }
}

/** Server's clock less client's when the client's shows `clientUs`. */
export function offsetAt(clock: Clock, clientUs: number): number {
  return clock.offsetUs + (clock.driftPpm * (clientUs - clock.referenceUs)) / 1e6;
}

/** The best that all requests together can tell, in the manner of NTP's minimum filter; null without any. */
export function estimateClock(all: ClockSamples): Clock | null {
  const samples = withoutStrays(all);
  const stretches = stretchesOf(samples);
  if (stretches.length === 0) return null;
  const referenceUs = (samples.times[0]! + samples.times.at(-1)!) / 2;
  const perUs = driftOf(stretches);
  const told = { samples: samples.times.length, referenceUs };
  // The tightest bound of each side, wherever it was: it need not be the same request that was quick both ways.
  const drifted = (us: number, timeUs: number): number => us - perUs * (timeUs - referenceUs);
  const lowUs = Math.max(...stretches.map(({ lowUs, timeUs }) => drifted(lowUs, timeUs)));
  const highUs = Math.min(...stretches.map(({ highUs, timeUs }) => drifted(highUs, timeUs)));
  if (lowUs <= highUs + STAMP_US) {
    const uncertaintyUs = Math.max(Math.abs(highUs - lowUs) / 2, 1);
    return { ...told, offsetUs: (lowUs + highUs) / 2, uncertaintyUs, driftPpm: perUs * 1e6, isSteady: true };
  }
  const offsetUs = median(stretches.map(({ middleUs }) => middleUs));
  const bounds = stretches.flatMap(({ lowUs, highUs }) => [lowUs, highUs]);
  const uncertaintyUs = Math.max(...bounds.map((us) => Math.abs(us - offsetUs)));
  return { ...told, offsetUs, uncertaintyUs, driftPpm: 0, isSteady: false };
}

/** Without requests that no clock near all others' could have seen so: they were joined wrongly. */
function withoutStrays(all: ClockSamples): ClockSamples {
  const middles = all.times.map((_, index) => (all.lows[index]! + all.highs[index]!) / 2);
  const usualUs = median(middles);
  const kept = new ClockSamples();
  for (const [index, middleUs] of middles.entries()) {
    const halfUs = Math.max(0, all.highs[index]! - all.lows[index]!) / 2;
    if (Math.abs(middleUs - usualUs) > halfUs + SAME_CLOCK_US) continue;
    kept.add(all.times[index]!, all.lows[index]!, all.highs[index]!);
  }
  return kept;
}

/** A stretch of time, with the tightest bounds that a request in it gave. */
interface Stretch {
  readonly timeUs: number;
  readonly lowUs: number;
  readonly highUs: number;
  readonly middleUs: number;
}

function stretchesOf({ times, lows, highs }: ClockSamples): Stretch[] {
  const count = Math.min(MOST_STRETCHES, Math.ceil(times.length / STRETCH_SAMPLES));
  return Array.from({ length: count }, (_, stretch) => {
    const from = Math.floor((times.length * stretch) / count);
    const to = Math.floor((times.length * (stretch + 1)) / count);
    let lowUs = Number.NEGATIVE_INFINITY;
    let highUs = Number.POSITIVE_INFINITY;
    for (let index = from; index < to; index++) {
      lowUs = Math.max(lowUs, lows[index]!);
      highUs = Math.min(highUs, highs[index]!);
    }
    return { timeUs: (times[from]! + times[to - 1]!) / 2, lowUs, highUs, middleUs: (lowUs + highUs) / 2 };
  });
}

/** By how much the offset grows per µs: the least squares' line, or 0 where it might as well be level. */
function driftOf(stretches: readonly Stretch[]): number {
  if (stretches.length < DRIFT_STRETCHES) return 0;
  const meanTime = mean(stretches.map(({ timeUs }) => timeUs));
  const meanUs = mean(stretches.map(({ middleUs }) => middleUs));
  const spread = sum(stretches.map(({ timeUs }) => (timeUs - meanTime) ** 2));
  if (spread === 0) return 0;
  const slope = sum(stretches.map((each) => (each.timeUs - meanTime) * (each.middleUs - meanUs))) / spread;
  const rests = stretches.map((each) => each.middleUs - meanUs - slope * (each.timeUs - meanTime));
  const scatterUs = Math.sqrt(sum(rests.map((rest) => rest * rest)) / (stretches.length - 2));
  const grownUs = Math.abs(slope) * (stretches.at(-1)!.timeUs - stretches[0]!.timeUs);
  const isClear = Math.abs(slope) > (DRIFT_ERRORS * scatterUs) / Math.sqrt(spread);
  return isClear && grownUs > Math.max(DRIFT_US, DRIFT_SCATTERS * scatterUs) ? slope : 0;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((whole, value) => whole + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
