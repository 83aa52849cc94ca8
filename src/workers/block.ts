/**
 * What a worker sends of its records: text in one piece of memory, and for each event where in the capture it stands. The
 * memory is handed over, and handed back when it has been written.
 */
export interface Block {
  readonly text: Uint8Array;
  /** EVENT_WORDS numbers an event. */
  readonly events: Float64Array;
  readonly eventCount: number;
  /** Every event of an earlier frame than this has been sent with this block or before. */
  readonly toldBefore: number;
}

/**
 * Numbers of an event: the frame, the place within it, the connection's number in its worker, where its text ends, and where in
 * it that number stands once more, behind which its request waited (-1: nowhere).
 */
export const EVENT_WORDS = 5;
export const Event = { frame: 0, place: 1, connection: 2, end: 3, behind: 4 } as const;
/** In the place of an end: a connection was opened, and has had its last record. */
export const OPENED = -1;
export const ENDED = -2;

export const TEXT_BYTES = 256 << 10;
export const MAX_EVENTS = 4096;
