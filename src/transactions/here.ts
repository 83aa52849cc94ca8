import type { Path } from "../connection/path.ts";
import type { Piece } from "../connection/receiver.ts";
import { Flag } from "./transaction.ts";

/** Where the bytes being pushed stand, and when they came. One for all connections of a run, set before bytes are pushed. */
export class Here {
  timeUs = 0.5;
  /** The place in the stream that index 0 would have. */
  base = 0.5;
  /** Added to the message that they belong to. */
  flags = 0;
  /** As in Piece. */
  missingPackets = 0;
  /** Whose they are. */
  fromClient = true;
  /** `Path.closedUs` at this time. */
  closedUs = 0;

  /** The byte with index `startIndex` stands at `offset` in its stream; nothing else is known of it. */
  set(timeUs: number, startIndex: number, offset: number, flags: number, path: Path): void {
    this.timeUs = timeUs;
    this.base = offset - startIndex;
    this.flags = flags;
    this.missingPackets = 0;
    this.closedUs = path.closedUs(this);
  }

  /** The bytes of a piece, which begin at `offset`. */
  // Runs for every segment with payload.
  enter(piece: Piece, offset: number, path: Path): void {
    this.timeUs = piece.timeUs;
    this.base = offset - piece.start;
    this.missingPackets = piece.missingPackets;
    this.flags = (piece.wasHeld ? Flag.outOfOrder : 0) | (piece.resentUs > 0 ? Flag.retransmission : 0);
    this.closedUs = path.closedUs(piece);
  }
}
