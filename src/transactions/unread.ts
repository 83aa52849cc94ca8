/** What a server sent while its message boundaries could not be followed: when, and whether all of it was captured. */
export class UnreadStretch {
  #firstUs = 0.5;
  /** Of the latest of its bytes, µs since the epoch. */
  lastUs = 0.5;
  /** Bytes of it were never captured (rather than cut off by the snaplen). */
  hasHole = false;

  /** Boundaries are lost in a segment of this time; `hasHole`: because of bytes that are missing altogether. */
  begin(timeUs: number, hasHole: boolean): void {
    this.#firstUs = timeUs;
    this.lastUs = timeUs;
    this.hasHole = hasHole;
  }

  /** Another segment. */
  extend(timeUs: number): void {
    this.lastUs = timeUs;
  }

  addHole(): void {
    this.hasHole = true;
  }

  /** All that could not be read stood in one segment. */
  get isOneSegment(): boolean {
    return !this.hasHole && this.#firstUs === this.lastUs;
  }
}
