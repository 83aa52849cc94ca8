import type { Oddity } from "./flow-watch.ts";
import type { Part } from "./parts.ts";

/** A segment of the connection. */
export interface Rung {
  /** µs after the request's first byte; negative: before. */
  readonly atUs: number;
  /** µs since the segment before, whichever way that went; null for the first. */
  readonly gapUs: number | null;
  readonly isFromClient: boolean;
  /** TcpFlag bits. */
  readonly flags: number;
  readonly bytes: number;
  /** u32, as on the wire. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly window: number;
  /** What of which messages it carries. */
  readonly parts: readonly Part[];
  /** What this acknowledgement is the first to cover whole, or null. */
  readonly acknowledges: "request" | "response" | null;
  readonly oddities: readonly Oddity[];
}

/** Segments that are only counted. */
export interface Elision {
  readonly elided: number;
  readonly fromClientBytes: number;
  readonly fromServerBytes: number;
  /** Of them, sent again. */
  readonly retransmissions: number;
}

/** Whether a step stands for several segments that are only counted. */
export function isElision(step: Rung | Elision): step is Elision {
  return "elided" in step;
}

/** Whether these bytes had been sent before. */
export function isSentAgain(rung: Rung): boolean {
  return rung.oddities.some(({ what }) => what.startsWith("retransmission"));
}

/** From … to, µs after the request's first byte. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}
