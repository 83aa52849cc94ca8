import type { ErrorCode } from "../errors.ts";

/** What the child needs to begin; handed over as JSON in its first argument. */
export interface CapChildOptions {
  readonly interface: string;
  readonly snaplen: number;
  readonly bufferKib: number;
  readonly filter: string;
}

/** What the child says; frames go another way, as records on RECORDS_DESCRIPTOR. */
export type CapChildMessage =
  | { readonly type: "ready"; readonly linkType: number }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly reason: string }
  /** Frames the child's full queue refused since it began. */
  | { readonly type: "dropped"; readonly frames: number };

/** The child's file descriptor that carries frames, each behind the record header of frame-source.ts. */
export const RECORDS_DESCRIPTOR = 3;

/** `cap` captures no more of a frame; a longer record is a fault. */
export const CAP_MAX_FRAME_BYTES = 65535;

/** Whether `cap` did not load for want of libpcap, which it is linked to: the dynamic loader's words name the library. */
export function isLibpcapWanting(reason: string): boolean {
  return /\blibpcap[\w.]*\.(so|dylib)\b/.test(reason);
}

/**
 * What an error says, on one line. Node's own span several: that `cap` was compiled for another Node.js is told in the second;
 * who wanted a module that is missing, and what npm might do about it, is left out.
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [what = ""] = text.replaceAll(/\s*\n\s*/g, " ").split(/ Require stack:|\. Please /, 1);
  return what;
}
