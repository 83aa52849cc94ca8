/** Text that is HTML already. Made by `html` and `joined` alone, so that nothing else reaches a page unescaped. */
export interface Markup {
  readonly markup: string;
}

/** Nothing. */
export const NOTHING: Markup = { markup: "" };

/** A piece of a page: what stands between the quotes is HTML, every value is escaped unless it is a piece itself. */
export function html(pieces: TemplateStringsArray, ...values: readonly (string | number | Markup)[]): Markup {
  let markup = pieces[0]!;
  values.forEach((value, index) => {
    markup += (typeof value === "object" ? value.markup : escapeHtml(String(value))) + pieces[index + 1]!;
  });
  return { markup };
}

/** Pieces, one after the other. */
export function joined(pieces: readonly Markup[]): Markup {
  return { markup: pieces.map((piece) => piece.markup).join("") };
}

/** The text of an element or of a quoted attribute; controls and characters that turn text around as `\u{…}`. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => {
    return ENTITIES.get(character) ?? `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);
