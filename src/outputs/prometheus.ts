import type { Snapshot } from "../aggregate/snapshot.ts";
import { HISTOGRAM_FAMILIES, NUMBER_FAMILIES } from "./metrics.ts";
import { MetricsText } from "./metrics-text.ts";
import { registerProcessMetrics } from "./process-metrics.ts";
import { promClient } from "./prom-client.ts";

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
  private readonly registry = new promClient.Registry();
  private readonly takeSnapshot: () => Snapshot;
  private readonly text = new MetricsText(HISTOGRAM_FAMILIES, NUMBER_FAMILIES);

  constructor(options: { readonly snapshot: () => Snapshot; readonly build: BuildInfo }) {
    this.takeSnapshot = options.snapshot;
    this.contentType = this.registry.contentType;
    new promClient.Gauge({
      name: "tcplat_build_info",
      help: "What runs here; the value is always 1.",
      labelNames: Object.keys(options.build),
      registers: [this.registry],
    }).set({ ...options.build }, 1);
    registerProcessMetrics(this.registry);
  }

  /** The whole text of a scrape, in UTF-8. */
  async scrape(): Promise<Buffer> {
    const ofProcess = await this.registry.metrics();
    return this.text.before(ofProcess, this.takeSnapshot());
  }
}
