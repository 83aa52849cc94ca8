import type { Registry } from "prom-client";
import { registerEventLoopLag } from "./event-loop-lag.ts";
import { promClient, registerMetrics } from "./prom-client.ts";

/** prom-client's own, without active handles, without the event loop's lag, and without CPU time, which it counts from where it is loaded. */
const FILES = [
  "processStartTime",
  "osMemoryHeap",
  "processOpenFileDescriptors",
  "processMaxFileDescriptors",
  "heapSizeAndUsed",
  "heapSpacesSizeAndUsed",
  "version",
  "gc",
];

/** Registers `process_*` and `nodejs_*`, as prom-client names them. */
export function registerProcessMetrics(registry: Registry): void {
  registerCpu(registry);
  for (const file of FILES) registerMetrics(file, registry);
  registerEventLoopLag(registry);
}

const CPU: readonly (readonly [name: string, help: string, microseconds: (used: NodeJS.CpuUsage) => number])[] = [
  ["process_cpu_user_seconds_total", "Total user CPU time spent in seconds.", ({ user }) => user],
  ["process_cpu_system_seconds_total", "Total system CPU time spent in seconds.", ({ system }) => system],
  [
    "process_cpu_seconds_total",
    "Total user and system CPU time spent in seconds.",
    ({ user, system }) => user + system,
  ],
];

function registerCpu(registry: Registry): void {
  for (const [name, help, microseconds] of CPU) {
    new promClient.Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(microseconds(process.cpuUsage()) / 1e6);
      },
    });
  }
}
