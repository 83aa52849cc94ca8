import type { Snapshot } from "../aggregate/snapshot.ts";
import type { CostCounters } from "../cost/meter.ts";
import type { NumberFamily } from "./metric-families.ts";

/** What tcplat costs, beyond `process_*`, and which share of the connections its other numbers speak of. */
export const COST_FAMILIES: readonly NumberFamily[] = [
  {
    name: "tcplat_capture_batches_total",
    help: "Batches in which frames were taken.",
    type: "counter",
    labelNames: ["interface"],
    samples: ({ stages: { capture } }) =>
      capture.batches === null ? [] : [{ labels: [capture.interface], value: capture.batches.count }],
  },
  {
    name: "tcplat_capture_batch_frames_max",
    help: "Frames of the largest batch.",
    type: "gauge",
    labelNames: ["interface"],
    samples: ({ stages: { capture } }) =>
      capture.batches === null ? [] : [{ labels: [capture.interface], value: capture.batches.framesMax }],
  },
  ofProcess("tcplat_frames_per_second", "Frames taken a second, lately.", (cost) => cost.framesPerSecond),
  ofProcess("tcplat_cpu_ratio", "Share of one core used by tcplat, lately.", (cost) => cost.cpuRatio),
  ofProcess("tcplat_max_cpu_ratio", "The same as --max-cpu allows it.", (cost) => cost.maxCpuRatio),
  ofProcess(
    "tcplat_event_loop_delay_seconds",
    "How late the event loop was at worst, lately.",
    (cost) => cost.eventLoopDelayUs / 1e6,
  ),
  {
    name: "tcplat_sampling_ratio",
    help: "Share of the connections that are analysed; below 1 only where --max-cpu needs it.",
    type: "gauge",
    labelNames: [],
    samples: ({ stages }) => [{ labels: [], value: stages.sampling.ratio }],
  },
  {
    name: "tcplat_sampled_out_segments_total",
    help: "Segments that were not looked into because of --max-cpu.",
    type: "counter",
    labelNames: [],
    samples: ({ stages }) => [{ labels: [], value: stages.sampling.segmentsOutside }],
  },
];

function ofProcess(name: string, help: string, read: (cost: CostCounters) => number | null): NumberFamily {
  const samples = ({ cost }: Snapshot) => {
    const value = cost === null ? null : read(cost);
    return value === null ? [] : [{ labels: [], value }];
  };
  return { name, help, type: "gauge", labelNames: [], samples };
}
