const NEWLINE = 10;
const TAB = 9;

/** How what scripts print is written: as it is; for a terminal, which must see no control character; or for `--json`. */
export type PrintFormat = (text: Uint8Array) => Uint8Array;

/** Where standard output goes, and whether `--json` was given. */
export function printFormat({ isJson, isTerminal }: { isJson: boolean; isTerminal: boolean }): PrintFormat {
  if (isJson) return jsonLines;
  return isTerminal ? (text) => Buffer.from(escaped(text)) : (text) => text;
}

/** One object for each line: what is not UTF-8 as `\xNN`. */
function jsonLines(text: Uint8Array): Uint8Array {
  const lines = escaped(text).replace(/\n$/, "").split("\n");
  return Buffer.from(lines.map((line) => `${JSON.stringify({ type: "print", text: line })}\n`).join(""));
}

/** UTF-8 is kept; what is none, and control characters but for newline and tab, as `\xNN`: they may come from the wire. */
function escaped(text: Uint8Array): string {
  const utf8 = decoded(text);
  const shown = Array.from(utf8 ?? Buffer.from(text).toString("latin1"), (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isControl = (code < 32 && code !== NEWLINE && code !== TAB) || code === 127 || (code >= 128 && code < 160);
    const isByte = utf8 === null && code >= 128;
    return isControl || isByte ? `\\x${code.toString(16).padStart(2, "0")}` : character;
  });
  return shown.join("");
}

function decoded(text: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return null;
  }
}
