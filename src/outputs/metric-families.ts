import type { BucketsSnapshot, Snapshot } from "../aggregate/snapshot.ts";

/** One line of a counter or gauge: label values in the order of the family's label names. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number;
}

/** One series of a histogram. */
export interface HistogramSample {
  readonly labels: readonly string[];
  readonly histogram: BucketsSnapshot;
}

interface FamilyHead {
  /** As on /metrics. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** A counter or gauge, and how to read it off a snapshot. */
export interface NumberFamily extends FamilyHead {
  readonly type: "counter" | "gauge";
  samples(snapshot: Snapshot): Sample[];
}

export interface HistogramFamily extends FamilyHead {
  readonly type: "histogram";
  samples(snapshot: Snapshot): HistogramSample[];
}
