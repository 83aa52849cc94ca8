import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { NEVER_MS, registerEventLoopLag } from "./event-loop-lag.ts";
import { HISTOGRAM_FAMILIES, NUMBER_FAMILIES } from "./metrics.ts";
import { MetricsText } from "./metrics-text.ts";

/** What `tcplat_build_info` tells. */
export interface BuildInfo {
  readonly version: string;
  /** Node's version. */
  readonly node: string;
  /** libpcap's own version string, or "". */
  readonly libpcap: string;
  readonly engine: string;
}

/** Renders the metrics (README, All metrics), each scrape from one snapshot; the process' own are prom-client's. */
export class PrometheusExporter {
  readonly contentType: string;
  private readonly registry = new Registry();
  private readonly takeSnapshot: () => Snapshot;
  private readonly text = new MetricsText(HISTOGRAM_FAMILIES, NUMBER_FAMILIES);

  constructor(options: { readonly snapshot: () => Snapshot; readonly build: BuildInfo }) {
    this.takeSnapshot = options.snapshot;
    this.contentType = this.registry.contentType;
    new Gauge({
      name: "tcplat_build_info",
      help: "What runs here; the value is always 1.",
      labelNames: Object.keys(options.build),
      registers: [this.registry],
    }).set({ ...options.build }, 1);
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: NEVER_MS });
    registerEventLoopLag(this.registry);
    for (const { name } of this.registry.getMetricsAsArray()) {
      if (name.startsWith("nodejs_active_")) this.registry.removeSingleMetric(name);
    }
  }

  /** The whole text of a scrape, in UTF-8. */
  async scrape(): Promise<Buffer> {
    const ofProcess = await this.registry.metrics();
    return this.text.before(ofProcess, this.takeSnapshot());
  }
}
