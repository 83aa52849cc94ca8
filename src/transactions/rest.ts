import type { HeldAnswers } from "./held-answers.ts";
import type { PendingQueue } from "./pending-queue.ts";

/**
 * What a connection keeps between messages of its pairing and its session, which serve others meanwhile. Of 100,000
 * connections most are idle, or wait for a response: 100 bytes of each instead of 900.
 */
export class Rest {
  /** The number of its last request. */
  lastNumber = 0;
  /** Longest wait for a response, a small integer, in µs. */
  longestWaitUs = 0;
  private bits = 0;
  /** The requests that wait for their response; null where there are none. */
  queue: PendingQueue | null = null;
  held: HeldAnswers | null = null;

  /** `standing`: see `Session`. */
  keep(standing: number, hasPipelined: boolean, isTentative: boolean): void {
    this.bits = (standing << 2) | (hasPipelined ? 1 : 0) | (isTentative ? 2 : 0);
  }

  get standing(): number {
    return this.bits >> 2;
  }

  get hasPipelined(): boolean {
    return (this.bits & 1) !== 0;
  }

  get isTentative(): boolean {
    return (this.bits & 2) !== 0;
  }

  get pendingCount(): number {
    return this.queue?.count ?? 0;
  }

  /** Requests not reported as anything yet. */
  get unreported(): number {
    return (this.queue?.unreported ?? 0) + (this.held?.answers.length ?? 0);
  }
}
