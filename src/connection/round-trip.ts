/** An acknowledgement without data may be held back for so long (Linux: 40 ms at least; RFC 9293 §3.8.6.3). */
const DELAYED_ACK_US = 30_000;
/** The least of this long counts, so that a route that became longer is noticed. */
const WINDOW_US = 10_000_000;
/** Without a handshake so many acknowledgements must have been seen: each of few may include the time of a slow command. */
const ENOUGH_SAMPLES = 4;

/** The least round trip seen may be longer than the shortest one possible: by less than this part, and a busy host's delays. */
const SURELY = 0.75;
const BUSY_US = 500;

/** What comes sooner than this after a segment is no answer to it, where the least round trip seen is `us`. */
export function shortestUs(us: number): number {
  return SURELY * us - BUSY_US;
}

/**
 * The round trip between here and one end of a connection, in µs: of the handshake, then from data to the
 * acknowledgement that covers it. An acknowledgement that comes with data was held back until there was some, and one without
 * may have been held back, too: so the estimate is the least of the last ten to twenty seconds, and only what cannot have been
 * held back makes it longer.
 */
export class RoundTrip {
  /** -1 while unknown. */
  us = -1;
  private least = -1;
  private leastBefore = -1;
  /** When its first ten seconds began (Segment.timeLow); while `us` is unknown, how many acknowledgements were seen. */
  private windowLow = 0;

  /** The handshake took `us`; `nowLow` is its end (Segment.timeLow). */
  shookHands(us: number, nowLow: number): void {
    if (us < 0) return;
    this.us = this.least = us;
    this.leastBefore = -1;
    this.windowLow = nowLow;
  }

  /**
   * Data was acknowledged after `us`, `withData` or without. True where that is a round trip, and nothing more, as far as can be
   * told. Never of data that was sent twice (Karn).
   */
  acknowledged(us: number, withData: boolean, nowLow: number): boolean {
    if (us < 0) return false;
    if (this.us < 0) return this.sampleUnknown(us, nowLow);
    if (withData || us > this.us + DELAYED_ACK_US) {
      if (us < this.us) this.us = this.least = us;
      return false;
    }
    if (((nowLow - this.windowLow) | 0) > WINDOW_US || this.least < 0) {
      this.leastBefore = this.least;
      this.least = us;
      this.windowLow = nowLow;
    } else if (us < this.least) this.least = us;
    this.us = this.leastBefore < 0 ? this.least : Math.min(this.least, this.leastBefore);
    return true;
  }

  private sampleUnknown(us: number, nowLow: number): boolean {
    if (this.windowLow === 0 || us < this.least) this.least = us;
    if (++this.windowLow < ENOUGH_SAMPLES) return false;
    this.shookHands(this.least, nowLow);
    return true;
  }
}
