/** What a server sent while its message boundaries could not be followed: when, and whether all of it was captured. */
export class UnreadStretch {
  #firstUs = 0.5;
  /** Of the latest of its bytes, µs since the epoch. */
  lastUs = 0.5;
  #hasHole = false;
  /** Its last bytes are missing: nobody knows when it ended. */
  endsInHole = false;

  /** Boundaries are lost in a segment of this time; `hasHole`: because of bytes that are missing altogether. */
  begin(timeUs: number, hasHole: boolean): void {
    this.#firstUs = timeUs;
    this.lastUs = timeUs;
    this.#hasHole = hasHole;
    this.endsInHole = false;
  }

  /** Another segment. */
  extend(timeUs: number): void {
    this.lastUs = timeUs;
    this.endsInHole = false;
  }

  addHole(): void {
    this.#hasHole = true;
    this.endsInHole = true;
  }

  /** All that could not be read stood in one segment. */
  get isOneSegment(): boolean {
    return !this.#hasHole && this.#firstUs === this.lastUs;
  }
}
