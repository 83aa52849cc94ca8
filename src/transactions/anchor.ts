import type { Connection } from "../connection/connection.ts";
import { advance, distance } from "../connection/sequence.ts";
import { type Protocol, Recognition } from "../protocols/protocol.ts";
import type { HeldAnswers } from "./held-answers.ts";

/** A client is quiet when nobody spoke for this long, or for 3 of its longest waits. */
const QUIET_US = 20_000;
/** The same of one that sends with responses due: Nagle's algorithm keeps one back until the last is acknowledged; Linux puts that off by 40 ms (`TCP_DELACK_MIN`). */
const QUIET_ASYNC_US = 50_000;
const QUIET_UNKNOWN_US = 1_000_000;
/** A client that did so this often, and never otherwise, seems to wait for all its responses before it sends again. */
const PROVEN_WAITS = 3;
/** For one that was never seen to have two requests under way. */
const FEW_WAITS = 1;
/** A client that did so this often while all could be followed, and never otherwise, is believed without further ado. */
const TRUSTED_WAITS = 16;
/** The same for one that has sent several requests at once. */
const TRUSTED_BATCHES = 32;
/** One that was at rest so often, while all could be followed, comes to rest. */
const MANY_RESTS = 32;
/** Any client has been at rest once it has sent so many times as often as it ever did between two rests, and no less than this. */
const MANY_BUSY = 4;
const LEAST_BUSY = 32;
/** So often one is taken to send between two rests of whom something was told that was wrong. */
const RARELY = 256;
/** So many occasions to try whether a client is at rest are let pass for each request that the last trial told in vain: nearly all that is told is to be told for good. */
const PASSED_FOR_EACH = 31;

/** What is missing of the bytes before a client segment. */
export const Loss = {
  /** Nothing of the client, ever. */
  none: 0,
  /** Something, long ago or cut off by the snaplen. */
  before: 1,
  /** The client's last bytes, since when it could not be followed. */
  client: 2,
  /** Neither direction can be followed. */
  both: 3,
} as const;
export type Loss = (typeof Loss)[keyof typeof Loss];

/** How sure it is that nothing is under way. */
export const Proof = {
  none: 0,
  /** Possible, of a client that does not wait: it is tried, and what is paired from here on is held back (see `HeldAnswers`). */
  tried: 1,
  /** Likely: it is held back as well. */
  likely: 2,
  /** Nobody spoke for long enough: the same. */
  quiet: 3,
  /** The client is known to wait. */
  trusted: 4,
} as const;
export type Proof = (typeof Proof)[keyof typeof Proof];

/** One bit each of what is known of a connection: with 100,000 of them every word is 0.8 MB. */
const Bit = {
  async: 1,
  pipelined: 1 << 1,
  clientData: 1 << 2,
  clientEndsInHole: 1 << 3,
  serverData: 1 << 4,
  serverEndsInHole: 1 << 5,
  clientLost: 1 << 6,
  serverLost: 1 << 7,
  clientHole: 1 << 8,
  assumed: 1 << 9,
  restsOnWaits: 1 << 10,
  lastCut: 1 << 11,
  midstream: 1 << 12,
  followed: 1 << 13,
} as const;

/**
 * Where in a word of a connection's: segments that led since the client was last at rest, the most of them between two rests, and, above these, how
 * often it was at rest.
 */
const Habit = { longest: 12, rests: 24, most: (1 << 12) - 1 } as const;

/**
 * What the acknowledgement numbers tell about where requests begin, when the bytes themselves cannot be followed.
 *
 * A client segment "leads" where it acknowledges more than the client's segment before it: the client has received something
 * in between. A client that waits for its responses is then at the beginning of a request, and whatever the server sends
 * next is the response, provided that
 *
 * - the segment acknowledges everything that the server has sent, and
 * - no segment stood between: either no byte of the client is missing just before it, or the server's last bytes
 *   acknowledge everything before it. (Of a request in two segments the first may be missing; the second then seems
 *   to lead, but what the server sent last was sent before it had the first.)
 *
 * Whether a client waits is known from what it did while all could be followed. One that was ever seen to send with a
 * response still due does not; it must have been quiet, moreover, for longer than any of its requests took, with the server's last
 * bytes acknowledging all before: then nothing is under way. A busy one never is quiet for so long, but comes to rest all the same. So of one that was seen at rest
 * again and again, or whose connection is older than the capture, any segment that leads is tried: where something was under way after all, the client's next rest shows
 * it, since a response too many comes. If none came, though the server was silent between the client's requests again and again, there was nothing
 * (`HeldAnswers.countSent`).
 */
