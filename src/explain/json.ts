import { TcpFlag } from "../decode/segment.ts";
import { JsonFormat } from "../outputs/json.ts";
import { requestText } from "../outputs/plain-text.ts";
import { RECORD_CAPACITY } from "../outputs/put.ts";
import { idText } from "../transactions/names.ts";
import type { TransactionCopy } from "../transactions/transaction-copy.ts";
import type { Account } from "./account.ts";
import { adviceOf } from "./advice.ts";
import type { Ranking } from "./find.ts";
import { causeOf } from "./ranking-text.ts";
import { isElision, type Rung } from "./steps.ts";

/** The whole account as one JSON object: the request's own record, of the type "explanation", and what explains it; with a ranking also what came next. */
export function explanationRecord(account: Account, ranking: Ranking | null): string {
  const { request, behind, phases, ladder, wholeUs: whole } = account;
  return `${JSON.stringify({
    ...recordOf(request),
    type: "explanation",
    waited_us: request.unanswered === "" ? null : whole,
    phases: phases.map(({ name, us, spans }) => ({
      name: name === "server" && request.toServerUs < 0 ? "server_or_network" : name,
      us,
      share: whole > 0 ? Math.round((us / whole) * 1e4) / 1e4 : null,
      spans: spans.map(({ fromUs, toUs }) => ({ from_us: Math.round(fromUs), to_us: Math.round(toUs) })),
    })),
    waited_for:
      behind === null
        ? null
        : {
            id: idText(behind),
            client: behind.client.text,
            summary: requestText(behind),
            from_us: behind.startUs - request.startUs,
            latency_us: behind.unanswered === "" ? behind.latencyUs : null,
          },
    segments: ladder.steps.map((step) =>
      isElision(step)
        ? {
            elided: step.elided,
            to_server_bytes: step.fromClientBytes,
            to_client_bytes: step.fromServerBytes,
            retransmissions: step.retransmissions,
          }
        : segmentRecord(step, request),
    ),
    duplicate_frames: ladder.duplicates,
    advice: adviceOf(account),
    ...(ranking !== null && { slowest_of: ranking.among, next_slowest: ranking.next.map(nextRecord) }),
  })}\n`;
}

function nextRecord(request: TransactionCopy): Record<string, unknown> {
  const { unanswered, latencyUs } = request;
  return {
    id: idText(request),
    latency_us: unanswered === "" ? latencyUs : null,
    waited_us: unanswered === "" ? null : request.waitedUs,
    cause: causeOf(request),
    summary: requestText(request),
  };
}

/** The fields of the `--json` record, by name. */
function recordOf(request: TransactionCopy): Record<string, unknown> {
  const buffer = Buffer.alloc(RECORD_CAPACITY);
  const end = new JsonFormat().put(request, buffer, 0);
  return JSON.parse(buffer.toString("latin1", 0, end)) as Record<string, unknown>;
}

function segmentRecord(rung: Rung, request: TransactionCopy): Record<string, unknown> {
  const first = rung.isFromClient ? request.requestSequence : request.responseSequence;
  return {
    at_us: rung.atUs,
    pause_us: rung.gapUs,
    from: rung.isFromClient ? "client" : "server",
    flags: Object.entries(TcpFlag).flatMap(([name, bit]) => ((rung.flags & bit) === 0 ? [] : [name])),
    bytes: rung.bytes,
    seq: rung.sequence,
    // From the message's first byte.
    relative_seq: first === null ? null : (rung.sequence - first) | 0,
    ack: rung.acknowledgement,
    window: rung.window,
    carries: rung.parts.map(({ what, from, to, of }) => (of === 0 ? { what } : { what, from, to, of })),
    acknowledges: rung.acknowledges,
    notes: rung.oddities,
  };
}
