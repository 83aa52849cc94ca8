import { sum } from "../aggregate/counters.ts";
import type { ServiceSnapshot, Snapshot, TcpCounters } from "../aggregate/snapshot.ts";
import type { FLAG_NAMES } from "../transactions/transaction.ts";

/** What a counter means to somebody who sees it for the first time; native-notes/counters.md says more. */
export interface Loss {
  readonly group: string;
  readonly name: string;
  readonly meaning: string;
  /** What to do, "" for nothing. */
  readonly advice: string;
  /** Whether it makes all latencies of the run doubtful, or hides requests. */
  readonly isGrave: boolean;
}

/** A counter of the snapshot. */
interface CountedLoss extends Loss {
  readonly count: (snapshot: Snapshot) => number;
}

type Row = readonly [name: string, count: CountedLoss["count"], meaning: string, advice: string, isGrave?: boolean];

const tcp =
  (of: (server: TcpCounters) => number) =>
  ({ stages }: Snapshot): number =>
    stages.tcp.reduce((all, server) => all + of(server), 0);
const service =
  (of: (service: ServiceSnapshot) => number) =>
  ({ servers }: Snapshot): number =>
    servers.reduce((all, server) => all + server.services.reduce((sub, each) => sub + of(each), 0), 0);

const CAPTURE: readonly Row[] = [
  [
    "frames dropped by the kernel",
    (s) => s.stages.capture.dropped.kernel,
    "Frames that tcplat did not read in time. Requests are missing, and some are paired only after a pause.",
    "a narrower filter, -q, a larger -B, a smaller -s",
    true,
  ],
  [
    "frames dropped by the interface",
    (s) => s.stages.capture.dropped.interface,
    "Frames that the network card or its driver gave up before anybody could see them, of all its traffic.",
    "ethtool -S: the host is overloaded",
    true,
  ],
  [
    "frames dropped by the engine",
    (s) => s.stages.capture.dropped.engine,
    "The queue behind the engine cap was full.",
    "the default engine",
    true,
  ],
  [
    "holes in connections",
    tcp((t) => t.gaps),
    "Bytes that the receiver had and the capture did not. Inside a value they are skipped; elsewhere the open requests end as unanswered (gap).",
    "see the drops; without drops the capture point does not see all of the traffic",
    true,
  ],
  ["bytes in these holes", tcp((t) => t.gapBytes), "How much was not seen.", ""],
  [
    "truncated frames",
    (s) => s.stages.capture.truncated,
    "Cut by the snaplen: latencies are right, texts may lack their end.",
    "a larger -s, should the texts matter",
  ],
  [
    "frames captured twice",
    (s) => s.stages.capture.duplicates,
    "A bridge or a mirror port shows the same packet several times. It is used once.",
    "",
  ],
  [
    "frames skipped",
    (s) => sum(s.stages.capture.skipped),
    "Not TCP over IP, or not readable.",
    "a narrower filter, if there are many",
  ],
  [
    "clock regressions",
    (s) => s.stages.capture.clockRegressions,
    "Frames stamped before an earlier one: a few are usual on several cores; many mean that the clock was set back.",
    "",
  ],
  [
    "records not written",
    (s) => sum(s.stages.recordsDropped),
    "Lines that nobody read in time. This page counts them all the same.",
    "",
  ],
];

const NETWORK: readonly Row[] = [
  [
    "retransmitted segments",
    tcp((t) => t.retransmittedSegments),
    "Sent again after they had been seen here: lost between the capture and the receiver, or acknowledged too late.",
    "each may cost 200 ms and more; capture on both hosts to find the side that loses",
  ],
  [
    "segments out of order",
    tcp((t) => t.outOfOrderSegments),
    "Came before an earlier one: several paths, or a loss before the capture point.",
    "with retransmissions: loss; without: nothing",
  ],
  [
    "closed windows",
    tcp((t) => t.zeroWindows),
    "A receiver said “no more for now”: it reads too slowly.",
    "look at the side that closed its window, not at the network",
  ],
];

const CONNECTIONS: readonly Row[] = [
  [
    "encrypted connections (TLS)",
    (s) => s.stages.connections.notAnalysed.tls ?? 0,
    "They cannot be read.",
    "capture behind the proxy that ends TLS",
  ],
  [
    "connections of an unknown protocol",
    (s) => s.stages.connections.notAnalysed.unknown_protocol ?? 0,
    "Their first bytes are none of the protocols asked for.",
    "-p redis:PORT, or a narrower filter",
  ],
  [
    "connections of unknown roles",
    (s) => s.stages.connections.notAnalysed.unknown_roles ?? 0,
    "Nothing told the client from the server.",
    "--server HOST:PORT",
  ],
  [
    "connections outside the sample",
    (s) => s.stages.connections.notAnalysed.sampled ?? 0,
    "tcplat had reached --max-cpu, and analysed a part of the connections only.",
    "more --max-cpu, or a narrower filter",
    true,
  ],
  [
    "evicted connections",
    (s) => s.stages.connections.evicted,
    "Forgotten for want of room.",
    "a narrower filter or a larger --max-connections",
  ],
];

