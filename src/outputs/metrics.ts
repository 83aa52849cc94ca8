import type { ParserSnapshot, ServiceSnapshot, Snapshot, TcpCounters } from "../aggregate/snapshot.ts";
import { CAUSES, type Cause } from "../transactions/shares.ts";
import { UNANSWERED_REASONS, UNMATCHED_REASONS } from "../transactions/transaction.ts";
import { COST_FAMILIES } from "./cost-metrics.ts";
import type { HistogramFamily, NumberFamily, Sample } from "./metric-families.ts";
import { SCRIPT_FAMILIES } from "./script-numbers.ts";

/** Every histogram, in the order of README's table. */
export const HISTOGRAM_FAMILIES: readonly HistogramFamily[] = [
  {
    name: "tcplat_request_duration_seconds",
    help: "From the first byte of a request to the last byte of its response.",
    type: "histogram",
    labelNames: ["protocol", "server", "command", "class"],
    samples: (snapshot) =>
      services(snapshot, (service, server) =>
        service.commands.flatMap((command) =>
          command.classes.map((of) => ({
            labels: [service.protocol, server, command.command, of.class],
            histogram: of.latency,
          })),
        ),
      ),
  },
  {
    name: "tcplat_response_wait_seconds",
    help: "From the last byte of a request to the first byte of its response, class normal.",
    type: "histogram",
    labelNames: ["protocol", "server"],
    samples: (snapshot) =>
      services(snapshot, (service, server) => [{ labels: [service.protocol, server], histogram: service.wait }]),
  },
  {
    name: "tcplat_round_trip_seconds",
    help: "Between the capture and the other end of a connection and back.",
    type: "histogram",
    labelNames: ["server"],
    samples: ({ servers }) => servers.map(({ server, roundTrip }) => ({ labels: [server.text], histogram: roundTrip })),
  },
  {
    name: "tcplat_connect_duration_seconds",
    help: "From the first SYN to the end of the handshake, SYNs sent again included.",
    type: "histogram",
    labelNames: ["server"],
    samples: ({ servers }) => servers.map(({ server, connect }) => ({ labels: [server.text], histogram: connect })),
  },
];

