import { LOG_LEVELS } from "../options/parse.ts";
import type { OptionSpec } from "../options/table.ts";

/** What can stand behind an option: files, folders, this host's interfaces, one of these words, or anything. */
export type Values =
  | { readonly kind: "none" | "any" | "files" | "folders" | "interfaces" }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** Told by the option's argument, as the table has it. `protocols` as `-p` takes them. */
export function valuesOf({ name, argument }: OptionSpec, protocols: readonly string[]): Values {
  if (argument === "") return { kind: "none" };
  if (argument === "FILE") return { kind: "files" };
  if (argument === "DIR") return { kind: "folders" };
  if (name === "interface") return { kind: "interfaces" };
  if (name === "protocol") return { kind: "words", words: ["auto", ...protocols, "raw"] };
  if (argument === "LEVEL") return { kind: "words", words: LOG_LEVELS };
  if (/^[a-z]+(\|[a-z]+)+$/.test(argument)) return { kind: "words", words: argument.split("|") };
  return { kind: "any" };
}

/** How the option is spelled: `-i` and `--interface`. */
export function spellingsOf({ name, short }: OptionSpec): readonly string[] {
  const long = name.length > 1 ? [`--${name}`] : [];
  return short === "" ? long : [`-${short}`, ...long];
}
