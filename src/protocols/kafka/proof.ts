import { u32 } from "../../bytes/read.ts";

/** A record batch (kafka.apache.org, "Record Batch"): its offset, the length of what follows, the leader's epoch, the magic byte. */
const BATCH_LENGTH_AT = 8;
const MAGIC_AT = 16;
const BATCH_MAGIC = 2;
/** What follows the length of a batch without records. */
const LEAST_BATCH_BYTES = 49;

/**
 * Whether a message that is only looked at is what it is taken for: a text of printable characters was seen, and none of others, or the
 * beginning of a record batch. Small integers, of which most of other messages consist, may pass for lengths and counts, but not for that.
 */
export class Proof {
  isThere = false;
  /** What is looked at now is records, no text. */
  private isRecords = false;
  /** A text was none. */
  private isOdd = false;

  begin(): void {
    this.isThere = false;
    this.isOdd = false;
  }

  /** A text, or records, come next. */
  expect(isRecords: boolean): void {
    this.isRecords = isRecords;
  }

  /** Looks at bytes[start, end), the next ones of `left` that are still to come of it. */
  look(bytes: Uint8Array, start: number, end: number, left: number): void {
    if (!this.isRecords) {
      for (let at = start; at < end; at++) if (bytes[at]! < 0x20 || bytes[at] === 0x7f) this.isOdd = true;
      this.isThere = !this.isOdd;
    } else if (end - start > MAGIC_AT && bytes[start + MAGIC_AT] === BATCH_MAGIC) {
      const length = u32(bytes, start + BATCH_LENGTH_AT);
      if (length >= LEAST_BATCH_BYTES && length <= left) this.isThere = !this.isOdd;
    }
  }
}
