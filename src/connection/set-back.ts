/** A frame stamped further behind the clock than this was not merely captured out of order, or merged badly: somebody has set the clock back. */
const SET_BACK_US = 10_000_000;

/**
 * Time while frames are stamped far behind the clock. Were it to stand still until they have caught up, as it does for those that are
 * a moment late, a lost segment would hold its connection up for as long as the clock was set back: hours, after the start of a
 * machine whose clock was wrong.
 */
export class SetBack {
  /** The largest time stamp seen since the clock was set back. */
  private latestUs = 0.5;

  /** Takes a time stamp behind the clock; returns how much time has passed since the one before it, in µs. */
  passed(timeUs: number, clockUs: number): number {
    if (clockUs - timeUs < SET_BACK_US) return 0;
    const sinceUs = timeUs - this.latestUs;
    if (sinceUs > 0 || sinceUs < -SET_BACK_US) this.latestUs = timeUs;
    // More is no pause: this is the first one.
    return sinceUs > 0 && sinceUs <= SET_BACK_US ? sinceUs : 0;
  }
}