export class Anchor {
  private waits = 0;
  /** Those of them that were seen while all could be followed. */
  private followedWaits = 0;
  private clientAcknowledged = 0;
  private serverNext = 0;
  private serverAcknowledged = 0;
  private bits = 0;

  /** Client segments since the last that led. */
  private burst = 0;

  /** How the client comes to rest, seen while all could be followed. */
  private habit = 0;

  /** So many occasions to try whether it is at rest are let pass. */
  private toPass = 0;

  /** A client segment that led was seen while a response was due: it does not wait for its responses. */
  get isAsync(): boolean {
    return (this.bits & Bit.async) !== 0;
  }

  set isAsync(is: boolean) {
    this.set(Bit.async, is);
  }

  /** The client's message boundaries are not known. */
  get isClientLost(): boolean {
    return (this.bits & Bit.clientLost) !== 0;
  }

  set isClientLost(is: boolean) {
    this.set(Bit.clientLost, is);
  }

  get isServerLost(): boolean {
    return (this.bits & Bit.serverLost) !== 0;
  }

  set isServerLost(is: boolean) {
    this.set(Bit.serverLost, is);
  }

  /** The client is lost because bytes of it are missing altogether, not because a segment was cut off. */
  get hasClientHole(): boolean {
    return (this.bits & Bit.clientHole) !== 0;
  }

  set hasClientHole(is: boolean) {
    this.set(Bit.clientHole, is);
  }

  /** The boundaries rest on an anchor, not on the beginning of the connection. */
  get isAssumed(): boolean {
    return (this.bits & Bit.assumed) !== 0;
  }

  set isAssumed(is: boolean) {
    this.set(Bit.assumed, is);
  }

  /** It was taken for nothing to be under way because this client waits. */
  get restsOnWaits(): boolean {
    return (this.bits & Bit.restsOnWaits) !== 0;
  }

  set restsOnWaits(is: boolean) {
    this.set(Bit.restsOnWaits, is);
  }

  /** Since the client cannot be followed: the last request that waits went on in what cannot be read. */
  get isLastCut(): boolean {
    return (this.bits & Bit.lastCut) !== 0;
  }

  set isLastCut(is: boolean) {
    this.set(Bit.lastCut, is);
  }

  /** The connection is older than the capture. */
  get isMidstream(): boolean {
    return this.has(Bit.midstream);
  }

  set isMidstream(is: boolean) {
    this.set(Bit.midstream, is);
  }

  /** Both directions could be followed, now or before, and that was more than a guess. */
  get wasFollowed(): boolean {
    return this.has(Bit.followed);
  }

  set wasFollowed(is: boolean) {
    this.set(Bit.followed, is);
  }

  /** Anything of the client was seen. */
  get hasClientData(): boolean {
    return (this.bits & Bit.clientData) !== 0;
  }

  /** Anything of the server was seen. */
  get hasServerData(): boolean {
    return (this.bits & Bit.serverData) !== 0;
  }

  private set(bit: number, is: boolean): void {
    this.bits = is ? this.bits | bit : this.bits & ~bit;
  }

  private has(bit: number): boolean {
    return (this.bits & bit) !== 0;
  }

  /** Whether a client segment with this acknowledgement number leads; to be asked before `clientSent`. */
  // Runs for every segment with payload.
  leads(acknowledgement: number): boolean {
    return !this.hasClientData || distance(acknowledgement, this.clientAcknowledged) > 0;
  }

