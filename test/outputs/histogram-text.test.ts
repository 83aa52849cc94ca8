import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Metric, Registry } from "prom-client";
import { BUCKET_BOUNDS_US, BUCKET_COUNT } from "../../src/aggregate/histogram.ts";
import { HistogramText, histogramLines } from "../../src/outputs/histogram-text.ts";
import type { HistogramSample } from "../../src/outputs/metrics.ts";
import { runs } from "../properties/plans.ts";

const NAME = "tcplat_x_seconds";
const LABELS = ["server", "command"];
const HEAD = { name: NAME, help: "Some.", type: "histogram", aggregator: "sum", reset: () => {} };

const sample: fc.Arbitrary<HistogramSample> = fc
  .record({
    labels: fc.array(fc.oneof(fc.string(), fc.constantFrom('a"b', "a\\b", "a\nb", "é")), {
      minLength: 2,
      maxLength: 2,
    }),
    buckets: fc.array(fc.oneof(fc.nat(3), fc.nat(2 ** 31), fc.constant(2 ** 40)), {
      minLength: BUCKET_COUNT,
      maxLength: BUCKET_COUNT,
    }),
    sumUs: fc.oneof(fc.nat(), fc.maxSafeNat()),
  })
  .map(({ labels, buckets, sumUs }) => {
    const count = buckets.reduce((all, one) => all + one, 0);
    return { labels, histogram: { count, sumUs, buckets } };
  });

/** As prom-client itself writes them, from a value and its labels a line. */
async function byLibrary(samples: readonly HistogramSample[]): Promise<string> {
  const bounds = [...BUCKET_BOUNDS_US.map((us) => String(us / 1e6)), "+Inf"];
  const values = samples.flatMap(({ labels, histogram }) => {
    const own = Object.fromEntries(LABELS.map((name, index) => [name, labels[index]!]));
    let cumulative = 0;
    const buckets = histogram.buckets.map((count, index) => {
      cumulative += count;
      return { metricName: `${NAME}_bucket`, labels: { le: bounds[index]!, ...own }, value: cumulative };
    });
    const sum = { metricName: `${NAME}_sum`, labels: own, value: histogram.sumUs / 1e6 };
    return [...buckets, sum, { metricName: `${NAME}_count`, labels: own, value: histogram.count }];
  });
  const registry = new Registry();
  registry.registerMetric({ ...HEAD, get: () => Promise.resolve({ ...HEAD, values }) } as unknown as Metric);
  return await registry.metrics();
}

describe("histograms as text", () => {
  it("are what prom-client writes, to the byte, whatever is in a label, and however much came before", async () => {
    const text = new HistogramText();
    const lines = histogramLines(NAME, LABELS);
    const property = fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 60 }), async (samples) => {
      const own = `${text.linesBeforeLastValue(lines, samples)} ${samples.at(-1)!.histogram.count}\n`;
      assert.equal(`# HELP ${NAME} Some.\n# TYPE ${NAME} histogram\n${own}`, await byLibrary(samples));
    });
    await fc.assert(property, runs(100));
  });
});
