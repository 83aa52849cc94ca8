import { type Exchange, OTHER } from "../protocol.ts";
import { beginsWith, isToken, methodAt } from "./methods.ts";
import { shownOf } from "./target.ts";
import { mayHoldUrl, veiledPath, veiledQuery } from "./veil.ts";

const BLANK = 0x20;
/** Longer ones are no method that anybody sends. */
const MAX_METHOD = 32;
const VERSION = new TextEncoder().encode("HTTP/1.");
const NO_BYTES = new Uint8Array(0);
const HIDDEN = new TextEncoder().encode("(redacted)@");

/** `method SP target SP HTTP/1.x` (RFC 9112 §3); several blanks are taken for one, as nginx does. */
export class RequestLine {
  methodId: number = OTHER;
  private bytes: Uint8Array = NO_BYTES;
  private start = 0;
  private methodEnd = 0;
  private targetStart = 0;
  private targetEnd = 0;
  private isTargetCut = false;

  clear(): void {
    this.methodId = OTHER;
    this.isTargetCut = false;
    this.bytes = NO_BYTES;
    this.start = this.methodEnd = this.targetStart = this.targetEnd = 0;
  }

  /** Of the line read last so little is known that its method may be this one. */
  mayBe(methodId: number): boolean {
    return this.targetStart === 0 && beginsWith(methodId, this.bytes, this.start, this.methodEnd);
  }

  /** Reads the line bytes[start, end), of which the end was not kept where `isCut`. False when it is no request line of HTTP/1. */
  // Runs for every request.
  read(bytes: Uint8Array, start: number, end: number, isCut: boolean): boolean {
    this.clear();
    let i = start;
    while (i < end && isToken(bytes[i]!)) i++;
    if (i === start || i - start > MAX_METHOD || (i < end ? bytes[i] !== BLANK : !isCut)) return false;
    this.bytes = bytes;
    this.start = start;
    this.methodEnd = i;
    if (i === end) return true;
    this.methodId = methodAt(bytes, start, i);
    while (i < end && bytes[i] === BLANK) i++;
    this.targetStart = i;
    this.targetEnd = end;
    if (isCut) {
      while (i < end && bytes[i] !== BLANK) i++;
      this.targetEnd = i;
      this.isTargetCut = i === end;
      return true;
    }
    const version = end - VERSION.length - 1;
    let last = version;
    while (last > i && bytes[last - 1] === BLANK) last--;
    this.targetEnd = last;
    if (last <= i || last === version) return false;
    for (let at = 0; at < VERSION.length; at++) if (bytes[version + at] !== VERSION[at]) return false;
    return bytes[end - 1]! >= 0x30 && bytes[end - 1]! <= 0x39;
  }

  /** Tells its words: the method, what is shown of the target, and the query where that is wanted. Its bytes must still be there. */
  tell(exchange: Exchange): void {
    const bytes = this.bytes;
    if (this.methodEnd === this.start) return;
    exchange.word(false);
    exchange.text(bytes, this.start, this.methodEnd);
    if (this.targetEnd <= this.targetStart) return;
    const shown = shownOf(bytes, this.targetStart, this.targetEnd, this.isTargetCut, exchange.pathDepth);
    exchange.word(true);
    exchange.text(bytes, this.targetStart, shown.schemeEnd);
    if (shown.hasCredentials) exchange.text(HIDDEN, 0, HIDDEN.length);
    if (!mayHoldUrl(bytes, shown.start, shown.end)) exchange.text(bytes, shown.start, shown.end);
    else tellAll(exchange, veiledPath(bytes, shown.start, shown.end));
    if (!exchange.wantsValues || shown.queryStart === shown.queryEnd) return;
    exchange.word(false);
    tellAll(exchange, veiledQuery(bytes, shown.queryStart, shown.queryEnd));
  }
}

function tellAll(exchange: Exchange, bytes: Uint8Array): void {
  exchange.text(bytes, 0, bytes.length);
}
