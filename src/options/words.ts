import yargsParser from "yargs-parser";
import { TcplatError } from "../errors.ts";
import { FILTER_KEY, type Given, type GivenOptions, quoted } from "./given.ts";
import { nearest } from "./nearest.ts";
import { findByName, findByShort, OPTION_TABLE, type OptionSpec } from "./table.ts";

const LONG_NAMES = OPTION_TABLE.map((spec) => spec.name).filter((name) => name.length > 2);

/**
 * yargs' parser by itself: all of yargs takes 60 ms to load, as long as Node itself, its parser 7. `help.ts` loads the
 * rest. Numbers stay text, or `06379` and `0x18eb` in a filter would change their shape.
 */
const PARSER_OPTIONS: yargsParser.Options = {
  boolean: OPTION_TABLE.filter((spec) => spec.kind === "flag").map((spec) => spec.name),
  string: ["_", ...OPTION_TABLE.filter((spec) => spec.kind !== "flag").map((spec) => spec.name)],
  configuration: {
    "parse-numbers": false,
    "parse-positional-numbers": false,
    "dot-notation": false,
    "camel-case-expansion": false,
    // Kept as arrays, so that `-i a -i b` is seen, and refused.
    "duplicate-arguments-array": true,
    "greedy-arrays": false,
  },
};

/** The command line as given options; words that are no option, joined with blanks, are the filter. Throws TcplatError "usage". */
export function readWords(words: readonly string[]): GivenOptions {
  const parsed = yargsParser(longForms(words), PARSER_OPTIONS);
  const given = new Map<string, Given[]>();
  for (const spec of OPTION_TABLE) {
    const value: unknown = parsed[spec.name];
    if (value === undefined) continue;
    const texts = Array.isArray(value) ? value.map(String) : [String(value)];
    checkTexts(spec, texts);
    given.set(
      spec.name,
      texts.map((text) => ({ text, place: `--${spec.name}`, isFromCommandLine: true })),
    );
  }
  const filter = parsed._.join(" ").trim();
  if (filter !== "") given.set(FILTER_KEY, [{ text: filter, place: "filter", isFromCommandLine: true }]);
  return given;
}

/** The words that are no option, each by itself: a file's name may hold blanks. For words that `readWords` has taken. */
export function readPositionals(words: readonly string[]): string[] {
  return yargsParser(longForms(words), PARSER_OPTIONS)._.map(String);
}

function checkTexts(spec: OptionSpec, texts: readonly string[]): void {
  if (spec.kind === "value" && texts.length > 1) {
    throw usage(`${label(spec)} is given ${texts.length} times (${texts.map(quoted).join(", ")}): give it once`);
  }
  if (spec.kind !== "flag" && texts.includes("")) throw usage(`${label(spec)} needs a value: ${example(spec)}`);
}

/** An option, as opposed to a word, a negative number or the `-` of standard input. */
const OPTION = /^-[^0-9.]/;

/** Spells every option out (`-nni lo` becomes `--n --n --interface=lo`) and refuses what the table does not know. */
function longForms(words: readonly string[]): string[] {
  const forms: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") return [...forms, ...words.slice(at)];
    if (!OPTION.test(word)) {
      forms.push(word);
      continue;
    }
    const spelled = word.startsWith("--") ? [checkedLong(word)] : fromLetters(word);
    const next = words[at + 1];
    // yargs takes the `-` of `--read -` for a word of its own.
    if (next !== undefined && !OPTION.test(next) && wantsValue(spelled.at(-1) ?? "")) {
      spelled.push(`${spelled.pop()}=${next}`);
      at++;
    }
    forms.push(...spelled);
  }
  return forms;
}

function wantsValue(form: string): boolean {
  const spec = findByName(form.slice(2));
  return spec !== undefined && spec.kind !== "flag";
}

function checkedLong(word: string): string {
  const [, name = "", assigned] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const negated = name.startsWith("no-") ? findByName(name.slice(3)) : undefined;
  const spec = findByName(name) ?? (negated?.kind === "flag" ? negated : undefined);
  if (spec === undefined) throw unknownOption(`--${name}`, name);
  if (spec.kind === "flag" && assigned !== undefined && (spec === negated || !/^(true|false)$/.test(assigned))) {
    throw usage(`--${name} is on or off and takes no ${quoted(assigned)}: write --${spec.name} or --no-${spec.name}`);
  }
  return word;
}

function fromLetters(word: string): string[] {
  const forms: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] ?? "";
    const spec = findByShort(letter);
    if (spec === undefined) throw unknownOption(word.length > 2 ? `-${letter} (in ${quoted(word)})` : word, letter);
    const rest = word.slice(at + 1);
    if (spec.kind === "flag") {
      if (rest.startsWith("=")) throw usage(`-${letter} takes no value`);
      forms.push(`--${spec.name}`);
    } else {
      return [...forms, rest === "" ? `--${spec.name}` : `--${spec.name}=${rest.replace(/^=/, "")}`];
    }
  }
  return forms;
}

function unknownOption(shown: string, name: string): TcplatError {
  const near = nearestOption(name);
  return usage(`unknown option ${shown}: ${near === "" ? "" : `did you mean --${near}? `}tcplat --help lists them`);
}

/** The long name that may have been meant, or "". */
function nearestOption(name: string): string {
  return name.length > 2 ? nearest(name, LONG_NAMES) : "";
}

function label(spec: OptionSpec): string {
  return spec.short === "" ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
}

function example(spec: OptionSpec): string {
  return `--${spec.name} ${spec.argument}`;
}

function usage(sentence: string): TcplatError {
  return new TcplatError("usage", sentence);
}
