import type { Oddity } from "./flow-watch.ts";
import type { Span } from "./steps.ts";

/** Finer than any bar: spans with a shorter pause between them are drawn as one. Bounds how many there are. */
const SPANS = 1024;

/** When a receive window was closed. Of every segment, since of many only a few are shown. */
export class ClosedTimes {
  readonly #wholeUs: number;
  readonly #spans: { fromUs: number; toUs: number }[] = [];
  /** In all, without the pauses. */
  us = 0;

  /** `wholeUs`: from the request's first byte until what is drawn ends. */
  constructor(wholeUs: number) {
    this.#wholeUs = wholeUs;
  }

  get spans(): readonly Span[] {
    return this.#spans;
  }

  /** Takes a segment `atUs` after the request's first byte, with what is odd about it. */
  note(atUs: number, oddities: readonly Oddity[]): void {
    for (const oddity of oddities) {
      if (oddity.what === "window_opened") this.#add(Math.max(0, atUs - oddity.us), Math.min(atUs, this.#wholeUs));
    }
  }

  #add(fromUs: number, toUs: number): void {
    if (toUs <= fromUs) return;
    this.us += toUs - fromUs;
    const last = this.#spans.at(-1);
    if (last !== undefined && fromUs - last.toUs < this.#wholeUs / SPANS) last.toUs = Math.max(last.toUs, toUs);
    else this.#spans.push({ fromUs, toUs });
  }
}
