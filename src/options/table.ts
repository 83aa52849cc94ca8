/**
 * Every option, once: parsing, `--help`, the configuration file and whatever documents the options read this table.
 * The order is the order of `--help`.
 */
export interface OptionSpec {
  /** The long name, without dashes; also the key in a configuration file. */
  readonly name: string;
  /** The one-letter name, or "" for none. */
  readonly short: string;
  /** flag: on or off. value: one text. list: may be given several times. */
  readonly kind: "flag" | "value" | "list";
  /** What the value is called in `--help`, "" for a flag. */
  readonly argument: string;
  /** What it does, one sentence without a full stop. */
  readonly summary: string;
  /** The default as the user would type it, "" for none. */
  readonly preset: string;
  /** The heading it stands under. */
  readonly group: (typeof OPTION_GROUPS)[number];
  /** Whether a configuration file may set it. */
  readonly isConfigurable: boolean;
}

/** The headings of `--help`, in order. */
export const OPTION_GROUPS = [
  "What to capture",
  "What to look for",
  "What to print",
  "Where to ask",
  "Limits",
  "The program itself",
] as const;

type Group = OptionSpec["group"];

function value(
  group: Group,
  name: string,
  short: string,
  argument: string,
  preset: string,
  summary: string,
): OptionSpec {
  return { name, short, kind: "value", argument, summary, preset, group, isConfigurable: true };
}

function list(
  group: Group,
  name: string,
  short: string,
  argument: string,
  preset: string,
  summary: string,
): OptionSpec {
  return { name, short, kind: "list", argument, summary, preset, group, isConfigurable: true };
}

function flag(group: Group, name: string, short: string, summary: string, isConfigurable = true): OptionSpec {
  return { name, short, kind: "flag", argument: "", summary, preset: "", group, isConfigurable };
}

const [CAPTURE, PROTOCOLS, PRINTING, PORTS, LIMITS, PROGRAM] = OPTION_GROUPS;

/** A configuration file names no other one; and its `filter` is libpcap's, --filter being `transaction-filter` there. */
const NOT_IN_FILES: readonly string[] = ["config", "filter"];

