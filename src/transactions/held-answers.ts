import type { Pairing } from "./pairing.ts";
import { ResponseDraft } from "./response-draft.ts";
import type { UnansweredReason } from "./transaction.ts";

/** An answered request that is not told yet: its entry in the pool, and its response. */
export interface HeldAnswer {
  readonly entry: number;
  readonly response: ResponseDraft;
  readonly responseBytes: number;
  readonly errorId: number;
  /** What would contradict it would have come by now. */
  isProven: boolean;
}

/** With so many requests in the pool, first pairs are told at once: a flood must not take all the room. */
export const HOLD_ROOM = 1 << 14;
/** There is not to be room for more. */
const ENOUGH_HELD = 4096;
/** So often has the client to send again with nothing due. */
const ENOUGH_WAITS = 32;
/** A shorter pause tells nothing: a server's small segment may wait for a delayed acknowledgement (40 ms). */
const LEAST_PAUSE_US = 50_000;
/** So many pauses as long as responses usually come behind the request before their own show that none was under way; one that is longer counts twice at most. */
const ENOUGH_PAUSES = 16;
const MOST_OF_ONE = 2;
/** What is usual follows what is seen by this share. */
const SHARE = 1 / 8;
/** For the last ones of a capture, and of a client that is known to wait. */
const FEW_WAITS = 3;

/**
 * Answered requests that are not told yet, since they rest on what is only likely: that nothing was under way where pairing began
 * in the middle, or was taken up again after a loss. Else each response belongs to the request before; and sooner or later
 * one comes that nobody has asked for. They are told once nothing has contradicted them for long enough, or once nobody has
 * spoken for so long that the response would have come. Where bytes are lost again, it may have been among them: what is not
 * proven by then is told only when the client is known to wait.
 */
export class HeldAnswers {
  /** It was only tried whether the client was at rest where this began: that it seems to wait since then proves nothing. */
  isTried = false;
  readonly answers: HeldAnswer[] = [];
  /** Before this place all are proven, or carried. */
  private fresh = 0;
  private hasCarried = false;
  private waits = 0;
  /** How often the client has sent since the last loss, having received something in between. */
  private sent = 0;
  /** Of one that is tried: how often it was at rest after a pause in which the server would have answered. */
  private rests = 0;
  private pauses = 0;
  /** When the last request answered began, and how long its response took to begin, in µs. */
  private lastStartUs = Number.NaN;
  private lastWaitUs = 0;
  /** How long responses usually come behind the request before their own: what they would have taken if each were that one's. */
  private usualUs = Number.NaN;
  /** All pauses together in which nothing was due, since the last loss, in µs. */
  private pausedUs = 0;
  /** Nothing has been lost since the connection was first seen. */
  private isWhole: boolean;

  constructor(isWhole: boolean) {
    this.isWhole = isWhole;
  }

  /** Takes a request out of the queue, with its response, which is copied; it began `waitUs` behind the request. */
  add(entry: number, response: ResponseDraft, waitUs: number, responseBytes: number, errorId: number): void {
    const { startUs } = response;
    const behindUs = startUs - this.lastStartUs;
    this.usualUs = Number.isNaN(this.usualUs) ? behindUs : this.usualUs + (behindUs - this.usualUs) * SHARE;
    this.lastStartUs = startUs - waitUs;
    this.lastWaitUs = waitUs;
    const copy = new ResponseDraft();
    copy.begin(response.startUs, response.offset, response.flags, response.missingPackets);
    copy.extend(response.endUs, 0);
    copy.end();
    copy.closedUs = response.closedUs;
    this.answers.push({ entry, response: copy, responseBytes, errorId, isProven: false });
  }

  /** The client sent again with nothing due. Whether that is enough. */
  countWait(): boolean {
    return ++this.waits >= ENOUGH_WAITS;
  }

  /** Of a client that is known to wait: it has gone on waiting. */
  get isBelieved(): boolean {
    return this.waits >= FEW_WAITS;
  }

  /**
   * The client, of which it was tried whether it was at rest, has sent again, with nothing due (`isAtRest`) or not, `pauseUs` after the server, which is `toServerUs`
   * away (there and back). Whether it was at rest, for certain. `isKnown`: it was followed before, and came to rest; `untilRest` as `Anchor` says.
   *
   * Two who share a connection may keep exactly one request under way beside the one that seems to be answered, each sending its next one as soon as it has its
   * response. But a server that had one to answer would not have been silent, until the client sent again, for as long as it takes to answer. How long that is, is
   * known of a client that was followed before: as long as the last one took. Of another each response may be the one to the request before: then it takes longer,
   * and only pauses tell that are as long.
   */
  countSent(isAtRest: boolean, pauseUs: number, toServerUs: number, isKnown: boolean, untilRest: number): boolean {
    this.sent++;
    if (isAtRest && pauseUs + toServerUs >= this.lastWaitUs - toServerUs) this.rests++;
    // Not the server's view: of a connection that was not seen to begin, the way there may have been measured by responses.
    if (isAtRest && pauseUs >= this.usualUs) this.pauses += pauseUs >= MOST_OF_ONE * this.usualUs ? MOST_OF_ONE : 1;
    const isEnough = this.pauses >= ENOUGH_PAUSES || (isKnown && this.rests >= ENOUGH_WAITS);
    return isEnough && this.sent >= untilRest;
  }

  /** The client has sent again, after so long a pause with nothing due. */
  countPause(us: number): void {
    if (us >= LEAST_PAUSE_US) this.pausedUs += us;
  }

  /**
   * This pause, and those before it. A response that is still to come was due in each of them, and none came until the
   * client had sent once more: several pauses prove at least as much as one that is as long.
   */
  pausesUs(us: number): number {
    return this.pausedUs + us;
  }

  get isFull(): boolean {
    return this.answers.length >= ENOUGH_HELD;
  }

  /** Bytes were lost: what would have contradicted these may have been among them. */
  carry(): void {
    if (this.fresh < this.answers.length) this.hasCarried = true;
    this.fresh = this.answers.length;
    this.waits = 0;
    this.rests = 0;
    this.pauses = 0;
    this.sent = 0;
    this.pausedUs = 0;
    this.isWhole = false;
  }

  /** What would contradict those held since the last loss has not come. Whether all that is held is proven. */
  prove(): boolean {
    for (let i = this.fresh; i < this.answers.length; i++) this.answers[i]!.isProven = true;
    this.fresh = this.answers.length;
    return !this.hasCarried;
  }

  /** Whether what would contradict these had come before the connection ended, for this reason, with nothing due. */
  isProvenBy(reason: UnansweredReason): boolean {
    if (reason === "closed" || reason === "timeout") return true;
    return this.isWhole || (this.waits >= FEW_WAITS && !this.isTried);
  }

  /** Takes the proven ones, or the others. */
  part(isProven: boolean): HeldAnswers {
    const part = new HeldAnswers(false);
    part.answers.push(...this.answers.filter((answer) => answer.isProven === isProven));
    return part;
  }
}

/** Ends the hold: what is not proven is told only where the client is trusted to wait. */
export function endHold(pairing: Pairing, isTrusted: boolean, nowUs: number): void {
  const held = pairing.held;
  if (held === null) return;
  if (!isTrusted) {
    pairing.held = held.part(true);
    pairing.endHold(true, nowUs);
    pairing.held = held.part(false);
  }
  pairing.endHold(isTrusted, nowUs);
}
