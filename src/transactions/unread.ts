import type { Pairing } from "./pairing.ts";
import { Flag } from "./transaction.ts";

/** What a server sent while its message boundaries could not be followed: when, and whether all of it was captured. */
export class UnreadStretch {
  /** Of the earliest of its segments and of the latest, µs since the epoch. What fills a hole comes first in the stream, but later than what was held behind it. */
  private firstUs = 0.5;
  private lastUs = 0.5;
  /** How much of the client's stream its sender had received when it began, and when it ended: what was asked behind that is not answered in it. */
  private cutOffset = -0.5;
  private receivedOffset = -0.5;
  /** Bytes of it were never captured (rather than cut off by the snaplen). */
  hasHole = false;
  /** Nothing was unread before it. */
  private isFirst = false;
  private hasBegun = false;

  /** Boundaries are lost in a segment of this time; `hasHole`: because of bytes that are missing altogether. */
  begin(timeUs: number, hasHole: boolean): void {
    this.isFirst = !this.hasBegun;
    this.hasBegun = true;
    this.firstUs = timeUs;
    this.lastUs = timeUs;
    this.hasHole = hasHole;
  }

  /** The segment in which it begins was cut; its sender had received so much. */
  cut(receivedOffset: number): void {
    this.cutOffset = receivedOffset;
    this.receivedOffset = receivedOffset;
  }

  /** Another segment. */
  extend(timeUs: number, receivedOffset: number): void {
    if (timeUs < this.firstUs) this.firstUs = timeUs;
    if (timeUs > this.lastUs) this.lastUs = timeUs;
    this.receivedOffset = receivedOffset;
  }

  addHole(): void {
    this.hasHole = true;
  }

  /** All that could not be read stood in one segment. */
  get isOneSegment(): boolean {
    return !this.hasHole && this.firstUs === this.lastUs;
  }

  /**
   * All of it is known to end at `offset`, at a boundary. A single request that it may answer and whose response had begun ends with the
   * last byte; and where all that was not seen stood in one segment, its time is everybody's.
   */
  complete(pairing: Pairing, isClientLost: boolean, offset: number, errorId: number): void {
    // What was cut before anything was asked is a push, and perhaps not the last.
    if (this.hasHole || pairing.pendingBefore(this.cutOffset) === 0) return;
    const due = pairing.pendingBefore(this.receivedOffset);
    if (due === 1 && pairing.isResponding && (this.isOneSegment || !isClientLost))
      pairing.answerCut(this.lastUs, offset, errorId);
    else if (this.isOneSegment) pairing.answerAllAt(this.lastUs, Flag.truncated, due);
  }

  /**
   * The same where responses come in any order: whose it is, is known of a single request only (`mayMissRequests`: others may not have been seen), and where
   * that may not have been answered in an earlier stretch.
   */
  completeById(pairing: Pairing, mayMissRequests: boolean, offset: number, errorId: number): void {
    if (this.isFirst && !mayMissRequests && pairing.pendingCount === 1)
      this.complete(pairing, mayMissRequests, offset, errorId);
  }
}
