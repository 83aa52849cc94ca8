import { BUCKET_BOUNDS_US } from "../aggregate/histogram.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import type { HistogramFamily, HistogramSample, NumberFamily } from "./metric-families.ts";

const BOUNDS = [...BUCKET_BOUNDS_US.map((us) => String(us / 1e6)), "+Inf"];
const FIRST_BYTES = 64 << 10;

/** What is the same in each scrape. */
interface NumberText {
  readonly family: NumberFamily;
  readonly head: Buffer;
}

interface HistogramText {
  readonly family: HistogramFamily;
  readonly head: Buffer;
  /** All lines of a series in three parts each: up to its labels, these, and the value. */
  readonly parts: (string | number)[];
}

/**
 * Writes a snapshot in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/) into memory that
 * is used again: a thousand series of histograms are 25,000 lines, and line by line, or as prom-client's objects, they are
 * mostly work for the garbage collector. What takes longest is the first scrape, before anything is compiled: so all lines
 * of a series are one `join`, which V8 brings along compiled (test/bench/scrape.ts).
 */
export class MetricsText {
  private readonly histograms: readonly HistogramText[];
  private readonly numbers: readonly NumberText[];
  private room = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private at = 0;

  constructor(histograms: readonly HistogramFamily[], numbers: readonly NumberFamily[]) {
    this.histograms = histograms.map(histogramText);
    this.numbers = numbers.map((family) => ({ family, head: headOf(family) }));
  }

  /** All metrics of a snapshot, and behind them `rest`, in UTF-8. */
  before(rest: string, snapshot: Snapshot): Buffer {
    this.at = 0;
    for (const text of this.histograms) {
      this.put(text.head);
      for (const sample of text.family.samples(snapshot)) this.putHistogram(text, sample);
      this.putText("\n");
    }
    for (const { family, head } of this.numbers) {
      this.put(head);
      for (const { labels, value } of family.samples(snapshot))
        this.putText(`${family.name}${labelsOf(family.labelNames, labels)} ${value}\n`);
      this.putText("\n");
    }
    this.putText(rest);
    return Buffer.from(this.room.subarray(0, this.at));
  }

  private putHistogram({ parts, family }: HistogramText, { labels, histogram }: HistogramSample): void {
    const labelled = `${labelsOf(family.labelNames, labels).slice(1)} `;
    let cumulative = 0;
    let at = 1;
    for (let index = 0; index < BOUNDS.length; index++) {
      cumulative += histogram.buckets[index]!;
      parts[at] = labelled;
      parts[at + 1] = cumulative;
      at += 3;
    }
    parts[at] = labelled;
    parts[at + 1] = histogram.sumUs / 1e6;
    parts[at + 3] = labelled;
    parts[at + 4] = histogram.count;
    this.putText(parts.join(""));
  }

  private put(bytes: Buffer): void {
    this.need(bytes.length);
    this.room.set(bytes, this.at);
    this.at += bytes.length;
  }

  private putText(text: string): void {
    // A UTF-16 unit is three bytes of UTF-8 at most.
    this.need(text.length * 3);
    this.at += this.room.write(text, this.at);
  }

  /** Makes room for so many bytes more. */
  private need(bytes: number): void {
    const end = this.at + bytes;
    if (end <= this.room.length) return;
    const larger = Buffer.allocUnsafeSlow(end * 2);
    larger.set(this.room.subarray(0, this.at));
    this.room = larger;
  }
}

function headOf({ name, help, type }: HistogramFamily | NumberFamily): Buffer {
  return Buffer.from(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
}

function histogramText(family: HistogramFamily): HistogramText {
  const { name } = family;
  const names = [...BOUNDS.map((bound) => `${name}_bucket{le="${bound}",`), `${name}_sum{`, `${name}_count{`];
  const parts = names.flatMap((begin, index) => [index === 0 ? begin : `\n${begin}`, "", 0]);
  return { family, head: headOf(family), parts: [...parts, "\n"] };
}

/** `{name="value",…}`, or nothing where there are no labels. */
function labelsOf(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return "";
  let text = "{";
  for (let i = 0; i < names.length; i++) text += `${i === 0 ? "" : ","}${names[i]!}="${escaped(values[i]!)}"`;
  return `${text}}`;
}

/** As the format wants a label's value: backslash, newline and quote. */
function escaped(value: string): string {
  return value.replace(/[\\\n"]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
