const COLON = 0x3a;
const BLANK = 0x20;
const TAB = 0x09;
const COMMA = 0x2c;
/** Dashes and digits stand before them. */
const LETTERS = 0x61;

const CONTENT_LENGTH = ascii("content-length");
const CONTENT_TYPE = ascii("content-type");
const TRANSFER_ENCODING = ascii("transfer-encoding");
const UPGRADE = ascii("upgrade");
const EXPECT = ascii("expect");
const CONTINUE = ascii("100-continue");
const CHUNKED = ascii("chunked");
const EVENT_STREAM = ascii("text/event-stream");
/** More digits than a number can hold exactly. */
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

/** What the fields of one message say of where it ends (RFC 9112 §6), and what it is. */
export class Fields {
  /** Content-Length, or -1. */
  length = -1;
  /** There is a Transfer-Encoding, and whether its last coding is chunked. */
  hasCoding = false;
  isChunked = false;
  hasUpgrade = false;
  /** Its body waits for a 100 (RFC 9110 §10.1.1). */
  asksFor100 = false;
  isEventStream = false;
  /** Two recipients could read the length, or the coding, differently (RFC 9112 §6.3, §11.2). */
  isLengthFaulty = false;
  isCodingFaulty = false;
  /** The field before was one of those that say where the message ends: the first letter of its name, or 0. */
  private framing = 0;

  begin(): void {
    this.length = -1;
    this.hasCoding = false;
    this.isChunked = false;
    this.hasUpgrade = false;
    this.asksFor100 = false;
    this.isEventStream = false;
    this.isLengthFaulty = false;
    this.isCodingFaulty = false;
    this.framing = 0;
  }

  /** Takes the line bytes[start, end), of which more was not kept where `isCut`. */
  // Runs for every field.
  take(bytes: Uint8Array, start: number, end: number, isCut: boolean): void {
    // Few fields matter: all others cost a look at their first letter.
    const first = bytes[start]! | 0x20;
    if (first === 0x63) this.takeC(bytes, start, end, isCut);
    else if (first === 0x74) this.takeT(bytes, start, end, isCut);
    else if (first === 0x75) this.takeU(bytes, start, end);
    else if (first === 0x65) this.takeE(bytes, start, end);
    else if (bytes[start] !== BLANK && bytes[start] !== TAB) this.framing = 0;
    // A folded line (§5.2): of a field that matters, not all read the same.
    else if (this.framing === 0x63) this.isLengthFaulty = true;
    else if (this.framing === 0x74) this.isCodingFaulty = true;
  }

  private takeC(bytes: Uint8Array, start: number, end: number, isCut: boolean): void {
    this.framing = 0;
    const value = valueStart(CONTENT_LENGTH, bytes, start, end);
    if (value > 0) this.takeLength(bytes, value, end, isCut || bytes[start + CONTENT_LENGTH.length] !== COLON);
    else {
      const type = valueStart(CONTENT_TYPE, bytes, start, end);
      if (type > 0 && startsWith(EVENT_STREAM, bytes, type, end)) this.isEventStream = true;
    }
  }

  /** Several equal ones, in one field or in several, are one (§6.3); others are none at all. */
  private takeLength(bytes: Uint8Array, from: number, end: number, isDoubtful: boolean): void {
    this.framing = 0x63;
    if (isDoubtful) this.isLengthFaulty = true;
    let i = from;
    for (;;) {
      i = skipBlanks(bytes, i, end);
      let value = 0;
      const digitsFrom = i;
      while (i < end && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) {
        value = value * 10 + (bytes[i++]! - 0x30);
        if (value > MAX_LENGTH) value = MAX_LENGTH + 1;
      }
      if (i === digitsFrom || value > MAX_LENGTH || (this.length >= 0 && this.length !== value))
        this.isLengthFaulty = true;
      this.length = value;
      i = skipBlanks(bytes, i, end);
      if (i === end) return;
      if (bytes[i] !== COMMA) {
        this.isLengthFaulty = true;
        return;
      }
      i++;
    }
  }

  private takeT(bytes: Uint8Array, start: number, end: number, isCut: boolean): void {
    this.framing = 0;
    const value = valueStart(TRANSFER_ENCODING, bytes, start, end);
    if (value <= 0) return;
    this.framing = 0x74;
    if (isCut || bytes[start + TRANSFER_ENCODING.length] !== COLON) this.isCodingFaulty = true;
    let last = end;
    while (last > value && (bytes[last - 1] === BLANK || bytes[last - 1] === TAB)) last--;
    let from = last;
    while (from > value && bytes[from - 1] !== COMMA) from--;
    from = skipBlanks(bytes, from, last);
    this.hasCoding = true;
    this.isChunked = last - from === CHUNKED.length && startsWith(CHUNKED, bytes, from, last);
  }

  private takeU(bytes: Uint8Array, start: number, end: number): void {
    this.framing = 0;
    if (valueStart(UPGRADE, bytes, start, end) > 0) this.hasUpgrade = true;
  }

  private takeE(bytes: Uint8Array, start: number, end: number): void {
    this.framing = 0;
    const value = valueStart(EXPECT, bytes, start, end);
    if (value > 0 && startsWith(CONTINUE, bytes, value, end)) this.asksFor100 = true;
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && (bytes[i] === BLANK || bytes[i] === TAB)) i++;
  return i;
}

/** Whether bytes[start, end) begin with this text, in small letters, in any case. */
function startsWith(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const wanted = text[i]!;
    const found = bytes[start + i]!;
    if (found !== wanted && (wanted < LETTERS || (found | 0x20) !== wanted)) return false;
  }
  return true;
}

/** Where the value of the field of this name begins, or 0 where it is another. Blanks before the colon are seen by the caller. */
function valueStart(name: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  if (!startsWith(name, bytes, start, end)) return 0;
  const colon = skipBlanks(bytes, start + name.length, end);
  return colon < end && bytes[colon] === COLON ? skipBlanks(bytes, colon + 1, end) : 0;
}
