import { TcplatError } from "../errors.ts";
import { FILTER_KEY, type GivenOptions } from "./given.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** The shell of `tcplat completion SHELL`, or null for any other command line. Throws TcplatError "usage". */
export function completionShell(typed: GivenOptions): (typeof SHELLS)[number] | null {
  const [command, ...words] = (typed.get(FILTER_KEY)?.[0]?.text ?? "").split(" ");
  if (command !== "completion") return null;
  const shell = SHELLS.find((known) => known === words[0]);
  if (shell !== undefined && words.length === 1 && typed.size === 1) return shell;
  throw new TcplatError("usage", "completion takes the name of a shell and nothing else: bash, zsh or fish");
}
