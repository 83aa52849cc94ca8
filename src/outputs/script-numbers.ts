import type { Snapshot } from "../aggregate/snapshot.ts";
import type { NumberFamily } from "./metric-families.ts";

/** What scripts (`-S`) were given, and what became of it: no series where there are none. */
export const SCRIPT_FAMILIES: readonly NumberFamily[] = [
  family(
    "tcplat_script_up",
    "1 while the scripts run, 0 once they have been stopped.",
    "gauge",
    [],
    ({ isRunning }) => [["", Number(isRunning)]],
  ),
  family(
    "tcplat_script_calls_total",
    "Calls of the functions that scripts have.",
    "counter",
    ["function"],
    ({ calls }) => Object.entries(calls),
  ),
  family("tcplat_script_errors_total", "Errors in scripts.", "counter", [], ({ errors }) => [["", errors]]),
  family(
    "tcplat_script_skipped_total",
    "What passed the scripts by because they were too slow, or had been stopped.",
    "counter",
    ["what"],
    ({ skipped }) => Object.entries(skipped),
  ),
];

type Counters = NonNullable<Snapshot["scripts"]>;

function family(
  name: string,
  help: string,
  type: NumberFamily["type"],
  labelNames: readonly string[],
  read: (scripts: Counters) => readonly (readonly [label: string, value: number])[],
): NumberFamily {
  const samples = ({ scripts }: Snapshot) =>
    (scripts === null ? [] : read(scripts)).map(([label, value]) => ({
      labels: labelNames.length === 0 ? [] : [label],
      value,
    }));
  return { name, help, type, labelNames, samples };
}

/** The same as a line of the summary table. */
export function scriptLines({ scripts }: Snapshot): string[] {
  if (scripts === null) return [];
  const { calls, errors, skipped, isRunning } = scripts;
  const stopped = isRunning ? "" : "stopped; ";
  return [
    `scripts     ${stopped}called for ${calls.packet} packets, ${calls.transaction} transactions, ${calls.tick} ticks; ${errors} errors; ` +
      `skipped ${skipped.frames} frames, ${skipped.transactions} transactions`,
  ];
}
