import { TcplatError } from "../errors.ts";
import { FILTER_KEY, type Given, type GivenOptions } from "./given.ts";

/** Whether a command line's first word is this command. Like a filter's, it is among the words that are no option. */
export function isCommand(typed: GivenOptions, name: string): boolean {
  return typed.get(FILTER_KEY)?.[0]?.text.split(" ", 1)[0] === name;
}

/** The words of a plain run that are left once a command has taken its own: `filter` is what stands behind those. */
export function wordsBehind(typed: GivenOptions, filter: string): Map<string, readonly Given[]> {
  const given = new Map(typed);
  given.delete(FILTER_KEY);
  if (filter !== "") given.set(FILTER_KEY, [{ text: filter, place: "filter", isFromCommandLine: true }]);
  return given;
}

/** Throws TcplatError "usage" where one of these options is given; `does`: what the command does instead. */
export function refuseMeaningless(typed: GivenOptions, names: readonly string[], command: string, does: string): void {
  const name = names.find((each) => typed.has(each));
  if (name === undefined) return;
  throw new TcplatError("usage", `--${name} has no meaning for ${command}, which ${does}: leave it out`);
}
