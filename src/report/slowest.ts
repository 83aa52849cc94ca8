import { requestText } from "../outputs/plain-text.ts";
import { CLASS_NAMES } from "../protocols/protocol.ts";
import { flagNames, idText, statusText } from "../transactions/names.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { Verdict } from "./verdict.ts";

/** A transaction as the report shows it: plain data that outlives the record. Times in µs; texts are printable ASCII, not yet HTML. */
export interface SlowRequest {
  /** `connection-request`, as in the JSON record. */
  readonly id: string;
  readonly protocol: string;
  readonly class: string;
  readonly client: string;
  readonly server: string;
  /** What the line shows of the request: passwords redacted, bytes outside printable ASCII as `\xNN`. */
  readonly text: string;
  /** `ok`, `error WRONGTYPE` or `unanswered (timeout)`. */
  readonly status: string;
  readonly flags: readonly string[];
  readonly retransmissions: number;
  /** When the response ended, or the request was given up. */
  readonly endUs: number;
  /** Its latency, or how long it had waited in vain. */
  readonly latencyUs: number;
  /** 0 where it was not answered, as the next ones. */
  readonly sendUs: number;
  /** Includes `queueUs`. */
  readonly waitUs: number;
  readonly receiveUs: number;
  readonly queueUs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly verdict: Verdict | null;
}

/** Copies what is shown of a transaction out of the reused record. */
export function slowRequest(of: Transaction, verdict: Verdict | null): SlowRequest {
  const isAnswered = of.unanswered === "";
  const time = (us: number): number => (isAnswered ? us : 0);
  return {
    id: idText(of),
    protocol: of.protocol.name,
    class: CLASS_NAMES[of.class],
    client: of.client.text,
    server: of.serverEndpoint.text,
    text: requestText(of),
    status: statusText(of),
    flags: flagNames(of.flags),
    retransmissions: of.retransmissions,
    endUs: isAnswered ? of.endUs : of.startUs + of.waitedUs,
    latencyUs: isAnswered ? of.latencyUs : of.waitedUs,
    sendUs: time(of.sendUs),
    waitUs: time(of.waitUs),
    receiveUs: time(of.receiveUs),
    queueUs: time(of.queueUs),
    requestBytes: of.requestBytes,
    responseBytes: of.responseBytes,
    verdict: isAnswered ? verdict : null,
  };
}

/** Puts a request into a list of at most `capacity`, slowest first; of equal ones the earlier told stands first. */
export function admit(list: SlowRequest[], capacity: number, request: SlowRequest): void {
  if (request.latencyUs <= floorUs(list, capacity)) return;
  let low = 0;
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.latencyUs >= request.latencyUs) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, request);
  if (list.length > capacity) list.pop();
}

/** A request must be longer than this to be admitted. */
export function floorUs(list: readonly SlowRequest[], capacity: number): number {
  return list.length < capacity ? -1 : list[list.length - 1]!.latencyUs;
}