  /** Notes a client segment. */
  // Runs for every segment with payload.
  clientSent(acknowledgement: number): void {
    if (this.leads(acknowledgement)) {
      this.clientAcknowledged = acknowledgement;
      this.burst = 0;
    }
    this.burst++;
    this.bits = (this.bits | Bit.clientData) & ~Bit.clientEndsInHole;
  }

  /** Bytes of the client are missing. */
  clientLost(): void {
    this.bits |= Bit.clientEndsInHole;
  }

  /** Notes a server segment; `next` is the sequence number behind it. */
  // Runs for every segment with payload.
  serverSent(next: number, acknowledgement: number): void {
    this.bits = (this.bits | Bit.serverData) & ~Bit.serverEndsInHole;
    this.serverNext = next;
    this.serverAcknowledged = acknowledgement;
  }

  /** Bytes of the server are missing, up to the sequence number `next`. */
  serverLost(next: number): void {
    this.bits |= Bit.serverData | Bit.serverEndsInHole;
    this.serverNext = next;
  }

  /**
   * Weighs a client segment that leads. `isKnown`: all before it could be followed (else two segments may have been two
   * requests, and prove nothing); `begins`: it begins a request, or looks like it; `isDue`: a response is known to be due; `hasPipelined`: requests were seen to wait together,
   * so that only what the client does from then on counts; `held`: what is known rests on what is only likely.
   */
  weigh(
    sequence: number,
    acknowledgement: number,
    isKnown: boolean,
    begins: boolean,
    isDue: boolean,
    hasPipelined: boolean,
    held: HeldAnswers | null,
  ): void {
    if (hasPipelined && !this.has(Bit.pipelined)) {
      this.bits |= Bit.pipelined;
      this.waits = 0;
      this.followedWaits = 0;
    }
    const isAnswered = this.isAnswered(sequence);
    // A hole may reach further than what was read: only bytes that were seen show that the client did not wait for them.
    const isUnread = !this.isAllRead(acknowledgement) && !this.has(Bit.serverEndsInHole);
    if (isKnown && held === null) this.noteRest(isAnswered && !isDue && !isUnread);
    if (isDue || isUnread) this.isAsync = true;
    else if (held?.isTried) return;
    else if (isAnswered) {
      if (isKnown) this.followedWaits++;
      if (isKnown || (this.burst === 1 && begins)) this.waits++;
      else if (this.waits < PROVEN_WAITS) this.waits = 0;
    } else if (this.has(Bit.serverData) && !this.has(Bit.serverEndsInHole) && !this.has(Bit.clientEndsInHole))
      this.isAsync = true;
  }

  private noteRest(isAtRest: boolean): void {
    const busy = isAtRest ? 0 : Math.min(Habit.most, (this.habit & Habit.most) + 1);
    const rests = Math.min(MANY_RESTS, (this.habit >> Habit.rests) + (isAtRest ? 1 : 0));
    this.habit = (rests << Habit.rests) | (Math.max(this.longestBusy, busy) << Habit.longest) | busy;
  }

  private get longestBusy(): number {
    return (this.habit >> Habit.longest) & Habit.most;
  }

  /** Again and again it was seen to send with nothing under way. */
  get comesToRest(): boolean {
    return this.habit >> Habit.rests === MANY_RESTS;
  }

  /** How often the client has to send until it has been at rest for certain. */
  get untilRest(): number {
    return Math.max(LEAST_BUSY, MANY_BUSY * this.longestBusy);
  }

  /** What was believed of this client turned out to be wrong: it has to prove itself again. */
  distrust(): void {
    this.waits = 0;
    this.followedWaits = 0;
  }

  /** What was told of this client was wrong: it is at rest more rarely than it seemed. */
  distrustRests(): void {
    this.habit = RARELY << Habit.longest;
  }

  /** It was tried whether the client is at rest, and so many requests were told as unanswered since it was not, or may not have been. */
  noteVain(requests: number): void {
    this.toPass = PASSED_FOR_EACH * requests;
  }

  /** Whether to try it now, where it may be. */
  takesOccasion(): boolean {
    if (this.toPass === 0) return true;
    this.toPass--;
    return false;
  }

