import { nearest } from "./nearest.ts";

/** What tcplat does, by how it is called. The first is the one without a name. */
export interface CommandSpec {
  /** The first word, or "". */
  readonly name: string;
  /** Behind the name, as the user would type it. */
  readonly words: string;
  /** One sentence without a full stop. */
  readonly summary: string;
}

/** Every command, in the order of `--help`. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "",
    words: "[options] [filter expression]",
    summary: "pair every request with its response and tell how long each took",
  },
  {
    name: "report",
    words: "-r FILE -o FILE.html [options] [filter expression]",
    summary: "write a page on a file: heatmap, percentiles, the slowest, losses",
  },
  {
    name: "diff",
    words: "CLIENT SERVER [options] [filter expression]",
    summary: "compare captures of both hosts: what of each request is network, what server",
  },
  {
    name: "explain",
    words: "-r FILE [ID] [options] [filter expression]",
    summary: "show where one request's time went, segment by segment; without ID the slowest one's",
  },
  { name: "doctor", words: "", summary: "check libpcap, permission, ports and engines" },
  { name: "completion", words: "bash|zsh|fish", summary: "print what makes a shell complete these words" },
];

/** A command line worth knowing, and what it does. */
export const EXAMPLES: readonly (readonly [string, string])[] = [
  ["sudo tcplat -i any tcp port 6379 -p redis", "a line per request"],
  ["sudo tcplat -i any tcp port 6379 -p redis -t 10", "only those of 10 ms and more"],
  ["tcplat -r incident.pcap --json", "a file, as JSON records"],
  ["tcplat diff client.pcap server.pcap", "what of each request is network, what server"],
  ["tcplat explain -r incident.pcap", "where the slowest request's time went, segment by segment"],
  ["tcplat report -r incident.pcap -o incident.html", "a page: heatmap, percentiles, the slowest, losses"],
  ["sudo tcplat doctor", "check libpcap, permission, ports and engines"],
];

/** Words that other programs take for these options. */
const OPTION_WORDS: readonly string[] = ["help", "version"];

/**
 * What may have been meant by a filter that libpcap refuses, as the user would type it: a command with a slip in its name, or an
 * option without its dashes. Null where the first word is like none of them.
 */
export function meantCommand(filter: string): string | null {
  const [word = ""] = filter.trim().split(/\s+/, 1);
  if (OPTION_WORDS.includes(word)) return `tcplat --${word}`;
  // `port` is two edits from `report`, and no slip.
  const names = COMMANDS.map(({ name }) => name).filter((name) => name !== "");
  const name = word.length > 4 ? nearest(word, names) : (names.find((each) => each.startsWith(word)) ?? "");
  return name === "" || word.length < 2 ? null : `tcplat ${name}`;
}

/** `tcplat diff CLIENT SERVER …`. */
export function usageOf({ name, words }: CommandSpec): string {
  return ["tcplat", name, words].filter((part) => part !== "").join(" ");
}
