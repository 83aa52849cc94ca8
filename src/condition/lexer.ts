import { Fault } from "./fault.ts";

/**
 * What a word of an expression is. atom: a name, a number with its unit, an address; text: quoted, `text` is between the quotes;
 * sign: an operator, a bracket or a comma; end: behind the last one.
 */
export interface Token {
  readonly kind: "atom" | "text" | "sign" | "end";
  readonly text: string;
  /** Indexes into the expression: [start, end). */
  readonly start: number;
  readonly end: number;
}

/** Each sign once, and how else it may be spelled. Words (`and`, `in`) are atoms that the grammar knows. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ["==", "="],
  ["&&", "and"],
  ["||", "or"],
  ["!", "not"],
]);

const BLANK = /\s+/y;
const SIGN = /==|!=|<=|>=|=~|!~|&&|\|\||[=<>!(),[\]]/y;
/** `"…"` or `'…'`; a backslash keeps the next character in. */
const TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/sy;
/** `[2001:db8::1]:6379`: with two colons, it is no list of names or numbers. */
const BRACKETED = /\[[\da-f.]*:[\da-f:.]*:[\da-f:.]*\](?::\d+)?/iy;
const ATOM = /[\p{L}\p{N}_.:/%*+-]+/uy;

/** Takes an expression apart. Throws Fault. */
export function tokens(expression: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  const take = (shape: RegExp): string | null => {
    shape.lastIndex = at;
    return shape.exec(expression)?.[0] ?? null;
  };
  const push = (kind: Token["kind"], raw: string, text: string) => {
    found.push({ kind, text, start: at, end: at + raw.length });
    at += raw.length;
  };
  while (at < expression.length) {
    const blank = take(BLANK);
    if (blank !== null) {
      at += blank.length;
      continue;
    }
    const bracketed = take(BRACKETED);
    const sign = bracketed === null ? take(SIGN) : null;
    const text = take(TEXT);
    const atom = bracketed ?? take(ATOM);
    if (sign !== null) push("sign", sign, SPELLINGS.get(sign) ?? sign);
    else if (text !== null) push("text", text, text.slice(1, -1));
    else if (atom !== null) push("atom", atom, atom);
    else throw unknown(expression, at);
  }
  push("end", "", "");
  return found;
}

function unknown(expression: string, at: number): Fault {
  const character = String.fromCodePoint(expression.codePointAt(at) ?? 0);
  const place = { start: at, end: at + character.length };
  if (character === '"' || character === "'") {
    return new Fault("this quote is never closed", { start: at, end: expression.length });
  }
  return new Fault("this is no part of an expression", place);
}
