import { findLineFeed } from "../../bytes/find.ts";

const CR = 0x0d;
const NO_BYTES = new Uint8Array(0);

/** Kept of a line, which may come in pieces: what is shown of a target, and every field that matters, is shorter. */
const CAPACITY = 256;

/**
 * Cuts a header section into lines, over any number of pushes. A line ends with CRLF, or with LF alone (RFC 9112 §2.2). Of a longer one
 * only the first 256 bytes are told.
 */
export class LineReader {
  /** Where the line last found stands: bytes[start, end), without its end. */
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  /** The line was longer than what is kept of it. */
  isCut = false;
  private kept = NO_BYTES;
  private keptBytes = 0;
  /** Of the line so far. */
  private lineBytes = 0;

  /** Reads on. Returns the index behind the line's end, or 0 where it goes on behind `end`. */
  // Runs for every line.
  next(bytes: Uint8Array, from: number, end: number): number {
    const i = findLineFeed(bytes, from, end);
    if (i === end) {
      this.keep(bytes, from, end);
      return 0;
    }
    if (this.lineBytes > 0) {
      this.keep(bytes, from, i);
      this.takeKept();
      return i + 1;
    }
    this.bytes = bytes;
    this.start = from;
    // However the bytes come, the same is told.
    this.isCut = i - from > CAPACITY;
    this.end = this.isCut ? from + CAPACITY : i > from && bytes[i - 1] === CR ? i - 1 : i;
    return i + 1;
  }

  /** What has come of a line that is not complete. */
  takePart(): void {
    this.takeKept();
    this.isCut = true;
  }

  /** The next byte is the first of a line. */
  begin(): void {
    this.lineBytes = 0;
    this.keptBytes = 0;
  }

  private takeKept(): void {
    this.bytes = this.kept;
    this.start = 0;
    this.end = this.keptBytes;
    this.isCut = this.lineBytes > CAPACITY;
    if (!this.isCut && this.end > 0 && this.bytes[this.end - 1] === CR) this.end--;
    this.begin();
  }

  private keep(bytes: Uint8Array, from: number, end: number): void {
    if (this.kept === NO_BYTES) this.kept = new Uint8Array(CAPACITY);
    this.lineBytes += end - from;
    let to = this.keptBytes;
    for (let i = from; i < end && to < CAPACITY; i++) this.kept[to++] = bytes[i]!;
    this.keptBytes = to;
  }
}
