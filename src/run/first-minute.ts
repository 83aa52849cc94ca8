import { endpointText } from "../connection/address.ts";
import { escapeControls } from "../escape.ts";

/** How long a live capture may stay without a transaction before `hint` is asked. */
export const SILENCE_MS = 10_000;

/** What a run captures, with what, and where its numbers are. */
export interface StartView {
  /** The interface's or file's name as the user wrote it. */
  readonly source: string;
  readonly isLive: boolean;
  readonly engine: "libpcap" | "cap";
  readonly clock: "kernel" | "file" | "arrival";
  /** libpcap's own line about itself, or "" where it is not used. */
  readonly libpcapVersion: string;
  readonly filter: string;
  /** Where the stats port listens, or null. */
  readonly stats: ListenAddress | null;
  readonly metrics: ListenAddress | null;
}

/** An address and port tcplat listens on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const CLOCK_TEXT = { kernel: "kernel clock", file: "the file's clock", arrival: "times taken on arrival" } as const;

/** The one line at the start: what is captured where, with which engine and clock, and where to ask. Without `tcplat: `. */
export function startLine(view: StartView): string {
  const [version = ""] = /\d+(\.\d+)+/.exec(view.libpcapVersion) ?? [];
  // A plain capture file is read without any engine.
  const engine = version === "" && !view.isLive ? [] : [`${view.engine}${version === "" ? "" : ` ${version}`}`];
  const parts = [
    `${view.isLive ? "capturing on" : "reading"} ${view.source} (${[...engine, CLOCK_TEXT[view.clock]].join(", ")})`,
    view.filter === "" ? "no filter" : `filter "${view.filter}"`,
  ];
  if (view.stats !== null) parts.push(`stats on ${endpointText(view.stats.host, view.stats.port)}`);
  if (view.metrics !== null)
    parts.push(`metrics on http://${endpointText(view.metrics.host, view.metrics.port)}/metrics`);
  if (view.isLive) parts.push("Ctrl-C to stop");
  return escapeControls(parts.join(", "));
}

/** What was seen so far, for `hint`: counts since the start. */
export interface FirstMinuteView {
  /** The interface's or file's name as the user wrote it. */
  readonly source: string;
  readonly isLive: boolean;
  /** False while the interface is down. */
  readonly isUp: boolean;
  readonly filter: string;
  /** Whether `--vlan` is given. */
  readonly vlan: boolean;
  /** Frames that passed the filter. */
  readonly frames: number;
  /** Frames that the filter would take behind a VLAN tag, seen by a second look (`countTaggedFrames`); 0 where there was none. */
  readonly taggedFrames: number;
  /** Frames that are TCP segments, or UDP datagrams where a protocol that is spoken in them is asked for. */
  readonly decoded: number;
  /** Frames cut by the snaplen. */
  readonly truncated: number;
  /** Frames not used, by reason (SKIP_REASONS). */
  readonly skipped: Readonly<Record<string, number>>;
  /** Connections with a segment that was followed. */
  readonly connections: number;
  /** Of these: begun before the capture, so that pairing waits for a provable boundary. */
  readonly midstream: number;
  /** Of these: with segments in one direction, and not one in the other. */
  readonly oneSided: number;
  /** Of these: a reset answered their SYN. */
  readonly refused: number;
  /** Of these: nothing answered their SYN. */
  readonly unanswered: number;
  /** Of these: forgotten, for there were more than `--max-connections` at once. */
  readonly evicted: number;
  /** Of these: they begin with a TLS record. */
  readonly tls: number;
  /** Of these: their first bytes are no known or chosen protocol's. */
  readonly unknownProtocol: number;
  /** Pairs of endpoints that exchange UDP datagrams of none of the protocols asked for; they are no connections here. */
  readonly unknownUdp: number;
  /** Requests seen whole, answered or not. */
  readonly requests: number;
  /** Transactions that have ended, and requests and pushes that never become one. */
  readonly transactions: number;
  /** The `-p` names, for the remedy. */
  readonly protocols: readonly string[];
}

interface Finding {
  readonly holds: (view: FirstMinuteView) => boolean;
  readonly say: (view: FirstMinuteView) => string;
}

/** What is in tunnels is not read (README, Limits). */
const INSIDE = "capture on the interface inside it, or with -i any on a host at its end";

