import { LineReader } from "./line-reader.ts";

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const TAB = 0x09;
const SEMICOLON = 0x3b;

/** Most bytes of a chunk's size with its extensions, and of all trailers: what servers take at most of a header section. */
const MAX_LINE = 16 * 1024;
const MAX_TRAILERS = 64 * 1024;
/** 2^52: more hexadecimal digits are no size that anybody sends. */
const MAX_SIZE = 2 ** 52;

const At = { done: 0, data: 1, size: 2, chunk: 3, chunkEnd: 4, trailers: 5, untilClose: 6 } as const;

/** The body of one message (RFC 9112 §6, §7.1): so many bytes, or chunks, or all up to the end of the connection. */
export class Body {
  private readonly lines = new LineReader();
  private at: number = At.done;
  /** Bytes left of the body, or of the chunk. */
  private left = 0;
  private sawCr = false;
  /** Of the chunk's line, or of the trailers. */
  private lineBytes = 0;

  get isDone(): boolean {
    return this.at === At.done;
  }

  /** The next byte is data, not what stands around a chunk. */
  get isAtData(): boolean {
    return this.at === At.data || this.at === At.chunk || this.at === At.untilClose;
  }

  get endsAtClose(): boolean {
    return this.at === At.untilClose;
  }

  /** So many bytes. */
  beginLength(bytes: number): void {
    this.left = bytes;
    this.at = bytes > 0 ? At.data : At.done;
  }

  beginChunks(): void {
    this.at = At.size;
    this.lineBytes = 0;
    this.lines.begin();
  }

  beginUntilClose(): void {
    this.at = At.untilClose;
  }

  /** There is none, or the rest of it is given up. */
  end(): void {
    this.at = At.done;
  }

  /** Reads on, at most to where data begins or ends. Returns the index behind what was read, or -1 where it is no body. */
  // Runs for every segment of a body.
  push(bytes: Uint8Array, from: number, end: number): number {
    switch (this.at) {
      case At.data:
      case At.chunk:
        return this.skip(from, end);
      case At.size:
        return this.readSize(bytes, from, end);
      case At.chunkEnd:
        return this.readChunkEnd(bytes, from);
      case At.trailers:
        return this.readTrailers(bytes, from, end);
      default:
        return end;
    }
  }

  /** `missing` bytes cannot be seen. Returns how many of them are no data of known length. */
  gap(missing: number): number {
    if (this.at === At.untilClose) return 0;
    let left = missing;
    if (this.at === At.data || this.at === At.chunk) left -= this.skip(0, left);
    // The two bytes that end a chunk need not be seen.
    if (this.at === At.chunkEnd && left > 0 && !this.sawCr) {
      this.sawCr = true;
      left--;
    }
    if (this.at === At.chunkEnd && left > 0) {
      this.beginChunks();
      left--;
    }
    return left;
  }

  private skip(from: number, end: number): number {
    const take = Math.min(end - from, this.left);
    this.left -= take;
    if (this.left === 0) {
      this.at = this.at === At.data ? At.done : At.chunkEnd;
      this.sawCr = false;
    }
    return from + take;
  }

  private readChunkEnd(bytes: Uint8Array, i: number): number {
    if (!this.sawCr && bytes[i] === CR) {
      this.sawCr = true;
      return i + 1;
    }
    if (bytes[i] !== LF) return -1;
    this.beginChunks();
    return i + 1;
  }

  /** `chunk-size [ chunk-ext ] CRLF`: hexadecimal digits, then nothing or what a semicolon begins. */
  private readSize(bytes: Uint8Array, from: number, end: number): number {
    const lines = this.lines;
    const behind = lines.next(bytes, from, end);
    this.lineBytes += (behind || end) - from;
    if (this.lineBytes > MAX_LINE) return -1;
    if (behind === 0) return end;
    let size = 0;
    let i = lines.start;
    for (; i < lines.end; i++) {
      const digit = hexDigit(lines.bytes[i]!);
      if (digit < 0) break;
      size = size * 16 + digit;
      if (size > MAX_SIZE) return -1;
    }
    if (i === lines.start || (i === lines.end && lines.isCut)) return -1;
    const next = lines.bytes[i];
    if (i < lines.end && next !== SEMICOLON && next !== BLANK && next !== TAB) return -1;
    this.lineBytes = 0;
    this.left = size;
    this.at = size > 0 ? At.chunk : At.trailers;
    return behind;
  }

  /** Fields up to an empty line. */
  private readTrailers(bytes: Uint8Array, from: number, end: number): number {
    const behind = this.lines.next(bytes, from, end);
    this.lineBytes += (behind || end) - from;
    if (this.lineBytes > MAX_TRAILERS) return -1;
    if (behind === 0) return end;
    if (this.lines.start === this.lines.end) this.at = At.done;
    return behind;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