/** The table itself. */
export const OPTION_TABLE: readonly OptionSpec[] = [
  value(CAPTURE, "interface", "i", "NAME", "any", "capture on this interface"),
  value(CAPTURE, "read", "r", "FILE", "", "read a pcap or pcapng file instead; - is standard input"),
  value(CAPTURE, "write", "w", "FILE", "", "also write the captured frames to this pcap file"),
  value(CAPTURE, "rotate-size", "C", "MB", "", "with -w: begin a new file after so many million bytes"),
  value(CAPTURE, "rotate-seconds", "G", "SECONDS", "", "with -w: begin a new file after so many seconds"),
  value(CAPTURE, "rotate-count", "W", "COUNT", "", "with -C or -G: at most so many files"),
  flag(
    CAPTURE,
    "write-matching",
    "",
    "with -w, and -t or --filter: write only the frames of requests that these let through",
  ),
  value(CAPTURE, "count", "c", "N", "", "stop after so many frames"),
  value(CAPTURE, "snaplen", "s", "BYTES", "65535", "captured bytes of a frame"),
  value(CAPTURE, "buffer-size", "B", "KIB", "65536", "the kernel's capture buffer"),
  flag(CAPTURE, "vlan", "", "widen the filter to VLAN-tagged frames, which a plain one does not match"),
  value(
    CAPTURE,
    "engine",
    "",
    "libpcap|cap",
    "libpcap",
    "how to capture; cap where the system's libpcap cannot be loaded",
  ),
  value(CAPTURE, "workers", "", "N", "1", "analyse on so many cores, each its part of the connections"),
  list(PROTOCOLS, "protocol", "p", "NAME[:PORT,…]", "auto", "what the connections speak; repeatable"),
  list(
    PROTOCOLS,
    "server",
    "",
    "HOST:PORT",
    "",
    "this endpoint is a server, for connections begun before the capture; repeatable",
  ),
  value(PROTOCOLS, "side", "", "auto|client|server", "auto", "the side this host is on"),
  value(
    PRINTING,
    "threshold",
    "t",
    "TIME",
    "",
    "print only transactions at least this slow: 10 is ms; 500us, 1.5ms, 2s",
  ),
  flag(PRINTING, "ascii", "A", "with -p raw: each packet's payload as ASCII below its line"),
  flag(PRINTING, "hex", "X", "with -p raw: each packet in hexadecimal and as ASCII below its line"),
  value(
    PRINTING,
    "filter",
    "",
    "EXPR",
    "",
    'print only transactions for which this is true: latency > 5ms and key =~ "^user:" and not error',
  ),
  flag(PRINTING, "json", "", "one JSON object a line instead of text"),
  flag(PRINTING, "quiet", "q", "print no transactions (daemon)"),
  flag(PRINTING, "details", "", "print the decoded fields of requests and responses, too, where the protocol has any"),
  flag(PRINTING, "show-values", "", "print the arguments after the key, too; passwords stay hidden"),
  list(PRINTING, "script", "S", "FILE", "", "run this script, .lua or .mjs, on what is captured; repeatable"),
  value(PRINTING, "http-path-depth", "", "N", "", "keep so many segments of an HTTP request's path"),
  value(
    PRINTING,
    "dump-slow",
    "",
    "DIR",
    "",
    "with -t: write each slow request's frames to a pcap file in this folder",
  ),
  value(
    PRINTING,
    "dump-slow-count",
    "",
    "N",
    "100",
    "with --dump-slow: at most so many files; those of the slowest stay",
  ),
  value(
    PRINTING,
    "dump-slow-buffer",
    "",
    "MIB",
    "64",
    "with --dump-slow or --write-matching: so much of what was captured last is at hand",
  ),
  value(
    PRINTING,
    "report",
    "o",
    "FILE",
    "",
    "at the end, write a page of HTML: heatmap, percentiles, the slowest, losses",
  ),
  value(PORTS, "stats-port", "P", "PORT", "33333", "the distribution as JSON, for telnet; 0 turns it off"),
  value(PORTS, "stats-host", "", "ADDR", "127.0.0.1", "the address the stats port listens on"),
  value(PORTS, "metrics-port", "", "PORT", "13333", "HTTP: /metrics, /stats, /healthz; 0 turns it off"),
  value(PORTS, "metrics-host", "", "ADDR", "127.0.0.1", "the address the metrics port listens on"),
  value(LIMITS, "idle-timeout", "", "TIME", "5m", "forget a connection that is idle so long with nothing pending"),
  value(LIMITS, "request-timeout", "", "TIME", "60s", "report a request as unanswered after so long"),
  value(LIMITS, "max-connections", "", "N", "100000", "beyond it the longest idle connection is evicted, and counted"),
  value(
    LIMITS,
    "max-cpu",
    "",
    "PERCENT",
    "",
    "above this share of one core analyse only a sample of the connections; a line says when",
  ),
  value(PROGRAM, "config", "", "FILE", "", "YAML with the same long names; the command line wins"),
  value(
    PROGRAM,
    "log-level",
    "",
    "LEVEL",
    "info",
    "the program's own log: trace, debug, info, warn, error or fatal; also TCPLAT_LOG",
  ),
  value(PROGRAM, "log-format", "", "text|json", "text", "how the program's own log is written to stderr"),
  flag(PROGRAM, "list-interfaces", "D", "list the interfaces and end", false),
  flag(PROGRAM, "n", "n", "accepted for tcpdump's users: names are never looked up", false),
  flag(PROGRAM, "l", "l", "accepted: lines are always flushed", false),
  flag(PROGRAM, "U", "U", "accepted: -w is always flushed", false),
  flag(PROGRAM, "version", "v", "print the versions and end", false),
  flag(PROGRAM, "help", "h", "print this and end", false),
].map((spec) => (NOT_IN_FILES.includes(spec.name) ? { ...spec, isConfigurable: false } : spec));

const byName = new Map(OPTION_TABLE.map((spec) => [spec.name, spec]));
const byShort = new Map(OPTION_TABLE.filter((spec) => spec.short !== "").map((spec) => [spec.short, spec]));

/** The option with this long name. A one-letter name that has no longer form (`n`) is none. */
export function findByName(name: string): OptionSpec | undefined {
  const spec = byName.get(name);
  return spec !== undefined && spec.name.length > 1 ? spec : undefined;
}

/** The option with this letter. */
export function findByShort(letter: string): OptionSpec | undefined {
  return byShort.get(letter);
}
