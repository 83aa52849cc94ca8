import type { Connection } from "./connection.ts";
import { isUnanswered } from "./handshake.ts";

/** How many connections were never whole. */
export interface IncompleteConnections {
  /** One direction alone was seen. */
  readonly oneSided: number;
  /** A reset answered the client's SYN. */
  readonly refused: number;
  /** Nothing answered the client's SYN, which is all that was seen. */
  readonly unanswered: number;
}

export const NONE_INCOMPLETE: IncompleteConnections = { oneSided: 0, refused: 0, unanswered: 0 };

/** Counts a connection where it is not whole; refused ones with the unanswered. */
export function noteIncomplete(connection: Connection, noted: { oneSided: number; unanswered: number }): void {
  if (isUnanswered(connection)) noted.unanswered++;
  else if (connection.fromA.isSeen !== connection.fromB.isSeen) noted.oneSided++;
}

export function sumOfIncomplete(a: IncompleteConnections, b: IncompleteConnections): IncompleteConnections {
  return {
    oneSided: a.oneSided + b.oneSided,
    refused: a.refused + b.refused,
    unanswered: a.unanswered + b.unanswered,
  };
}
