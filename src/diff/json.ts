import { utcTime } from "../outputs/plain-text.ts";
import { CLASS_NAMES } from "../protocols/protocol.ts";
import { flagNames, idText } from "../transactions/names.ts";
import type { Comparison, Side } from "./comparison.ts";
import type { RecordStore } from "./record-store.ts";
import type { Row } from "./rows.ts";
import type { Times, Totals } from "./totals.ts";
import { completeUntilUs, type View } from "./view.ts";

/** One request as an object on a line. */
export function requestRecord(comparison: Comparison, row: Row): string {
  const side: Side = row.client >= 0 ? "client" : "server";
  const { records } = comparison[side];
  const index = row[side];
  const { catalogue, join } = comparison;
  const kind = catalogue.kind(records.get(index, "kind"));
  const isBoth = row.client >= 0 && row.server >= 0;
  return `${JSON.stringify({
    type: "request",
    seen: isBoth ? "both" : side,
    why: isBoth ? null : comparison.reason(side, index),
    joined_by: isBoth ? (join.isTranslated[row.client] === 1 ? "sequence" : "connection") : null,
    ...kind,
    class: CLASS_NAMES[records.get(index, "class")] ?? "normal",
    ...catalogue.pair(records.get(index, "pair")),
    summary: comparison.text(side, index),
    start: utcTime(records.get(index, "startUs")),
    request_seq: records.get(index, "requestSequence"),
    ...timesOf(comparison, row, isBoth),
    at_client: atSide(comparison, "client", row.client),
    at_server: atSide(comparison, "server", row.server),
  })}\n`;
}

function timesOf(comparison: Comparison, row: Row, isBoth: boolean): Record<string, number | null> {
  const { client, server } = comparison;
  const pair = isBoth ? comparison.pair(row.client, row.server) : null;
  return {
    client_us: latencyOf(client.records, row.client),
    server_us: latencyOf(server.records, row.server),
    network_us: pair?.networkUs ?? null,
    there_us: pair?.thereUs ?? null,
    back_us: pair?.backUs ?? null,
  };
}

function latencyOf(records: RecordStore, index: number): number | null {
  return index >= 0 && records.isAnswered(index) ? records.get(index, "latencyUs") : null;
}

/** What is this side's alone. */
function atSide(comparison: Comparison, side: Side, index: number): Record<string, unknown> | null {
  if (index < 0) return null;
  const { records } = comparison[side];
  const isAnswered = records.isAnswered(index);
  const duration = (us: number): number | null => (isAnswered ? us : null);
  const [connectionId, requestNumber] = [records.get(index, "connectionId"), records.get(index, "requestNumber")];
  return {
    id: idText({ connectionId, requestNumber }),
    ...comparison.catalogue.pair(records.get(index, "pair")),
    ...comparison.catalogue.outcome(records.get(index, "outcome")),
    send_us: duration(records.get(index, "sendUs")),
    wait_us: duration(records.get(index, "waitUs")),
    receive_us: duration(records.get(index, "receiveUs")),
    retransmit_us: duration(records.get(index, "retransmitUs")),
    request_bytes: records.get(index, "requestBytes"),
    response_bytes: records.get(index, "responseBytes"),
    behind: behindOf(comparison, records, index),
    flags: flagNames(records.get(index, "flags")),
  };
}

/** As in the record. */
function behindOf({ catalogue }: Comparison, records: RecordStore, index: number): Record<string, unknown> | null {
  const behind = catalogue.behind(records.get(index, "behind"));
  if (behind === null) return null;
  return {
    id: `${records.get(index, "behindConnectionId")}-${records.get(index, "behindRequestNumber")}`,
    command: behind.command,
    us: records.get(index, "behindUs"),
    ...(behind.isElsewhere && { elsewhere: true }),
  };
}

/** The last line. */
export function summaryRecord(comparison: Comparison, totals: Totals): string {
  const { clock } = comparison.join;
  return `${JSON.stringify({
    type: "diff_summary",
    client: viewRecord(comparison, "client"),
    server: viewRecord(comparison, "server"),
    clock: clock && {
      offset_us: Math.round(clock.offsetUs),
      uncertainty_us: Math.ceil(clock.uncertaintyUs),
      drift_ppm: Math.round(clock.driftPpm * 1000) / 1000,
      is_steady: clock.isSteady,
      at: utcTime(Math.round(clock.referenceUs)),
      samples: clock.samples,
    },
    joined: totals.joined,
    joined_by_sequence: totals.translated,
    answered_only_at_client: totals.answeredOnce.client,
    answered_only_at_server: totals.answeredOnce.server,
    server_above_client: totals.inverted,
    only_client: totals.only.client,
    only_server: totals.only.server,
    rows: totals.rows.map(({ server, command, class: of, requests, clientLatency, serverLatency, network }) => ({
      server,
      command: command === "" ? null : command,
      class: of,
      requests,
      client_latency: timesRecord(clientLatency),
      server_latency: timesRecord(serverLatency),
      network: timesRecord(network),
    })),
  })}\n`;
}

function timesRecord({ p50, p99, max, sum }: Times): Record<string, number> {
  return { p50_us: p50, p99_us: p99, max_us: max, sum_us: sum };
}

function viewRecord(comparison: Comparison, side: Side): Record<string, unknown> {
  const view: View = comparison[side];
  return {
    file: view.name,
    requests: view.records.count,
    refused: view.records.refused,
    unlisted: view.unlisted,
    unreadable_lines: view.unreadable,
    connections: comparison.connections(side),
    gaps: view.gaps,
    first: utcTime(view.firstUs),
    last: utcTime(completeUntilUs(view)),
  };
}