  /** This client waits for its responses, as far as anybody can tell. */
  get isTrusted(): boolean {
    return !this.isAsync && this.followedWaits >= (this.has(Bit.pipelined) ? TRUSTED_BATCHES : TRUSTED_WAITS);
  }

  /** Whether all that the server has sent is acknowledged by this number. */
  isAllRead(acknowledgement: number): boolean {
    return !this.has(Bit.serverData) || acknowledgement === this.serverNext;
  }

  /** Whether the client's first segment that was seen may be the first of a request, if it looks like one. */
  isFirst(sequence: number): boolean {
    return (
      !this.hasClientData && !this.has(Bit.clientEndsInHole) && (!this.has(Bit.serverData) || this.isAnswered(sequence))
    );
  }

  /**
   * How sure it is that a client segment that leads, and has read all, begins a request with nothing under way. Where nothing
   * was ever lost of the client, and it never had two requests under way, there is little to prove.
   */
  proof(sequence: number, timeUs: number, lastUs: number, longestWaitUs: number, loss: Loss): Proof {
    const isAnswered = this.isAnswered(sequence);
    if (!this.isAsync && (isAnswered || !this.has(Bit.clientEndsInHole))) {
      if (this.isTrusted) return Proof.trusted;
      // Not the first that is seen behind a hole: the hole may hold the beginning of a value, and this its middle.
      const mayBeMiddle = loss === Loss.both || (loss === Loss.client && !this.has(Bit.clientEndsInHole));
      const needed = mayBeMiddle || this.has(Bit.pipelined) ? PROVEN_WAITS : loss === Loss.none ? 0 : FEW_WAITS;
      const isBatching = loss >= Loss.client && this.has(Bit.pipelined);
      if (this.waits >= (isBatching ? TRUSTED_BATCHES : needed)) return Proof.likely;
    }
    if (this.isSilent(sequence, timeUs, lastUs, longestWaitUs)) return Proof.quiet;
    return isAnswered && this.isAsync && (this.comesToRest || this.isMidstream) ? Proof.tried : Proof.none;
  }

  /** The server's last bytes acknowledge everything that the client sent before `sequence`. */
  private isAnswered(sequence: number): boolean {
    return (
      this.has(Bit.serverData) && !this.has(Bit.serverEndsInHole) && distance(this.serverAcknowledged, sequence) >= 0
    );
  }

  /** Nobody spoke for so long that whatever was under way had come. */
  isSilent(sequence: number, timeUs: number, lastUs: number, longestWaitUs: number): boolean {
    return this.isAnswered(sequence) && timeUs - lastUs >= this.quietUs(longestWaitUs);
  }

  /** Whether a pause is so long that a response under way would have come; where no wait is known, with the pauses before it. */
  isQuiet(pauseUs: number, longestWaitUs: number, held: HeldAnswers): boolean {
    return (longestWaitUs < 1 ? held.pausesUs(pauseUs) : pauseUs) >= this.quietUs(longestWaitUs);
  }

  /** A response under way would come within this time, in µs; `longestWaitUs`: the longest wait for one so far. */
  quietUs(longestWaitUs: number): number {
    const leastUs = this.isAsync ? QUIET_ASYNC_US : QUIET_US;
    return longestWaitUs < 1 ? QUIET_UNKNOWN_US : Math.max(leastUs, 3 * longestWaitUs);
  }
}

/** Whether these bytes of a client that is lost begin a request; where `isSure`, anything that may be one does. */
export function looksLikeRequest(p: Protocol, isSure: boolean, bytes: Uint8Array, start: number, end: number): boolean {
  const verdict = p.recogniseRequest(bytes, start, end);
  // The end of a value may look like one, unless its response tells.
  return (
    verdict === Recognition.certain || (verdict === Recognition.possible && (isSure || p.hasTellingResponses === true))
  );
}

/** Whether the client's first bytes had been given up as lost before any of it was captured. */
export function isRequestMissing(connection: Connection): boolean {
  const client = connection.clientIsA === false ? connection.fromB : connection.fromA;
  return client.hasSyn && client.next !== advance(client.initial, 1);
}
