import type { FrameLayout } from "./frame-source.ts";

/** Where a live source takes its frames from for as long as its interface lasts. */
export interface Tap {
  readonly layout: FrameLayout;
  /** LINKTYPE_ value. */
  readonly linkType: number;
  readonly snaplen: number;
  /** Becomes readable with frames; -1: cannot be watched. */
  readonly descriptor: number;
  /** Holds what the last `read` brought: [start, its result). */
  readonly batch: Uint8Array;
  readonly start: number;
  /** As `FrameSource.read`, but for the end, which it does not know. */
  read(): number;
  /** Why no more will come, or null. */
  readonly fault: string | null;
  /** Frames dropped since the last call. */
  takeDrops(): { readonly kernel: number; readonly interface: number };
  close(): void;
}
