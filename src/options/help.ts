import yargs from "yargs";
import { COMMANDS, EXAMPLES, usageOf } from "./commands.ts";
import { OPTION_GROUPS, OPTION_TABLE, type OptionSpec } from "./table.ts";

/** The text of `--help`, at most `columns` wide. */
export async function helpText(columns: number, protocols: readonly string[]): Promise<string> {
  const parser = yargs([])
    .scriptName("tcplat")
    .help(false)
    .version(false)
    .wrap(columns)
    .usage(`${COMMANDS.map(usageOf).join("\n")}\n`)
    .usage(
      "Pairs every request with its response and tells how long each took. Words that are no option are the libpcap filter.",
    );
  for (const group of OPTION_GROUPS) {
    for (const spec of OPTION_TABLE.filter((each) => each.group === group)) {
      const isOneLetter = spec.name.length === 1;
      parser.option(spec.name, {
        ...(spec.short === "" || isOneLetter ? {} : { alias: spec.short }),
        group: `${group}:`,
        describe: describe(spec, protocols),
        // Only shown: the table's presets are applied in parse.ts. Without a type yargs prints no [string] on every line.
        ...(spec.preset === "" ? {} : { default: spec.preset, defaultDescription: spec.preset }),
      });
    }
  }
  for (const [command, meaning] of EXAMPLES) parser.example(command, meaning);
  parser.epilogue(
    "Exit status: 0 done, 1 failed while running or could not begin, 2 wrong usage, 77 no permission to capture.",
  );
  return parser.getHelp();
}

function describe(spec: OptionSpec, protocols: readonly string[]): string {
  return `${spec.argument === "" ? "" : `${spec.argument}: `}${meaningOf(spec, protocols)}`;
}

/** What an option does, with the words that `-p` knows. */
export function meaningOf({ name, summary }: OptionSpec, protocols: readonly string[]): string {
  return name === "protocol" ? `${summary} (${["auto", ...protocols, "raw"].join(", ")})` : summary;
}
