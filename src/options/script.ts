import { type GivenOptions, refused } from "./given.ts";

/** What a script is written in, by the end of its name. */
const KNOWN = /\.(lua|js|mjs|ts|mts)$/;

/** `-S FILE`, each. Throws TcplatError "usage" for a name that says nothing of the language. */
export function readScripts(given: GivenOptions): readonly string[] {
  return (given.get("script") ?? []).map((each) => {
    if (!KNOWN.test(each.text)) throw refused(each, "a script's name ends in .lua, .mjs, .js, .mts or .ts");
    return each.text;
  });
}
