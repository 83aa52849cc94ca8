import type { Metric } from "prom-client";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { HistogramText, histogramLines } from "./histogram-text.ts";
import type { HistogramFamily, NumberFamily } from "./metrics.ts";
import { HISTOGRAM_FAMILIES, NUMBER_FAMILIES } from "./metrics.ts";

/** What `tcplat_build_info` tells. */
export interface BuildInfo {
  readonly version: string;
  /** Node's version. */
  readonly node: string;
  /** libpcap's own version string, or "". */
  readonly libpcap: string;
  readonly engine: string;
}

/** Sampling the event loop's delay more often would cost idle CPU. */
const EVENT_LOOP_SAMPLING_MS = 250;

/** One line as prom-client renders it. */
interface Line {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NO_LABELS = {};

/** Renders the metrics (README, All metrics), each scrape from one snapshot. */
export class PrometheusExporter {
  readonly contentType: string;
  private readonly registry = new Registry();
  private readonly takeSnapshot: () => Snapshot;
  private readonly text = new HistogramText();
  private current: Snapshot | null = null;

  constructor(options: { readonly snapshot: () => Snapshot; readonly build: BuildInfo }) {
    this.takeSnapshot = options.snapshot;
    this.contentType = this.registry.contentType;
    for (const family of HISTOGRAM_FAMILIES) {
      this.registerHistogram(family);
    }
    for (const family of NUMBER_FAMILIES) {
      this.register(family.name, family.help, family.type, () => numberLines(family, this.scraped()));
    }
    const build = { labels: { ...options.build }, value: 1 };
    this.register("tcplat_build_info", "What runs here; the value is always 1.", "gauge", () => [build]);
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS });
    for (const { name } of this.registry.getMetricsAsArray()) {
      if (name.startsWith("nodejs_active_")) this.registry.removeSingleMetric(name);
    }
  }

  /** The whole text of a scrape. */
  scrape(): Promise<string> {
    this.current = this.takeSnapshot();
    const text = this.registry.metrics(); // asks every metric before it first waits
    this.current = null;
    return text;
  }

  private scraped(): Snapshot {
    if (!this.current) throw new Error("metrics are read outside a scrape");
    return this.current;
  }

  /** prom-client writes names as they are: all lines but the last value are told as the name of that. */
  private registerHistogram({ name, help, type, labelNames, samples }: HistogramFamily): void {
    const lines = histogramLines(name, labelNames);
    this.register(name, help, type, () => {
      const all = samples(this.scraped());
      const last = all.at(-1);
      if (last === undefined) return [];
      const metricName = this.text.linesBeforeLastValue(lines, all);
      return [{ metricName, labels: NO_LABELS, value: last.histogram.count }];
    });
  }

  /** prom-client only needs the face of a metric; its own histograms cost 0.5 µs an observation, ours 10 ns. */
  private register(name: string, help: string, type: string, lines: () => Line[]): void {
    const get = (): Promise<object> => Promise.resolve({ name, help, type, aggregator: "sum", values: lines() });
    const metric = { name, help, type, aggregator: "sum", get, reset: () => {} };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

function numberLines(family: NumberFamily, snapshot: Snapshot): Line[] {
  return family.samples(snapshot).map(({ labels, value }) => ({ labels: named(family.labelNames, labels), value }));
}

function named(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]!]));
}
