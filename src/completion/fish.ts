import { COMMANDS } from "../options/commands.ts";
import { OPTION_TABLE, type OptionSpec } from "../options/table.ts";
import { type Values, valuesOf } from "./values.ts";

/** For fish: `tcplat completion fish | source`, or a file in ~/.config/fish/completions. */
export function fishCompletion(protocols: readonly string[]): string {
  const lines = [
    "# fish completion of tcplat: tcplat completion fish > ~/.config/fish/completions/tcplat.fish",
    "complete -c tcplat -f",
    ...COMMANDS.filter(({ name }) => name !== "").map(
      ({ name, summary }) => `complete -c tcplat -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    "complete -c tcplat -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'",
    "complete -c tcplat -n '__fish_seen_subcommand_from diff' -F",
    ...OPTION_TABLE.map((spec) => lineOf(spec, valuesOf(spec, protocols))),
  ];
  return `${lines.join("\n")}\n`;
}

function lineOf({ name, short, summary }: OptionSpec, values: Values): string {
  const spellings = [short === "" ? "" : ` -s ${short}`, name.length > 1 ? ` -l ${name}` : ""].join("");
  return `complete -c tcplat${spellings}${valuesText(values)} -d ${quoted(summary)}`;
}

function valuesText(values: Values): string {
  switch (values.kind) {
    case "none":
      return "";
    case "any":
      return " -x";
    case "files":
      return " -r -F";
    case "folders":
      return " -x -a '(__fish_complete_directories)'";
    case "interfaces":
      return " -x -a 'any (command ls /sys/class/net 2>/dev/null)'";
    case "words":
      return ` -x -a '${values.words.join(" ")}'`;
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
