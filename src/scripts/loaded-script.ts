import type { Slice, Wants } from "./messages.ts";
import type { ScriptLog } from "./script-log.ts";

/** A script that is loaded, whatever it is written in. */
export interface LoadedScript {
  readonly wants: Wants;
  /** Runs what a slice brings. `beat` is called after each call of the script's, or some of them. */
  run(slice: Slice, log: ScriptLog, beat: () => void): SliceCalls;
  /** There will be no more. */
  end(log: ScriptLog): Promise<void>;
}

/** How often each function was called. */
export interface SliceCalls {
  packet: number;
  transaction: number;
  tick: number;
}

/** Why a script cannot be used: one sentence, with the file and mostly the line. */
export class ScriptRefusal extends Error {}
