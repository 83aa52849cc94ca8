import { Fault } from "./fault.ts";
import type { Token } from "./lexer.ts";
import { latin1 } from "./pattern.ts";

/**
 * The bytes a quoted text stands for, a character each: `\xNN` is a byte as the record shows it, `\"`, `\'` and `\\` are the
 * character itself. Throws Fault for any other backslash.
 */
export function byteText(token: Token): string {
  let bytes = "";
  let from = 0;
  for (const found of token.text.matchAll(/\\(?:x([\da-fA-F]{2})|(["'\\])|.)/gs)) {
    const [all, hex, character] = found;
    bytes += latin1(token.text.slice(from, found.index));
    from = found.index + all.length;
    if (hex === undefined && character === undefined) {
      // The quote stands before the text.
      const start = token.start + 1 + found.index;
      throw new Fault("a backslash in a text is \\\\, \\\", \\' or \\xNN", { start, end: start + all.length });
    }
    bytes += hex === undefined ? character : String.fromCharCode(Number.parseInt(hex, 16));
  }
  return bytes + latin1(token.text.slice(from));
}
