import { BUCKET_BOUNDS_US } from "../aggregate/histogram.ts";
import type { HistogramSample } from "./metrics.ts";
import { putBytes, putInteger } from "./put.ts";

const BOUNDS = [...BUCKET_BOUNDS_US.map((us) => String(us / 1e6)), "+Inf"];
const FIRST_BYTES = 64 << 10;
/** Blank, digits of a number and newline, at most. */
const VALUE_BYTES = 32;
const BLANK = 0x20;
const NEWLINE = 0x0a;

/** The lines of one histogram, as far as they are the same for each series and in each scrape. */
export interface HistogramLines {
  readonly labelNames: readonly string[];
  readonly buckets: readonly Uint8Array[];
  readonly sum: Uint8Array;
  readonly count: Uint8Array;
}

export function histogramLines(name: string, labelNames: readonly string[]): HistogramLines {
  return {
    labelNames,
    buckets: BOUNDS.map((bound) => Buffer.from(`${name}_bucket{le="${bound}",`)),
    sum: Buffer.from(`${name}_sum{`),
    count: Buffer.from(`${name}_count{`),
  };
}

/**
 * Writes histograms in Prometheus' text format into memory that is used again: a thousand series are 25,000 lines, and as
 * strings they are mostly work for the garbage collector (a third of the CPU of a scrape, test/bench/scrape.ts).
 */
export class HistogramText {
  #room = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;

  /** All lines of these series but for the very last value, which is the last series' count. */
  linesBeforeLastValue(lines: HistogramLines, samples: readonly HistogramSample[]): string {
    this.#at = 0;
    samples.forEach((sample, index) => {
      if (index > 0) this.#putWhole(samples[index - 1]!.histogram.count);
      this.#putSeries(lines, sample);
    });
    return this.#room.toString("utf8", 0, this.#at);
  }

  #putSeries({ labelNames, buckets, sum, count }: HistogramLines, { labels, histogram }: HistogramSample): void {
    const text = Buffer.from(`${labelNames.map((name, index) => `${name}="${escaped(labels[index]!)}"`).join(",")}}`);
    let cumulative = 0;
    for (let index = 0; index < buckets.length; index++) {
      cumulative += histogram.buckets[index]!;
      this.#putName(buckets[index]!, text);
      this.#putWhole(cumulative);
    }
    this.#putName(sum, text);
    this.#at += this.#room.write(` ${histogram.sumUs / 1e6}\n`, this.#at, "latin1");
    this.#putName(count, text);
  }

  #putName(name: Uint8Array, labels: Uint8Array): void {
    const end = this.#at + name.length + labels.length + VALUE_BYTES;
    if (end > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(end * 2);
      larger.set(this.#room.subarray(0, this.#at));
      this.#room = larger;
    }
    this.#at = putBytes(this.#room, putBytes(this.#room, this.#at, name), labels);
  }

  #putWhole(value: number): void {
    this.#room[this.#at] = BLANK;
    this.#at = putInteger(this.#room, this.#at + 1, value);
    this.#room[this.#at++] = NEWLINE;
  }
}

/** As the format wants a label's value: backslash, newline and quote. */
function escaped(value: string): string {
  return value.replace(/[\\\n"]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
