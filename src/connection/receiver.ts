/** Why a connection ended: both FINs (or the server's alone), a reset, evicted for room, idle (or let go, with nothing pending), or the capture's end. */
export type EndReason = "closed" | "reset" | "evicted" | "idle" | "end";

/** The next bytes of one direction, and what is known of the segment they came in. One record, reused: copy what must outlive the call. */
export class Piece {
  fromClient = true;
  /** bytes[start, end), then `cut` more that were on the wire and not captured (snaplen). */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  cut = 0;
  /** When the first of them was seen, µs since the epoch. */
  timeUs = 0.5;
  /** The sequence number of the first byte. */
  sequence = 0;
  /** How much of the other direction the sender had when it sent them. */
  acknowledgement = 0;
  /** They were captured out of order. */
  wasHeld = false;
  /** They had been lost on their way here and were sent again: so many µs after those behind them had come. 0: not so. */
  resentUs = 0;
  /** The receiver asked for them (duplicate acknowledgements), before the sender's timer ran out. */
  isFast = false;
  /**
   * Packets that the sender numbered (IP identification) between its last segment and this one, and that never came here;
   * MAY_BE_ACKS (`numbering.ts`) is added where they may have brought the acknowledgement.
   */
  missingPackets = 0;
}

/** Bytes that were sent again. */
export interface Resent {
  readonly fromClient: boolean;
  readonly sequence: number;
  readonly length: number;
  readonly timeUs: number;
  /** The receiver had not acknowledged them all: they may have been lost. */
  readonly isNeeded: boolean;
  /** The receiver asked for them (duplicate acknowledgements), before the sender's timer ran out. */
  readonly isFast: boolean;
}

/**
 * What a connection tells the next stage: two ordered byte streams. Calls come in an order that respects cause and
 * effect: bytes are delivered only once all bytes they acknowledge have been, or have been declared missing.
 */
export interface StreamReceiver {
  /** The next bytes of one direction. */
  data(piece: Piece): void;
  /** `missing` bytes of this direction will never come; the next byte's sequence number is `next`. */
  gap(fromClient: boolean, missing: number, next: number): void;
  /** Bytes that had been delivered were sent again. */
  retransmitted(resent: Resent): void;
  /** Their receiver had these bytes when they were sent again. `isAnswerLost`: by then it had sent some of its own, which were never seen. */
  sentForNothing(fromClient: boolean, sequence: number, isAnswerLost: boolean): void;
  /** The server will send nothing more. */
  serverFinished(): void;
  /** Nothing more comes at all. */
  ended(reason: EndReason): void;
  /** Reports requests older than the time-out; `clockUs` is the capture's clock, `stampUs` what frames are stamped with now. */
  expire(clockUs: number, stampUs: number): void;
  /** Whether a request waits for its response. */
  readonly hasPending: boolean;
}