/** Every counter and gauge, in the order of README's table. */
export const NUMBER_FAMILIES: readonly NumberFamily[] = [
  {
    name: "tcplat_requests_total",
    help: "Requests seen.",
    type: "counter",
    labelNames: ["protocol", "server", "command"],
    samples: (snapshot) =>
      services(snapshot, (service, server) =>
        service.commands.map((command) => ({
          labels: [service.protocol, server, command.command],
          value: command.requests,
        })),
      ),
  },
  {
    name: "tcplat_responses_total",
    help: "Responses paired with a request.",
    type: "counter",
    labelNames: ["protocol", "server", "command", "status"],
    samples: (snapshot) => services(snapshot, responseSamples),
  },
  perService("tcplat_request_bytes_total", "Application bytes of requests.", (service) => service.requestBytes),
  perService(
    "tcplat_response_bytes_total",
    "Application bytes of responses paired with a request.",
    (service) => service.responseBytes,
  ),
  {
    name: "tcplat_error_responses_total",
    help: "Error responses by their first word.",
    type: "counter",
    labelNames: ["protocol", "server", "error"],
    samples: (snapshot) =>
      services(snapshot, (service, server) =>
        Object.entries(service.errors).map(([word, value]) => ({ labels: [service.protocol, server, word], value })),
      ),
  },
  perCause(
    "tcplat_slow_requests_total",
    "Requests of class normal at least as slow as the threshold, by what took most of their time.",
    (service) => service.slow,
    1,
  ),
  perCause(
    "tcplat_lost_seconds_total",
    "What requests of class normal spent their latency on.",
    (service) => service.lostUs,
    1e6,
  ),
  {
    ...perService("tcplat_requests_in_flight", "Requests waiting for their response.", (service) => service.pending),
    type: "gauge",
  },
  perProtocol("tcplat_no_reply_requests_total", "Requests that need no response.", (service) => service.noReply),
  perProtocol("tcplat_pushes_total", "Messages of a server that nobody asked for.", (service) => service.pushes),
  perProtocol("tcplat_push_bytes_total", "Application bytes of pushes.", (service) => service.pushBytes),
  perReason(
    "tcplat_unanswered_requests_total",
    "Requests that ended without a response.",
    UNANSWERED_REASONS,
    (service) => service.unanswered,
  ),
  perReason(
    "tcplat_unfinished_requests_total",
    "Requests of which the last bytes were never sent.",
    UNANSWERED_REASONS,
    (service) => service.unfinished,
  ),
  perReason(
    "tcplat_unmatched_responses_total",
    "Responses that belong to no request.",
    UNMATCHED_REASONS,
    (service) => service.unmatched,
  ),
  perProtocol(
    "tcplat_unmatched_response_bytes_total",
    "Application bytes of responses that belong to no request.",
    (service) => service.unmatchedBytes,
  ),
  {
    name: "tcplat_lookups_total",
    help: "Keys asked for, found or not.",
    type: "counter",
    labelNames: ["protocol", "result"],
    samples: (snapshot) => [
      ...overProtocols(snapshot, (service) => service.hits, "hit"),
      ...overProtocols(snapshot, (service) => service.misses, "miss"),
    ],
  },
  perTcpServer(
    "tcplat_tcp_retransmitted_segments_total",
    "TCP segments sent again.",
    (tcp) => tcp.retransmittedSegments,
  ),
  perTcpServer(
    "tcplat_tcp_out_of_order_segments_total",
    "TCP segments that came before an earlier one.",
    (tcp) => tcp.outOfOrderSegments,
  ),
  perTcpServer("tcplat_tcp_gaps_total", "Holes in a TCP stream that were never captured.", (tcp) => tcp.gaps),
  perTcpServer("tcplat_tcp_gap_bytes_total", "Bytes of a TCP stream that were never captured.", (tcp) => tcp.gapBytes),
  perTcpServer("tcplat_tcp_zero_windows_total", "TCP windows that closed.", (tcp) => tcp.zeroWindows),
  perInterface("tcplat_capture_frames_total", "Frames captured.", (snapshot) => snapshot.stages.capture.frames),
  perInterface(
    "tcplat_capture_decoded_frames_total",
    "Frames that were decoded; the others are skipped.",
    (snapshot) => snapshot.stages.capture.decoded,
  ),
  {
    name: "tcplat_capture_dropped_frames_total",
    help: "Frames that were lost before they could be read.",
    type: "counter",
    labelNames: ["interface", "by"],
    samples: ({ stages: { capture } }) =>
      (["kernel", "interface", "engine"] as const).map((by) => ({
        labels: [capture.interface, by],
        value: capture.dropped[by],
      })),
  },
  {
    name: "tcplat_capture_skipped_frames_total",
    help: "Frames that were not decoded, by reason.",
    type: "counter",
    labelNames: ["interface", "reason"],
    samples: ({ stages: { capture } }) =>
      Object.entries(capture.skipped).map(([reason, value]) => ({ labels: [capture.interface, reason], value })),
  },
  perInterface(
    "tcplat_capture_duplicate_frames_total",
    "Frames captured more than once, used once.",
    (snapshot) => snapshot.stages.capture.duplicates,
  ),
  perInterface(
    "tcplat_capture_truncated_frames_total",
    "Frames cut by the snaplen.",
    (snapshot) => snapshot.stages.capture.truncated,
  ),
  {
    name: "tcplat_capture_lag_seconds",
    help: "How far the last frames lay behind the clock when they were read.",
    type: "gauge",
    labelNames: ["interface"],
    samples: ({ stages: { capture } }) =>
      capture.lagUs === null ? [] : [{ labels: [capture.interface], value: capture.lagUs / 1e6 }],
  },
  {
    ...perInterface("tcplat_capture_up", "1 while frames can come.", (snapshot) =>
      snapshot.stages.capture.isUp ? 1 : 0,
    ),
    type: "gauge",
  },
  perInterface(
    "tcplat_clock_regressions_total",
    "Frames stamped before an earlier one.",
    (snapshot) => snapshot.stages.capture.clockRegressions,
  ),
  {
    name: "tcplat_connections",
    help: "Connections known now.",
    type: "gauge",
    labelNames: [],
    samples: (snapshot) => [{ labels: [], value: snapshot.stages.connections.now }],
  },
  {
    name: "tcplat_connections_total",
    help: "Connections seen, from their handshake on or not, and pairs of endpoints that exchange datagrams.",
    type: "counter",
    labelNames: ["origin"],
    samples: ({ stages }) => records(stages.connections.total),
  },
  {
    name: "tcplat_connections_evicted_total",
    help: "Connections forgotten because the table was full.",
    type: "counter",
    labelNames: [],
    samples: (snapshot) => [{ labels: [], value: snapshot.stages.connections.evicted }],
  },
  {
    name: "tcplat_connections_not_analysed_total",
    help: "Connections whose bytes are not parsed, by reason.",
    type: "counter",
    labelNames: ["reason"],
    samples: ({ stages }) => records(stages.connections.notAnalysed),
  },
  {
    name: "tcplat_parser_resyncs_total",
    help: "Pairing taken up again after it was lost.",
    type: "counter",
    labelNames: ["protocol"],
    samples: (snapshot) =>
      parsersOf(snapshot).map(([protocol, parser]) => ({ labels: [protocol], value: parser?.resyncs ?? 0 })),
  },
  {
    name: "tcplat_parser_errors_total",
    help: "Bytes that cannot be the protocol's, by reason.",
    type: "counter",
    labelNames: ["protocol", "reason"],
    samples: (snapshot) =>
      parsersOf(snapshot).flatMap(([protocol, parser]) =>
        Object.entries({ ...NO_PARSER_ERRORS, ...parser?.errors }).map(([reason, value]) => ({
          labels: [protocol, reason],
          value,
        })),
      ),
  },
  {
    name: "tcplat_records_dropped_total",
    help: "Records that were not written because nobody read them in time.",
    type: "counter",
    labelNames: ["output"],
    samples: ({ stages }) => records(stages.recordsDropped),
  },
  {
    name: "tcplat_filtered_total",
    help: "Records that were not written because the filter on transactions does not take them.",
    type: "counter",
    labelNames: [],
    samples: ({ stages }) => [{ labels: [], value: stages.filtered }],
  },
  {
    name: "tcplat_series_limited_total",
    help: "Label values that share a series because their number is limited.",
    type: "counter",
    labelNames: ["label"],
    samples: ({ seriesLimited }) => records(seriesLimited),
  },
  ...COST_FAMILIES,
  ...SCRIPT_FAMILIES,
];

