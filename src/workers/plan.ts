import { statSync } from "node:fs";
import type { Options } from "../options.ts";

/** How many workers a run gets, and why that is fewer than asked for, or null. */
export interface Plan {
  readonly workers: number;
  readonly reason: string | null;
}

/** `--workers`, where the work can be shared out. */
export function planWorkers(options: Options): Plan {
  const { workers } = options;
  const reason = workers === 1 ? null : obstacle(options);
  return { workers: reason === null ? workers : 1, reason };
}

function obstacle({ scripts, read, write, count, engine, report, dumpSlow, raw }: Options): string | null {
  if (write !== null) return "-w writes the frames in one order";
  if (dumpSlow !== null) return "--dump-slow keeps the frames of all in one order";
  if (scripts.length > 0) return "scripts see the frames and transactions of all in one order";
  if (raw !== null) return "-p raw prints the packets in one order";
  if (report !== null) return "a report looks at all transactions in one order";
  if (read === null) {
    if (engine === "cap") return "--engine cap cannot share out the frames";
    if (process.platform !== "linux") return "only Linux shares out the frames of an interface";
    return count === null ? null : "-c counts the frames of all";
  }
  if (read === "-") return "standard input can be read only once";
  return statSync(read, { throwIfNoEntry: false })?.isFile() === false ? `${read} can be read only once` : null;
}
