/** Why a connection ended: both FINs (or the server's alone), a reset, evicted for room, idle (or let go, with nothing pending), or the capture's end. */
export type EndReason = "closed" | "reset" | "evicted" | "idle" | "end";

/**
 * What a connection tells the next stage: two ordered byte streams. Calls come in an order that respects cause and
 * effect: bytes are delivered only once all bytes they acknowledge have been, or have been declared missing.
 */
export interface StreamReceiver {
  /**
   * The next bytes of one direction: bytes[start, end), then `cut` more that were on the wire and not captured
   * (snaplen). `bytes` is reused: copy what must outlive the call. `sequence` is that of the first byte;
   * `acknowledgement` says how much of the other direction the sender had when it sent them; `wasHeld` that they were
   * captured out of order.
   */
  data(
    fromClient: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    wasHeld: boolean,
  ): void;
  /** `missing` bytes of this direction will never come; the next byte's sequence number is `next`. */
  gap(fromClient: boolean, missing: number, next: number): void;
  /** Bytes [sequence, sequence + length) of this direction were sent again. */
  retransmitted(fromClient: boolean, sequence: number, length: number): void;
  /** The server will send nothing more. */
  serverFinished(): void;
  /** Nothing more comes at all. */
  ended(reason: EndReason): void;
  /** Reports requests older than the time-out; `clockUs` is the capture's clock. */
  expire(clockUs: number): void;
  /** Whether a request waits for its response. */
  readonly hasPending: boolean;
}
