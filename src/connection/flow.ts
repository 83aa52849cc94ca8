/** A segment that came before its turn, copied out of its frame. */
export interface HeldSegment {
  sequence: number;
  acknowledgement: number;
  /** Payload bytes on the wire. */
  length: number;
  /** Payload bytes captured. */
  readonly captured: Uint8Array;
  readonly timeUs: number;
  readonly ipId: number;
  /** The capture's clock when it was captured. */
  readonly heldAtUs: number;
  readonly isFin: boolean;
  /** Captured after bytes that follow it in the stream, or before bytes that precede it. */
  readonly isOutOfOrder: boolean;
  /** As in Piece. */
  resentUs: number;
  isFast: boolean;
}

/** What happens to a direction only where segments are lost, late or captured twice. */
export class Oddity {
  /** Its bytes were sent again before they were acknowledged: perhaps for nothing. */
  isSentTwice = false;
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

/** One direction of a connection: what has been delivered, and what waits for its turn. */
export class Flow {
  /** False until a sequence number of this direction is known. */
  isStarted = false;
  /** True once a segment from this direction was captured (a start may be known from the other side's ACK alone). */
  isSeen = false;
  /** The sequence number of the next byte to deliver. */
  next = 0;
  /** The highest acknowledgement number that this side sent: it covers the other direction's bytes. */
  acknowledged = 0;
  hasAcknowledged = false;
  /** The FIN has been delivered. */
  isFinished = false;
  /** The window last announced was 0. */
  isWindowClosed = false;
  /** Acknowledgements that said the same as the one before them: the other side's bytes after that are missing. */
  repeatedAcks = 0;
  /** Bytes up to `timedTo` were sent at `timedLow` (Segment.timeLow), and their acknowledgement is awaited. */
  isTimed = false;
  timedTo = 0;
  timedLow = 0;
  /** The identification that its next packet should carry: hosts number each connection's by itself. */
  nextIpId = 0;
  /** How far its numbers are believed to be this connection's own: grows with each packet that is numbered next. */
  ipIdTrust = 0;
  /** The initial sequence number, where the SYN was seen. */
  initial = 0;
  hasSyn = false;
  /** By sequence number, without overlaps; null while empty, as it nearly always is. */
  held: HeldSegment[] | null = null;
  heldBytes = 0;
  /** Null where nothing odd has happened, as nearly always: 70 bytes less. */
  odd: Oddity | null = null;

  get oddity(): Oddity {
    this.odd ??= new Oddity();
    return this.odd;
  }
}
