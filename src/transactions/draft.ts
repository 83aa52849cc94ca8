import { NIL, PendingPool, TIMES, Time, WORDS, Word } from "./pending.ts";
import { Flag, TEXT_CAPACITY } from "./transaction.ts";

const BLANK = 0x20;
const REDACTED = new TextEncoder().encode("(redacted)");

/** The request being read: an entry of the pool that is not in the queue yet, and the words of its summary. */
export class Draft {
  /** NIL while none is being read. */
  entry = NIL;
  private textLength = 0;
  private keyStart = 0;
  private keyEnd = 0;
  private isKeyOpen = false;
  private readonly pool: PendingPool;

  constructor(pool: PendingPool) {
    this.pool = pool;
  }

  /** False when the pool has no room. */
  // Runs for every request.
  begin(timeUs: number, offset: number, flags: number, closedUs: number): boolean {
    const pool = this.pool;
    const entry = pool.allocate();
    this.entry = entry;
    if (entry === NIL) return false;
    const times = pool.times;
    const words = pool.words;
    times[entry * TIMES + Time.start] = timeUs;
    times[entry * TIMES + Time.end] = timeUs;
    times[entry * TIMES + Time.startOffset] = offset;
    times[entry * TIMES + Time.resentRequest] = 0;
    times[entry * TIMES + Time.resentResponse] = 0;
    times[entry * TIMES + Time.closed] = closedUs;
    words[entry * WORDS + Word.flags] = flags;
    words[entry * WORDS + Word.retransmissions] = 0;
    this.textLength = 0;
    this.keyStart = 0;
    this.keyEnd = 0;
    this.isKeyOpen = false;
    return true;
  }

  /** More of it came, at this time. */
  extend(timeUs: number, flags: number): void {
    const pool = this.pool;
    const at = this.entry * TIMES + Time.end;
    if (timeUs > pool.times[at]!) pool.times[at] = timeUs;
    this.addFlags(flags);
  }

  addFlags(flags: number): void {
    if (this.entry === NIL) return;
    const at = this.entry * WORDS + Word.flags;
    this.pool.words[at] = this.pool.words[at]! | flags;
  }

  word(isKey: boolean): void {
    if (this.entry === NIL) return;
    this.closeKey();
    if (this.textLength > 0 && this.textLength < TEXT_CAPACITY) {
      this.pool.text[this.entry * TEXT_CAPACITY + this.textLength++] = BLANK;
    }
    if (isKey && this.keyStart === 0) {
      this.keyStart = this.textLength;
      this.isKeyOpen = true;
    }
  }

  // Runs for every request, when something prints them.
  text(bytes: Uint8Array, start: number, end: number): void {
    if (this.entry === NIL) return;
    const text = this.pool.text;
    const room = TEXT_CAPACITY - this.textLength;
    const stop = end - start > room ? start + room : end;
    let to = this.entry * TEXT_CAPACITY + this.textLength;
    for (let from = start; from < stop; from++) text[to++] = bytes[from]!;
    this.textLength += stop - start;
  }

  redacted(): void {
    this.word(false);
    this.text(REDACTED, 0, REDACTED.length);
  }

  textCut(): void {
    this.addFlags(Flag.truncated);
  }

  /** It is complete: returns its entry, which is the caller's from here on. */
  // Runs for every request.
  end(offset: number): number {
    const entry = this.entry;
    this.closeKey();
    this.pool.times[entry * TIMES + Time.endOffset] = offset;
    this.pool.words[entry * WORDS + Word.text] = this.textLength | (this.keyStart << 8) | (this.keyEnd << 16);
    this.entry = NIL;
    return entry;
  }

  /** It was none after all. */
  drop(): void {
    if (this.entry === NIL) return;
    this.pool.release(this.entry);
    this.entry = NIL;
  }

  private closeKey(): void {
    if (!this.isKeyOpen) return;
    this.isKeyOpen = false;
    this.keyEnd = this.textLength;
  }
}

/** What connections that sleep have in common: no request is being read. */
export const NO_DRAFT = new Draft(new PendingPool(false));