const UNANSWERED: readonly Row[] = [
  [
    "requests on a closed connection",
    service((s) => s.unanswered.closed),
    "The connection ended properly first: QUIT, SHUTDOWN, or a client that gave up.",
    "many: the client’s own time-out is shorter than the latency",
  ],
  [
    "requests on a reset connection",
    service((s) => s.unanswered.reset),
    "The connection was reset: a crash, a client that gave up, a firewall.",
    "look at both ends’ logs",
  ],
  [
    "requests timed out",
    service((s) => s.unanswered.timeout),
    "No response within --request-timeout.",
    "a stuck server, or responses that take another way",
  ],
  [
    "requests lost in a hole",
    service((s) => s.unanswered.gap),
    "The capture lost bytes, and nobody can tell which response is whose. The server may well have answered.",
    "see the drops",
  ],
  ["requests forgotten", service((s) => s.unanswered.evicted), "The connection was evicted.", ""],
  [
    "requests never sent whole",
    service((s) => sum(s.unfinished)),
    "Their connection ended before their last bytes came: in no other count.",
    "many: uploads that are refused, or a client that gives up",
  ],
  ["requests open at the end", service((s) => s.unanswered.end), "Still open when the capture ended.", ""],
];

const RESPONSES: readonly Row[] = [
  [
    "responses to nothing",
    service((s) => s.unmatched.no_request),
    "The request went by before the capture began.",
    "a few at the start: nothing",
  ],
  [
    "responses whose request was lost",
    service((s) => s.unmatched.gap),
    "The capture lost the request’s bytes.",
    "see the drops",
  ],
  [
    "responses too late",
    service((s) => s.unmatched.late),
    "The request had been given up as timed out.",
    "a longer --request-timeout",
  ],
  [
    "responses outside the sample",
    service((s) => s.unmatched.sampled),
    "Their connection left the sample of --max-cpu.",
    "",
  ],
  [
    "errors to noreply requests",
    service((s) => s.unmatched.noreply),
    "memcached answers errors all the same.",
    "look at the client’s requests",
  ],
  [
    "unreadable bytes",
    (s) => s.parsers.reduce((all, parser) => all + sum(parser.errors), 0),
    "Bytes that cannot be the protocol’s.",
    "another protocol on a port named with -p?",
  ],
  [
    "pairing taken up again",
    (s) => s.parsers.reduce((all, parser) => all + parser.resyncs, 0),
    "After a loss, at a place where a request provably begins. The requests in between are in no count.",
    "compare with the holes",
  ],
  [
    "series shared",
    (s) => s.seriesLimited.server + s.seriesLimited.command,
    "Servers or commands beyond the limit, counted as “other”.",
    "a narrower filter",
  ],
];

const rows = (group: string, of: readonly Row[]): CountedLoss[] =>
  of.map(([name, count, meaning, advice, isGrave = false]) => ({ group, name, count, meaning, advice, isGrave }));

/** Every loss that a snapshot counts, in the order shown. */
export const LOSSES: readonly CountedLoss[] = [
  ...rows("In the capture", CAPTURE),
  ...rows("On the network", NETWORK),
  ...rows("Connections not analysed", CONNECTIONS),
  ...rows("Requests without an answer", UNANSWERED),
  ...rows("Responses and parsing", RESPONSES),
];

/** By flag: what it says of a latency; null where it is no doubt, but an explanation. */
export const DOUBTS: Readonly<Record<(typeof FLAG_NAMES)[number], Pick<Loss, "meaning" | "advice"> | null>> = {
  pipelined: null,
  midstream: {
    meaning: "The connection is older than the capture; who is the server was not told by a handshake.",
    advice: "read as any other",
  },
  gap: {
    meaning: "Bytes inside were not captured; the announced length told where it ends.",
    advice: "start and end were seen",
  },
  out_of_order: { meaning: "Captured in another order than sent.", advice: "the latency is right" },
  retransmission: {
    meaning: "Some of its bytes were captured more than once.",
    advice: "the latency is right, and the loss is in it",
  },
  truncated: { meaning: "Cut by the snaplen.", advice: "the text may be incomplete, and an error may read as ok" },
  clock_skew: {
    meaning: "The response is stamped before its request.",
    advice: "it is in no percentile and not in the heatmap",
  },
  behind_blocking: {
    meaning: "Sent behind a blocking command on the same connection, for which it waited.",
    advice: "use a connection of its own for those",
  },
};
