import { EXIT_STATUS } from "../errors.ts";
import { COMMANDS, EXAMPLES, usageOf } from "../options/commands.ts";
import { meaningOf } from "../options/help.ts";
import { OPTION_GROUPS, OPTION_TABLE, type OptionSpec } from "../options/table.ts";

/** By exit status, as EXIT_STATUS has them. */
const STATUS_MEANINGS: Readonly<Record<number, string>> = {
  0: "done, stopped by a signal, or nobody reads standard output any more",
  [EXIT_STATUS.running]: "failed while running, or could not begin",
  [EXIT_STATUS.usage]: "wrong usage: option, filter, interface, file",
  [EXIT_STATUS.permission]: "no permission to capture",
};

const COLUMNS = 80;

const SIGNALS: readonly (readonly [string, string])[] = [
  ["SIGINT, SIGTERM", "take what is already captured, print it and the summary, and end; a second one ends at once"],
  ["SIGUSR1", "print the summary to standard error, and go on"],
  [
    "SIGHUP",
    "go on with -w in a new file if the old one was moved away; where the terminal is gone, end as with SIGTERM",
  ],
];

/** The manual page, in the macros of man(7). `protocols`: the names of those known. */
export function manPage(protocols: readonly string[]): string {
  const lines = [
    '.\\" Made of the table of options (src/options/table.ts) by npm run build: do not edit.',
    '.TH TCPLAT 1 "" tcplat "User Commands"',
    ".SH NAME",
    "tcplat \\- live-capture latency of requests and responses",
    ".SH SYNOPSIS",
    ...COMMANDS.flatMap((command) => [synopsis(usageOf(command)), ".br"]).slice(0, -1),
    ".SH DESCRIPTION",
    ...wrapped(
      "Captures the traffic of a live host, or reads a capture file, pairs every request with its response, and prints how long each took and of what that time consists. " +
        "Words that are no option are the libpcap filter (see pcap-filter(7)), wherever they stand. Transactions go to standard output, everything else to standard error.",
    ),
    ".SH COMMANDS",
    ...COMMANDS.filter(({ name }) => name !== "").flatMap(({ name, summary }) => item(bold(name), sentence(summary))),
    ".SH OPTIONS",
    ...OPTION_GROUPS.flatMap((group) => [
      `.SS ${text(group)}`,
      ...OPTION_TABLE.filter((spec) => spec.group === group).flatMap((spec) => optionItem(spec, protocols)),
    ]),
    ".SH EXIT STATUS",
    ...Object.entries(STATUS_MEANINGS).flatMap(([status, meaning]) => item(bold(status), sentence(meaning))),
    ".SH SIGNALS",
    ...SIGNALS.flatMap(([signal, meaning]) => item(bold(signal), sentence(meaning))),
    ".SH EXAMPLES",
    ...EXAMPLES.flatMap(([command, meaning]) => item(bold(command), sentence(meaning))),
    ".SH SEE ALSO",
    ".BR pcap\\-filter (7),",
    ".BR tcpdump (8)",
  ];
  return `${lines.join("\n")}\n`;
}

function optionItem(spec: OptionSpec, protocols: readonly string[]): string[] {
  const long = spec.name.length > 1 ? [`--${spec.name}`] : [];
  const names = [...(spec.short === "" ? [] : [`-${spec.short}`]), ...long].map(bold).join(", ");
  const head = spec.argument === "" ? names : `${names} \\fI${text(spec.argument)}\\fR`;
  const preset = spec.preset === "" ? "" : `. The default is ${spec.preset}`;
  return item(head, sentence(`${meaningOf(spec, protocols)}${preset}`));
}

function item(head: string, body: string): string[] {
  return [".TP", head, ...body.split("\n")];
}

/** Text in lines that are no longer than roff's readers like. */
function wrapped(words: string): string[] {
  const lines = [""];
  for (const word of words.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (text(`${line} ${word}`).length <= COLUMNS) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map(text);
}

function synopsis(usage: string): string {
  const [program = "", ...words] = usage.split(" ");
  return `${bold(program)} ${text(words.join(" "))}`.trim();
}

function bold(words: string): string {
  return `\\fB${text(words)}\\fR`;
}

function sentence(words: string): string {
  return wrapped(`${words.charAt(0).toUpperCase()}${words.slice(1)}.`).join("\n");
}

/** roff's own characters, made plain; a line of text never begins with a dot or a quote. */
function text(words: string): string {
  const plain = words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll('"', "\\(dq")
    .replaceAll("…", "\\&...");
  return plain.startsWith(".") ? `\\&${plain}` : plain;
}
