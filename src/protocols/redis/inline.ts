const LF = 0x0a;
const BLANK = 0x20;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

/** What a byte of an inline command did. `word` may have come with any of them but `none`. */
export const Inline = { none: 0, word: 1, wordEnds: 2, lineEnds: 3, broken: 4 } as const;
export type Inline = (typeof Inline)[keyof typeof Inline];

const In = {
  blanks: 0,
  bare: 1,
  double: 2,
  single: 3,
  closed: 4,
  escape: 5,
  hex: 6,
  hexEnd: 7,
  singleEscape: 8,
} as const;

/**
 * Cuts an inline command into words, as Redis' sdssplitargs does: words are parted by blanks; within "…" there are
 * `\xNN`, `\n \r \t \b \a` and `\c` for c itself, within '…' there is only `\'`; a closing quote ends the word.
 */
export class InlineSplitter {
  /** The bytes of a word that `step` has just found: bytes[0, count). */
  readonly bytes = new Uint8Array(3);
  count = 0;
  private in: number = In.blanks;
  private hexDigit = 0;

  begin(): void {
    this.in = In.blanks;
  }

  /** Takes a byte; afterwards `count` bytes belong to the word, which has begun if it had not. */
  step(byte: number): Inline {
    this.count = 0;
    if (byte === LF) return this.endLine();
    switch (this.in) {
      case In.blanks:
        return isSpace(byte) ? Inline.none : this.bare(byte);
      case In.bare:
        return this.bare(byte);
      case In.closed:
        if (!isSpace(byte)) return Inline.broken;
        this.in = In.blanks;
        return Inline.wordEnds;
      case In.single:
      case In.singleEscape:
        return this.single(byte);
      case In.escape:
        if (byte === LETTER_X) this.in = In.hex;
        else this.put(escaped(byte), In.double);
        return Inline.word;
      case In.hex:
      case In.hexEnd:
        return this.hex(byte);
      default:
        return this.double(byte);
    }
  }

  private endLine(): Inline {
    const wasIn = this.in;
    if (wasIn !== In.blanks && wasIn !== In.bare && wasIn !== In.closed) return Inline.broken;
    this.in = In.blanks;
    return Inline.lineEnds;
  }

  private put(byte: number, next: number): Inline {
    this.bytes[this.count++] = byte;
    this.in = next;
    return Inline.word;
  }

  private bare(byte: number): Inline {
    if (byte === BLANK || byte === 0x09 || byte === 0x0d) {
      this.in = In.blanks;
      return Inline.wordEnds;
    }
    if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) return this.put(byte, In.bare);
    this.in = byte === DOUBLE_QUOTE ? In.double : In.single;
    return Inline.word;
  }

  private double(byte: number): Inline {
    if (byte !== DOUBLE_QUOTE && byte !== BACKSLASH) return this.put(byte, In.double);
    this.in = byte === BACKSLASH ? In.escape : In.closed;
    return Inline.word;
  }

  private single(byte: number): Inline {
    if (this.in === In.singleEscape) {
      if (byte === SINGLE_QUOTE) return this.put(byte, In.single);
      this.put(BACKSLASH, In.single);
    }
    if (byte !== SINGLE_QUOTE && byte !== BACKSLASH) return this.put(byte, In.single);
    this.in = byte === BACKSLASH ? In.singleEscape : In.closed;
    return Inline.word;
  }

  /** Behind `\x`: two digits are a byte, anything else stands for itself. */
  private hex(byte: number): Inline {
    const isFirst = this.in === In.hex;
    const digit = hexValue(byte);
    if (digit >= 0 && !isFirst) return this.put(hexValue(this.hexDigit) * 16 + digit, In.double);
    if (digit >= 0) {
      this.hexDigit = byte;
      this.in = In.hexEnd;
      return Inline.word;
    }
    this.put(LETTER_X, In.double);
    if (!isFirst) this.put(this.hexDigit, In.double);
    return this.double(byte);
  }
}

function isSpace(byte: number): boolean {
  return byte === BLANK || (byte >= 0x09 && byte <= 0x0d);
}

function escaped(byte: number): number {
  switch (byte) {
    case 0x6e: // n
      return LF;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 0x09;
    case 0x62: // b
      return 0x08;
    case 0x61: // a
      return 0x07;
    default:
      return byte;
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
