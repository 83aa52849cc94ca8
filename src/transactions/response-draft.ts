import type { MessageDetails } from "./details.ts";

/** The response being read: when and where it began, and how far it has come. */
export class ResponseDraft {
  /** A message of it has begun and is not complete. */
  isReading = false;
  /** It has gone on in another segment than it began in, and that has been told. */
  isBegunTold = false;
  /** A part of it is complete and more is to come: its start and bytes stay. */
  isPartial = false;
  /** Of its first and of the latest of its bytes, µs since the epoch. */
  startUs = 0.5;
  endUs = 0.5;
  /** Where it began in the server's stream. */
  offset = 0.5;
  flags = 0;
  /** `Path.closedUs` at its end. */
  closedUs = 0;
  /** As in Piece, of the segment that it began in. */
  missingPackets = 0;
  /** What was told of it, where that is wanted. */
  details: MessageDetails | null = null;
  /** Where the message being read began, when it is not the first. */
  private partOffset = 0.5;

  /** Whether bytes that come belong to a response that has begun. */
  get hasBegun(): boolean {
    return this.isReading || this.isPartial;
  }

  // Runs for every response.
  begin(timeUs: number, offset: number, flags: number, missingPackets = 0): void {
    this.isReading = true;
    if (this.isPartial) {
      this.partOffset = offset;
      return;
    }
    this.details = null;
    this.isBegunTold = false;
    this.startUs = timeUs;
    this.endUs = timeUs;
    this.offset = offset;
    this.flags = flags;
    this.missingPackets = missingPackets;
  }

  /** More of it came, at this time. */
  extend(timeUs: number, flags: number): void {
    if (timeUs > this.endUs) this.endUs = timeUs;
    this.flags |= flags;
  }

  /** The message that ends before `end` was asked for by nobody. Returns its bytes: between two parts they count for neither. */
  takePush(end: number): number {
    this.isReading = false;
    if (!this.isPartial) return end - this.offset;
    const bytes = end - this.partOffset;
    this.offset += bytes;
    return bytes;
  }

  /** It is over. */
  // Runs for every response.
  end(): void {
    this.isReading = false;
    this.isPartial = false;
  }
}

/** What connections that sleep have in common: no response is being read. */
export const NO_RESPONSE = new ResponseDraft();
