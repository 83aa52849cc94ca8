import yargs from "yargs";
import { OPTION_GROUPS, OPTION_TABLE, type OptionSpec } from "./table.ts";

const EXAMPLES = [
  ["sudo tcplat -i any tcp port 6379 -p redis", "a line per request"],
  ["sudo tcplat -i any tcp port 6379 -p redis -t 10", "only those of 10 ms and more"],
  ["tcplat -r incident.pcap --json", "a file, as JSON records"],
  ["tcplat diff client.pcap server.pcap", "what of each request is network, what server"],
  ["tcplat explain -r incident.pcap 17-204", "where one request's time went, segment by segment"],
  ["tcplat report -r incident.pcap -o incident.html", "a page: heatmap, percentiles, the slowest, losses"],
  ["sudo tcplat doctor", "check libpcap, permission, ports and engines"],
] as const;

/** The text of `--help`, at most `columns` wide. */
export async function helpText(columns: number, protocols: readonly string[]): Promise<string> {
  const parser = yargs([])
    .scriptName("tcplat")
    .help(false)
    .version(false)
    .wrap(columns)
    .usage(
      "tcplat [options] [filter expression]\ntcplat report -r FILE -o FILE.html [options] [filter expression]\ntcplat diff CLIENT SERVER [options] [filter expression]\ntcplat explain -r FILE ID [options] [filter expression]\ntcplat doctor\n",
    )
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
  parser.epilogue("Exit status: 0 done, 1 failed while running, 2 wrong usage, 77 no permission to capture.");
  return parser.getHelp();
}

function describe(spec: OptionSpec, protocols: readonly string[]): string {
  const known = spec.name === "protocol" ? ` (auto, ${protocols.join(", ")}, raw)` : "";
  return `${spec.argument === "" ? "" : `${spec.argument}: `}${spec.summary}${known}`;
}
