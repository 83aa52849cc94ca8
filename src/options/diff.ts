import { TcplatError } from "../errors.ts";
import { isCommand, refuseMeaningless, wordsBehind } from "./command-words.ts";
import type { GivenOptions } from "./given.ts";
import { readPositionals } from "./words.ts";

/** Options that say what to capture, or what to do with it: a comparison of two files has no place for them. */
const MEANINGLESS = [
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
  if (!isCommand(typed, "diff")) return null;
  const [, client, server, ...rest] = readPositionals(words);
  if (client === undefined || server === undefined) {
    throw new TcplatError(
      "usage",
      "diff compares two files, captures or --json records: tcplat diff CLIENT SERVER, the one of the clients' host first",
    );
  }
  refuseMeaningless(typed, MEANINGLESS, "diff", "reads two files");
  return { client, server, given: wordsBehind(typed, rest.join(" ")) };
}
