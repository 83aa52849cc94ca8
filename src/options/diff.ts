import { TcplatError } from "../errors.ts";
import { FILTER_KEY, type GivenOptions } from "./given.ts";
import { readPositionals } from "./words.ts";

/** Options that say what to capture, or what to do with it: a comparison of two files has no place for them. */
const SENSELESS = [
  "interface",
  "read",
  "write",
  "count",
  "engine",
  "side",
  "report",
  "dump-slow",
  "max-cpu",
  "filter",
  "write-matching",
  "script",
];

/** `tcplat diff CLIENT SERVER [options] [filter]`. */
export interface DiffWords {
  readonly client: string;
  readonly server: string;
  /** The other words, as those of a plain run. */
  readonly given: GivenOptions;
}

/** Returns null for any other command line. Throws TcplatError "usage". */
export function diffWords(words: readonly string[], typed: GivenOptions): DiffWords | null {
  const [filter] = typed.get(FILTER_KEY) ?? [];
  if (filter === undefined || !/^diff(?: |$)/.test(filter.text)) return null;
  const [, client, server, ...rest] = readPositionals(words);
  if (client === undefined || server === undefined) {
    throw new TcplatError(
      "usage",
      "diff compares two files, captures or --json records: tcplat diff CLIENT SERVER, the one of the clients' host first",
    );
  }
  const senseless = SENSELESS.find((name) => typed.has(name));
  if (senseless !== undefined) {
    throw new TcplatError("usage", `--${senseless} has no meaning for diff, which reads two files: leave it out`);
  }
  const given = new Map(typed);
  given.delete(FILTER_KEY);
  if (rest.length > 0) given.set(FILTER_KEY, [{ ...filter, text: rest.join(" ") }]);
  return { client, server, given };
}
