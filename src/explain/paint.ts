import { isColourWanted } from "../outputs/colour.ts";

/** How things look on this terminal. */
export interface Look {
  /** Columns, at least 80. */
  readonly columns: number;
  readonly isColoured: boolean;
  /** The terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

export function paint(look: Look, colour: Colour, text: string): string {
  return look.isColoured && text !== "" ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/** Text as lines of at most `width` characters, broken at blanks where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(" ", width);
    const at = blank > 0 ? blank : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

const LEAST_COLUMNS = 80;
const MOST_COLUMNS = 140;
const PIPE_COLUMNS = 100;

/** What standard output is, as far as it and the environment tell. */
export function lookOf(
  stdout: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): Look {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((each) => each !== undefined && each !== "") ?? "";
  return {
    columns: Math.min(Math.max(stdout.columns ?? PIPE_COLUMNS, LEAST_COLUMNS), MOST_COLUMNS),
    isColoured: isColourWanted(stdout, env),
    isUnicode: /utf-?8/i.test(locale),
  };
}
