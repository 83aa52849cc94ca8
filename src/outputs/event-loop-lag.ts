import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { Registry } from "prom-client";
import { promClient } from "./prom-client.ts";

/** How often the event loop is looked at: more often would cost idle CPU. */
const PERIOD_MS = 250;

/** What is told of the delays since the last scrape, in ns, of which each has the period in it. */
const TOLD: readonly (readonly [what: string, help: string, of: (delays: IntervalHistogram) => number])[] = [
  ["min", "The minimum recorded event loop delay.", (delays) => delays.min - PERIOD_MS * 1e6],
  ["max", "The maximum recorded event loop delay.", (delays) => delays.max - PERIOD_MS * 1e6],
  ["mean", "The mean of the recorded event loop delays.", (delays) => delays.mean - PERIOD_MS * 1e6],
  ["stddev", "The standard deviation of the recorded event loop delays.", (delays) => delays.stddev],
  ["p50", "The 50th percentile of the recorded event loop delays.", (delays) => percentile(delays, 50)],
  ["p90", "The 90th percentile of the recorded event loop delays.", (delays) => percentile(delays, 90)],
  ["p99", "The 99th percentile of the recorded event loop delays.", (delays) => percentile(delays, 99)],
];

/**
 * Registers `nodejs_eventloop_lag_seconds` and `nodejs_eventloop_lag_*_seconds`. In prom-client's own each delay has the period in it, so that an
 * idle loop is late by that, and without a look since the last scrape the minimum is 292 years.
 */
export function registerEventLoopLag(registry: Registry): void {
  const delays = monitorEventLoopDelay({ resolution: PERIOD_MS });
  delays.enable();
  new promClient.Gauge({
    name: "nodejs_eventloop_lag_seconds",
    help: "Lag of event loop in seconds.",
    registers: [registry],
    collect() {
      // Tells what the last scrape saw, as prom-client's does.
      const askedAt = performance.now();
      setImmediate(() => this.set((performance.now() - askedAt) / 1000));
    },
  });
  for (const [index, [what, help, of]] of TOLD.entries()) {
    const name = `nodejs_eventloop_lag_${what}_seconds`;
    new promClient.Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        // The first look behind a reset is only where the next delay begins: who asks sooner gets the last numbers again.
        if (delays.count === 0) return;
        this.set(Math.max(0, of(delays)) / 1e9);
        // A registry collects in the order of registration.
        if (index === TOLD.length - 1) delays.reset();
      },
    });
  }
}

function percentile(delays: IntervalHistogram, of: number): number {
  return delays.percentile(of) - PERIOD_MS * 1e6;
}
