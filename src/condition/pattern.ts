import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** What is used of the package re2js. */
interface Re2 {
  readonly RE2JS: { compile(pattern: string): { test(text: string): boolean } };
}

/** Whether a text holds what a pattern describes. */
export type Pattern = (text: string) => boolean;

/**
 * A regular expression of RE2's syntax (https://github.com/google/re2/wiki/Syntax). Keys come from the wire, and JavaScript's own
 * engine may take hours for one of them; RE2's takes time in proportion to the text, whatever the pattern is. Pattern and text
 * are bytes: what is no ASCII in the pattern stands for its bytes in UTF-8. Throws Error with RE2's words.
 */
export function compilePattern(pattern: string): Pattern {
  // Takes 7 ms to load: only those who search wait for it.
  const { RE2JS } = require("re2js") as Re2;
  const compiled = RE2JS.compile(latin1(pattern));
  return (text) => compiled.test(text);
}

/** Text as the bytes of its UTF-8, a character each. */
export function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
