import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

/** Shells that can be taught. */
export type Shell = "bash" | "zsh" | "fish";

/** What `tcplat completion SHELL` prints, made of the table of options. `protocols`: the names of those known. */
export function completionScript(shell: Shell, protocols: readonly string[]): string {
  if (shell === "bash") return bashCompletion(protocols);
  return shell === "zsh" ? zshCompletion(protocols) : fishCompletion(protocols);
}
