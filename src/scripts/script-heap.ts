import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const MIB = 1024 * 1024;

/** A script of JavaScript may keep so much memory; beyond it the scripts are ended, and capture goes on. */
const HEAP_MIB = 256;
export const IS_FULL = `the script has filled its memory of ${HEAP_MIB} MiB`;
/** By so much the process may grow during one call. */
export const CALL_BYTES = HEAP_MIB * MIB;
/**
 * V8's own limit, out of reach of both: there it ends the thread, but the whole process where a single large allocation meets it, as
 * when a Map of millions of keys doubles.
 */
export const LAST_RESORT_MIB = 4096;

/** What the scripts keep, as their own thread sees it between two slices. */
export class ScriptHeap {
  #collect: (() => void) | null = null;

  /** Whether they keep too much: more than is garbage. */
  isFull(): boolean {
    if (isBelow(HEAP_MIB)) return false;
    // V8 lets garbage pile up as long as its own limit is far.
    this.#collect ??= collector();
    this.#collect();
    return !isBelow(HEAP_MIB);
  }
}

function isBelow(mib: number): boolean {
  return getHeapStatistics().used_heap_size < mib * MIB;
}

/** The function with which a collection is asked for: only a context that is made after this flag was set has it. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
