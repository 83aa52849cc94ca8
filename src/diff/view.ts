import type { TcplatError } from "../errors.ts";
import type { RecordStore } from "./record-store.ts";

/** All that one host's capture, or record file, tells. */
export interface View {
  /** The file as the user named it. */
  readonly name: string;
  readonly records: RecordStore;
  /** From when to when this host was watched, by its own clock, µs; NaN where there is nothing. */
  readonly firstUs: number;
  readonly lastUs: number;
  /**
   * Requests that the capture saw and the file does not hold (`-t`, a slow reader); null where a record file has no summary, so
   * that nobody knows.
   */
  readonly unlisted: number | null;
  /** Holes in what was captured. */
  readonly gaps: number;
  /** Lines of a record file that are no records. */
  readonly unreadable: number;
  /** A sentence for the user, or null. */
  readonly warning: string | null;
  /** What ended the reading before the file's end, once all before it was read; or null. */
  readonly failure: TcplatError | null;
}

/** Until when this view's records are complete: where some were refused, no longer than the last one kept. */
export function completeUntilUs(view: View): number {
  const { records } = view;
  return records.refused > 0 ? records.endUs(records.count - 1) : view.lastUs;
}
