import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Metric, Registry } from "prom-client";
import { BUCKET_BOUNDS_US, BUCKET_COUNT } from "../../src/aggregate/histogram.ts";
import type { Snapshot } from "../../src/aggregate/snapshot.ts";
import type { HistogramSample, NumberFamily, Sample } from "../../src/outputs/metric-families.ts";
import { MetricsText } from "../../src/outputs/metrics-text.ts";
import { runs } from "../properties/plans.ts";

const LABELS = ["server", "command"];
const BOUNDS = [...BUCKET_BOUNDS_US.map((us) => String(us / 1e6)), "+Inf"];

/** What the families of these tests hold. */
interface Values {
  readonly histograms: readonly HistogramSample[];
  readonly counters: readonly Sample[];
  readonly gauge: number;
}

const label = fc.oneof(fc.string(), fc.constantFrom('a"b', "a\\b", "a\nb", "é", "\u{1f600}"));
const labels = fc.array(label, { minLength: LABELS.length, maxLength: LABELS.length });
const whole = fc.oneof(fc.nat(3), fc.nat(2 ** 31), fc.constant(2 ** 40));

const histogram: fc.Arbitrary<HistogramSample> = fc
  .record({
    labels,
    buckets: fc.array(whole, { minLength: BUCKET_COUNT, maxLength: BUCKET_COUNT }),
    sumUs: fc.oneof(fc.nat(), fc.maxSafeNat()),
  })
  .map(({ buckets, sumUs, ...of }) => {
    const count = buckets.reduce((all, one) => all + one, 0);
    return { ...of, histogram: { count, sumUs, buckets } };
  });

const values: fc.Arbitrary<Values> = fc.record({
  histograms: fc.array(histogram, { maxLength: 60 }),
  counters: fc.array(
    fc.record({ labels, value: fc.oneof(whole, fc.double({ noNaN: true, noDefaultInfinity: true })) }),
  ),
  gauge: fc.nat(),
});

/** As prom-client itself writes them, from a value and its labels a line. */
async function byLibrary({ histograms, counters, gauge }: Values): Promise<string> {
  const lines = histograms.flatMap(({ labels: own, histogram: of }) => {
    let cumulative = 0;
    const buckets = of.buckets.map((count, index) => {
      cumulative += count;
      return { metricName: "x_seconds_bucket", labels: { le: BOUNDS[index]!, ...named(own) }, value: cumulative };
    });
    const sum = { metricName: "x_seconds_sum", labels: named(own), value: of.sumUs / 1e6 };
    return [...buckets, sum, { metricName: "x_seconds_count", labels: named(own), value: of.count }];
  });
  const registry = new Registry();
  const register = (name: string, type: string, all: readonly object[]): void => {
    const head = { name, help: "Some.", type, aggregator: "sum", reset: () => {} };
    registry.registerMetric({ ...head, get: () => Promise.resolve({ ...head, values: all }) } as unknown as Metric);
  };
  register("x_seconds", "histogram", lines);
  register(
    "y_total",
    "counter",
    counters.map((sample) => ({ labels: named(sample.labels), value: sample.value })),
  );
  register("z", "gauge", [{ labels: {}, value: gauge }]);
  return await registry.metrics();
}

function named(own: readonly string[]): Record<string, string> {
  return Object.fromEntries(LABELS.map((name, index) => [name, own[index]!]));
}

describe("metrics as text", () => {
  it("are what prom-client writes, to the byte, whatever is in a label, and however much came before", async () => {
    let current: Values = { histograms: [], counters: [], gauge: 0 };
    const help = "Some.";
    const numbers: NumberFamily[] = [
      { name: "y_total", help, type: "counter", labelNames: LABELS, samples: () => [...current.counters] },
      { name: "z", help, type: "gauge", labelNames: [], samples: () => [{ labels: [], value: current.gauge }] },
    ];
    const histograms = [
      {
        ...({ name: "x_seconds", help, type: "histogram", labelNames: LABELS } as const),
        samples: () => [...current.histograms],
      },
    ];
    const text = new MetricsText(histograms, numbers);
    const property = fc.asyncProperty(values, fc.string({ unit: "grapheme" }), async (of, rest) => {
      current = of;
      const own = text.before(rest, {} as Snapshot).toString();
      assert.equal(lines(own), lines(`${await byLibrary(of)}\n${rest}`));
    });
    await fc.assert(property, runs(100));
  });
});

/** Without empty ones, which mean nothing: prom-client has none behind a metric without values. */
function lines(text: string): string {
  return text.replace(/\n\n+/g, "\n");
}
