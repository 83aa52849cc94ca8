import type { HeldSegment } from "./held-segments.ts";

/** What happens to a direction only where segments are lost, late or captured twice, or a window is closed. */
export class Oddity {
  /** By sequence number, without overlaps; null while empty. */
  held: HeldSegment[] | null = null;
  heldBytes = 0;
  /** The latest in the order of capture of those that were held and have been delivered. */
  deliveredOrder = 0;
  /** The window last announced was 0. */
  isWindowClosed = false;
  /** Its acknowledgements have said that bytes of the other side are missing, and cover not yet all that had been sent by then. */
  isAsking = false;
  askedTo = 0;
  /** Its bytes were sent again before they were acknowledged: perhaps for nothing. */
  isSentTwice = false;
  /** The last of them that may have been needed, and when they were sent. */
  sentTwiceFrom = 0;
  sentTwiceTo = 0;
  sentTwiceUs = Number.NEGATIVE_INFINITY;
  /** Where those began that were last acknowledged sooner than the copy can have come. NaN: none. */
  forNothingFrom = Number.NaN;
  /** Since then (Segment.timeLow) it has spoken of bytes that were sent before, and never came here. */
  isAhead = false;
  aheadLow = 0;
  aheadTo = 0;
  /** Packets that are missing before acknowledgements without data, since its last data. */
  missingPackets = 0;
  /** The other side has acknowledged bytes up to `coveredTo` before they were captured, at `coveredUs`; Infinity: none. */
  coveredTo = 0;
  coveredUs = Number.POSITIVE_INFINITY;
}

/** One bit each of what is true of a flow: with 100,000 connections every word of it is 1.6 MB. */
const Bit = {
  started: 1,
  seen: 2,
  acknowledged: 4,
  finished: 8,
  timed: 16,
  syn: 32,
  numbered: 64,
  joined: 128,
  unreceived: 256,
} as const;

/** One direction of a connection: what has been delivered, and what waits for its turn. */
export class Flow {
  /** The sequence number of the next byte to deliver. */
  next = 0;
  /** The highest acknowledgement number that this side sent: it covers the other direction's bytes. */
  acknowledged = 0;
  timedTo = 0;
  /** See `isTimed`; of a direction not seen yet, when the other side's acknowledgement told its place. */
  timedLow = 0;
  /** The identification that its next packet should carry: hosts number each connection's by itself. */
  nextIpId = 0;
  /** How far its numbers are believed to be this connection's own: grows with each packet that is numbered next. */
  ipIdTrust = 0;
  /** Which of the numbers before that were seen: bit 0 is the last one. */
  seenIpIds = 0;
  /** The initial sequence number, where the SYN was seen; else that of the first segment, or the place that was told before it. */
  initial = 0;
  /** Null where nothing odd has happened, as nearly always. */
  odd: Oddity | null = null;
  private bits = 0;

  /** As it was made. */
  reset(): void {
    this.next = 0;
    this.acknowledged = 0;
    this.timedTo = 0;
    this.timedLow = 0;
    this.nextIpId = 0;
    this.ipIdTrust = 0;
    this.seenIpIds = 0;
    this.initial = 0;
    this.odd = null;
    this.bits = 0;
  }

  get oddity(): Oddity {
    this.odd ??= new Oddity();
    return this.odd;
  }

  /** Segments that came before their turn; null while there are none, as nearly always. */
  get held(): HeldSegment[] | null {
    return this.odd === null ? null : this.odd.held;
  }

  /** False until a sequence number of this direction is known. */
  get isStarted(): boolean {
    return (this.bits & Bit.started) !== 0;
  }

  set isStarted(is: boolean) {
    this.bits = is ? this.bits | Bit.started : this.bits & ~Bit.started;
  }

  /** True once a segment from this direction was captured (a start may be known from the other side's ACK alone). */
  get isSeen(): boolean {
    return (this.bits & Bit.seen) !== 0;
  }

  set isSeen(is: boolean) {
    this.bits = is ? this.bits | Bit.seen : this.bits & ~Bit.seen;
  }

  /** Both: nothing is to be noted of its first segment any more. */
  get isUnderWay(): boolean {
    return (this.bits & (Bit.started | Bit.seen)) === (Bit.started | Bit.seen);
  }

  /** The other side's acknowledgement tells its place. */
  presume(sequence: number, nowLow: number): void {
    this.isStarted = true;
    this.next = sequence;
    this.initial = sequence;
    this.timedLow = nowLow;
  }

  /** Nothing of it was delivered or passed over: where it begins may be further back. */
  get isUntouched(): boolean {
    return !this.hasSyn && this.next === this.initial;
  }

  /** Its first segment is here, unless the other side's acknowledgement has told its place before. */
  begin(sequence: number): void {
    if (!this.isStarted) this.next = sequence;
    this.timedLow = 0;
    if (!this.hasSyn) this.initial = sequence;
    this.bits |= Bit.started | Bit.seen;
  }

  /** `acknowledged` is known. */
  get hasAcknowledged(): boolean {
    return (this.bits & Bit.acknowledged) !== 0;
  }

  set hasAcknowledged(is: boolean) {
    this.bits = is ? this.bits | Bit.acknowledged : this.bits & ~Bit.acknowledged;
  }

  /** Bytes from before its first segment that was seen were still under way then: the other side acknowledged them later. */
  get hasUnreceived(): boolean {
    return (this.bits & Bit.unreceived) !== 0;
  }

  set hasUnreceived(is: boolean) {
    this.bits = is ? this.bits | Bit.unreceived : this.bits & ~Bit.unreceived;
  }

  /** The FIN has been delivered. */
  get isFinished(): boolean {
    return (this.bits & Bit.finished) !== 0;
  }

  set isFinished(is: boolean) {
    this.bits = is ? this.bits | Bit.finished : this.bits & ~Bit.finished;
  }

  /** Bytes up to `timedTo` were sent at `timedLow` (Segment.timeLow), and their acknowledgement is awaited. */
  get isTimed(): boolean {
    return (this.bits & Bit.timed) !== 0;
  }

  set isTimed(is: boolean) {
    this.bits = is ? this.bits | Bit.timed : this.bits & ~Bit.timed;
  }

  /** The SYN was seen, with the number `initial`. */
  get hasSyn(): boolean {
    return (this.bits & Bit.syn) !== 0;
  }

  set hasSyn(is: boolean) {
    this.bits = is ? this.bits | Bit.syn : this.bits & ~Bit.syn;
  }

  /** Its sender numbers this connection's packets one by one: a number that was seen is a packet that was seen. */
  get isNumbered(): boolean {
    return (this.bits & Bit.numbered) !== 0;
  }

  set isNumbered(is: boolean) {
    this.bits = is ? this.bits | Bit.numbered : this.bits & ~Bit.numbered;
  }

  /** Its last packet was several, which the network card cut or joined. */
  get isJoined(): boolean {
    return (this.bits & Bit.joined) !== 0;
  }

  set isJoined(is: boolean) {
    this.bits = is ? this.bits | Bit.joined : this.bits & ~Bit.joined;
  }
}
