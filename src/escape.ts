/**
 * Control characters as `\xNN`: names, paths and other programs' texts may hold anything, a line stays a line, and no escape
 * sequence reaches a terminal.
 */
export function escapeControls(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const isControl = code < 32 || (code >= 127 && code < 160);
    return isControl ? `\\x${code.toString(16).padStart(2, "0")}` : character;
  }).join("");
}
