import type { Snapshot } from "../aggregate/snapshot.ts";

/** What tcplat costs, as lines of the summary table: none where that is not measured, and of sampling only where there was any. */
export function costLines({ cost, stages: { capture, connections, sampling } }: Snapshot): string[] {
  const lines: string[] = [];
  if (cost !== null) {
    const budget = cost.maxCpuRatio === null ? "" : ` of ${percent(cost.maxCpuRatio)} %`;
    const memory = Math.round(cost.residentBytes / 1e6);
    const delay = (cost.eventLoopDelayUs / 1000).toFixed(1);
    lines.push(
      `cost        CPU ${percent(cost.cpuRatio)} %${budget}, ${cost.cpuSeconds.toFixed(2)} s in all; ${memory} MB resident; event loop up to ${delay} ms late`,
      `            ${Math.round(cost.framesPerSecond)} frames/s${batches(capture)}`,
    );
  }
  if (sampling.segmentsOutside > 0 || sampling.ratio < 1) {
    lines.push(
      `sampling    ${percent(sampling.ratio)} % of the connections are analysed; ${sampling.segmentsOutside} segments of ${connections.notAnalysed.sampled ?? 0} others were not looked into`,
    );
  }
  return lines;
}

function batches({ batches, frames }: Snapshot["stages"]["capture"]): string {
  if (batches === null || batches.count === 0) return "";
  const mean = (frames / batches.count).toFixed(1);
  return ` (the last 10 s); ${batches.count} batches, of ${mean} frames in the mean, ${batches.framesMax} at most`;
}

function percent(ratio: number): string {
  return (ratio * 100).toFixed(1);
}
