import { createRequire } from "node:module";
import type { Counter, Gauge, Registry } from "prom-client";

const require = createRequire(import.meta.url);

/** The parts of prom-client that are needed: all of it, with what it pushes, joins and traces, takes five times as long to load (75 ms; `start-up`). These are files of
 * its own making, so package.json names one version. */
export const promClient: {
  readonly Registry: typeof Registry;
  readonly Gauge: typeof Gauge;
  readonly Counter: typeof Counter;
} = {
  Registry: require("prom-client/lib/registry"),
  Gauge: require("prom-client/lib/gauge"),
  Counter: require("prom-client/lib/counter"),
};

/** Registers those metrics of the process that are in a file of prom-client's own. */
export function registerMetrics(file: string, registry: Registry): void {
  const register: (registry: Registry) => void = require(`prom-client/lib/metrics/${file}`);
  register(registry);
}
