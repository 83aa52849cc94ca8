const MARK_BYTES = 40;
const LF = 0x0a;
const CR = 0x0d;
const LETTER_N = 0x4e;

/** Where the next byte stands. */
const At = { header: 0, sign: 1, length: 2, mark: 3, counted: 4, marked: 5, done: 6, note: 7 } as const;

/**
 * Skips the dump that a primary sends to a new replica: `$<length>\r\n` and as many bytes, or, streamed without a file
 * in between, `$EOF:<40 bytes>\r\n` and bytes up to the same 40. No line end follows either. To a replica that takes the dump by a
 * connection of its own, Valkey 8 says first where its stream will begin: `$ENDOFF:<offset> <replication id> <database> <client id>\r\n`.
 */
export class DumpSkipper {
  private at: number = At.done;
  private left = 0;
  private readonly mark = new Uint8Array(MARK_BYTES);
  private markLength = 0;
  /** How many bytes of the mark the last bytes seen are. */
  private matched = 0;
  /** For each length matched, the longest shorter one that is matched too (Knuth, Morris, Pratt). */
  private readonly fallback = new Uint8Array(MARK_BYTES + 1);
  /** A request waits for its end. The dump after `+FULLRESYNC` is nobody's: that line was the answer. */
  isAnswer = false;

  awaitHeader(isAnswer: boolean): void {
    this.isAnswer = isAnswer;
    this.at = At.header;
    this.left = 0;
    this.markLength = 0;
    this.matched = 0;
  }

  get isDone(): boolean {
    return this.at === At.done;
  }

  /** Returns the index behind the last byte consumed: `end`, or where the dump ends; -1 when it is none. */
  push(bytes: Uint8Array, start: number, end: number): number {
    let i = start;
    while (i < end && this.at !== At.done) {
      if (this.at === At.counted) {
        const take = Math.min(end - i, this.left);
        this.left -= take;
        i += take;
        if (this.left === 0) this.at = At.done;
      } else if (this.at === At.marked) this.match(bytes[i++]!);
      else if (!this.header(bytes[i++]!)) return -1;
    }
    return i;
  }

  /** Whether the missing bytes lie within the dump. */
  gap(missing: number): boolean {
    if (this.at !== At.counted || missing > this.left) return false;
    this.left -= missing;
    if (this.left === 0) this.at = At.done;
    return true;
  }

  private header(byte: number): boolean {
    if (this.at === At.header) {
      if (byte === LF || byte === CR) return true; // the primary is still preparing
      this.at = At.sign;
      return byte === 0x24;
    }
    if (this.at === At.sign) {
      this.at = byte === 0x45 ? At.mark : At.length;
      if (this.at === At.mark) return true;
    }
    if (this.at === At.note) {
      if (byte === LF) this.at = At.header;
      return true;
    }
    return this.at === At.mark ? this.readMark(byte) : this.readLength(byte);
  }

  private readLength(byte: number): boolean {
    if (byte === CR) return true;
    if (byte === LF) {
      this.at = this.left === 0 ? At.done : At.counted;
      return true;
    }
    if (byte < 0x30 || byte > 0x39 || this.left > 1e14) return false;
    this.left = this.left * 10 + (byte - 0x30);
    return true;
  }

  /** Behind `$E`: `OF:`, the mark, and the end of the line; or `NDOFF:` and a line that tells nothing of the dump. */
  private readMark(byte: number): boolean {
    if (this.markLength === 0 && byte === LETTER_N) {
      this.at = At.note;
      return true;
    }
    const place = this.markLength++ - 3;
    if (place < 0) return byte === "OF:".charCodeAt(place + 3);
    if (place < MARK_BYTES) {
      this.mark[place] = byte;
      return true;
    }
    if (place === MARK_BYTES) return byte === CR;
    this.at = At.marked;
    this.prepare();
    return byte === LF;
  }

  private prepare(): void {
    let length = 0;
    this.fallback[1] = 0;
    for (let i = 1; i < MARK_BYTES; i++) {
      while (length > 0 && this.mark[i] !== this.mark[length]) length = this.fallback[length]!;
      if (this.mark[i] === this.mark[length]) length++;
      this.fallback[i + 1] = length;
    }
  }

  private match(byte: number): void {
    while (this.matched > 0 && this.mark[this.matched] !== byte) this.matched = this.fallback[this.matched]!;
    if (this.mark[this.matched] === byte) this.matched++;
    if (this.matched === MARK_BYTES) this.at = At.done;
  }
}