/** The reasons there may be: a counter that begins with 1 has no increase that anybody could see (Prometheus, "Avoid missing metrics"). */
const NO_PARSER_ERRORS: Readonly<Record<string, number>> = { request: 0, response: 0, pending_limit: 0 };

/** The parsers of each protocol seen, undefined where nothing was ever amiss. */
function parsersOf({ servers, parsers }: Snapshot): (readonly [string, ParserSnapshot | undefined])[] {
  const seen = servers.flatMap((server) => server.services.map((service) => service.protocol));
  const protocols = new Set([...parsers.map((parser) => parser.protocol), ...seen]);
  return [...protocols].sort().map((name) => [name, parsers.find((parser) => parser.protocol === name)]);
}

function responseSamples(service: ServiceSnapshot, server: string): Sample[] {
  return service.commands
    .filter((command) => command.classes.length > 0)
    .flatMap((command) => {
      const labels = [service.protocol, server, command.command];
      let ok = 0;
      let errors = 0;
      for (const of of command.classes) {
        ok += of.ok;
        errors += of.errors;
      }
      return [
        { labels: [...labels, "ok"], value: ok },
        { labels: [...labels, "error"], value: errors },
      ];
    });
}

function services<T>(snapshot: Snapshot, read: (service: ServiceSnapshot, server: string) => T[]): T[] {
  return snapshot.servers.flatMap((of) => of.services.flatMap((service) => read(service, of.server.text)));
}

function records(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: [name], value }));
}

function perService(name: string, help: string, count: (service: ServiceSnapshot) => number): NumberFamily {
  const samples = (snapshot: Snapshot): Sample[] =>
    services(snapshot, (service, server) => [{ labels: [service.protocol, server], value: count(service) }]);
  return { name, help, type: "counter", labelNames: ["protocol", "server"], samples };
}

/** A count by what took most of the time; `unit` of them are one of the metric's. */
function perCause(
  name: string,
  help: string,
  counts: (service: ServiceSnapshot) => Readonly<Record<Cause, number>>,
  unit: number,
): NumberFamily {
  const samples = (snapshot: Snapshot): Sample[] =>
    services(snapshot, (service, server) =>
      CAUSES.map((cause) => ({ labels: [service.protocol, server, cause], value: counts(service)[cause] / unit })),
    );
  return { name, help, type: "counter", labelNames: ["protocol", "server", "cause"], samples };
}

function perProtocol(name: string, help: string, count: (service: ServiceSnapshot) => number): NumberFamily {
  const samples = (snapshot: Snapshot): Sample[] => overProtocols(snapshot, count);
  return { name, help, type: "counter", labelNames: ["protocol"], samples };
}

function perReason<Reason extends string>(
  name: string,
  help: string,
  reasons: readonly Reason[],
  counts: (service: ServiceSnapshot) => Readonly<Record<Reason, number>>,
): NumberFamily {
  const samples = (snapshot: Snapshot): Sample[] =>
    reasons.flatMap((reason) => overProtocols(snapshot, (service) => counts(service)[reason], reason));
  return { name, help, type: "counter", labelNames: ["protocol", "reason"], samples };
}

/** A count summed over a protocol's servers, for each protocol; `more` are further label values. */
function overProtocols(
  snapshot: Snapshot,
  count: (service: ServiceSnapshot) => number,
  ...more: readonly string[]
): Sample[] {
  const sums = new Map<string, number>();
  for (const { services: ofServer } of snapshot.servers) {
    for (const service of ofServer) sums.set(service.protocol, (sums.get(service.protocol) ?? 0) + count(service));
  }
  return Array.from(sums, ([protocol, value]) => ({ labels: [protocol, ...more], value }));
}

function perTcpServer(name: string, help: string, count: (tcp: TcpCounters) => number): NumberFamily {
  const samples = ({ stages }: Snapshot): Sample[] =>
    stages.tcp.map((tcp) => ({ labels: [tcp.server.text], value: count(tcp) }));
  return { name, help, type: "counter", labelNames: ["server"], samples };
}

function perInterface(name: string, help: string, count: (snapshot: Snapshot) => number): NumberFamily {
  const samples = (snapshot: Snapshot): Sample[] => [
    { labels: [snapshot.stages.capture.interface], value: count(snapshot) },
  ];
  return { name, help, type: "counter", labelNames: ["interface"], samples };
}