/** The first that holds is said: from the wire inwards, each supposes that those above do not hold. */
const FINDINGS: readonly Finding[] = [
  {
    holds: (view) => !view.isUp,
    say: (view) => `interface ${view.source} is down: sudo ip link set ${view.source} up`,
  },
  {
    holds: (view) => view.frames === 0 && view.taggedFrames > 0 && !view.vlan,
    say: (view) =>
      `${plural(view.taggedFrames, "frame")} behind VLAN tags and none without${matching(view)}: add --vlan, since a plain filter does not match them`,
  },
  {
    holds: (view) => view.frames === 0 && view.isLive && view.source === "lo",
    say: (view) =>
      `no frame at all on lo${matching(view)}: remote clients come in elsewhere, try -i any${orNoFilter(view)}`,
  },
  {
    holds: (view) => view.frames === 0 && view.isLive,
    say: (view) =>
      `no frame at all on ${view.source}${matching(view)}: ${
        view.source === "any" ? "check that there is traffic on this host" : "try -i any, or another of tcplat -D"
      }${orNoFilter(view)}`,
  },
  {
    holds: (view) => view.frames === 0,
    say: (view) =>
      `no frame in ${view.source}${matching(view)}: ${view.filter === "" ? "the file is empty" : "try without the filter"}`,
  },
  {
    holds: (view) => mostlySkipped("link_type", view),
    say: (view) =>
      `${plural(view.frames, "frame")} of a link type that is not read here (${view.isLive ? "Wi-Fi in monitor mode, USB" : "tcpdump -r names it"}): capture where frames are Ethernet, as on nearly all interfaces, or IP, or with -i any`,
  },
  {
    holds: (view) => mostlySkipped("cut_header", view),
    say: (view) =>
      `${plural(view.frames, "frame")} captured too short for ${view.frames === 1 ? "its" : "their"} headers: capture with -s 96 at least`,
  },
  {
    // Handshakes and acknowledgements are small enough to be whole.
    holds: (view) => (view.skipped.fragment ?? 0) * 2 >= view.frames,
    say: (view) =>
      `${plural(view.frames, "frame")}, mostly fragments of IP packets, which are not joined here: capture where packets are whole, or mend the MTU`,
  },
  {
    holds: (view) => view.decoded === 0,
    say: (view) =>
      `${plural(view.frames, "frame")} and no TCP segment among them: ${view.filter === "" ? 'try the filter "tcp"' : "another filter"}, or, if they are a tunnel's (VXLAN, GRE), ${INSIDE}`,
  },
  {
    holds: (view) => view.connections === 0 && view.unknownUdp > 0,
    say: (view) =>
      `${plural(view.unknownUdp, "exchange")} of UDP datagrams of no known protocol: name it with its port, as in -p dns:PORT, or filter for the server's port; if it is a tunnel (VXLAN, Geneve), ${INSIDE}`,
  },
  {
    holds: (view) => view.connections === 0,
    say: (view) =>
      `${plural(view.decoded, "TCP segment")} and none with data: the connections are idle, or only their ends were seen`,
  },
  {
    holds: (view) => mostly(view.tls, view),
    say: (view) =>
      `${share(view.tls, view)} encrypted (TLS), which cannot be read: capture behind the proxy that ends TLS, or use the server's plain port`,
  },
  {
    holds: (view) => mostly(view.refused, view),
    say: (view) =>
      `${share(view.refused, view)} refused (a reset answers the SYN): nothing listens on that port, or a firewall refuses it`,
  },
  {
    holds: (view) => mostly(view.unanswered, view),
    say: (view) =>
      `${share(view.unanswered, view)} not answered (nothing but the SYN is seen): the server's host is down, a firewall drops it, or the answers take another way`,
  },
  {
    // Before one direction only: what is evicted and speaks again is taken up anew, by one side.
    holds: (view) => mostly(view.evicted, view),
    say: (view) =>
      `${share(view.evicted, view)} evicted (more than --max-connections at once): a larger --max-connections, or a filter for fewer`,
  },
  {
    holds: (view) => mostly(view.oneSided, view),
    say: (view) =>
      `${share(view.oneSided, view)} seen in one direction only: capture where both pass (-i any, the mirror port's other half), and no "src" or "dst" in the filter`,
  },
  {
    // Of a dialogue whose messages are all cut, half of the frames are acknowledgements, which are not.
    holds: (view) => view.truncated * 4 >= view.decoded,
    say: (view) =>
      `${view.truncated} of ${plural(view.decoded, "frame")} cut by the snaplen, so that too little of their messages is seen: capture without -s`,
  },
  {
    holds: (view) => view.requests === 0 && mostly(view.unknownProtocol, view),
    say: (view) =>
      view.protocols.includes("auto")
        ? `${share(view.unknownProtocol, view)} of no known protocol: name it with its port, as in -p redis:PORT, or filter for the server's port`
        : `${share(view.unknownProtocol, view)} of no protocol that -p names (${view.protocols.join(", ")}): leave -p out to have it found, or name it with its port, as in -p ${view.protocols[0]}:PORT`,
  },
  {
    holds: (view) => view.requests > 0,
    say: (view) =>
      `${plural(view.requests, "request")} and no answer yet: the server is busy, or its answers take another way`,
  },
  {
    holds: (view) => view.midstream > 0,
    say: (view) =>
      `${share(view.midstream, view)} from before the capture: each is taken up where a request provably begins; reconnect a client to be quick, or name the server with --server HOST:PORT`,
  },
  {
    holds: () => true,
    say: (view) => `${plural(view.connections, "connection")} and no request yet: the clients are idle`,
  },
];

/**
 * What to try where no transaction came: one sentence with what was seen so far. Null where there were transactions, and nothing
 * needs saying.
 */
export function hint(view: FirstMinuteView): string | null {
  if (view.transactions > 0) return null;
  const finding = FINDINGS.find(({ holds }) => holds(view));
  return finding === undefined ? null : escapeControls(`no transaction so far; ${finding.say(view)}`);
}

function mostly(part: number, view: FirstMinuteView): boolean {
  return part > 0 && part * 2 >= view.connections;
}

function mostlySkipped(reason: string, view: FirstMinuteView): boolean {
  return view.decoded === 0 && (view.skipped[reason] ?? 0) * 2 >= view.frames;
}

function share(part: number, view: FirstMinuteView): string {
  return `${part} of ${plural(view.connections, "connection")} ${part === 1 ? "is" : "are"}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function matching(view: FirstMinuteView): string {
  return view.filter === "" ? "" : ` for the filter "${view.filter}"`;
}

function orNoFilter(view: FirstMinuteView): string {
  return view.filter === "" ? "" : ", or a wider filter";
}
