import { CLASS_NAMES, NO_ERROR } from "../protocols/protocol.ts";
import { PROTOCOLS } from "../protocols/registry.ts";
import { commandName, errorName } from "../transactions/names.ts";
import { resentDirection } from "../transactions/resend.ts";
import { CAUSES, Shares, serverUs } from "../transactions/shares.ts";
import { type Connect, type Endpoint, SIDE_NAMES, type Transaction } from "../transactions/transaction.ts";

/** What a field is read from: a transaction, or a connection that was made (which lacks most fields). */
export interface Readers<Value> {
  readonly of: (transaction: Transaction) => Value;
  readonly ofConnect: (connect: Connect) => Value;
}

/**
 * A field of the JSON record, by what it can be compared with. Absent values: NaN of numbers, null of the others.
 * Durations in µs, times in µs since the epoch, texts as bytes (latin1).
 */
export type Field =
  | ({ readonly type: "duration" | "size" | "count" | "time" } & Readers<number>)
  | ({
      readonly type: "text";
      /** All there are, where these are known; and where case does not matter. */
      readonly values: readonly string[] | null;
      readonly ignoresCase: boolean;
    } & Readers<string | null>)
  | ({ readonly type: "endpoint" } & Readers<Endpoint>)
  | ({ readonly type: "flags" } & Readers<number>);

const NONE = (): number => Number.NaN;
const NULL = (): null => null;

function number(
  type: "duration" | "size" | "count" | "time",
  of: (transaction: Transaction) => number | null,
  ofConnect: (connect: Connect) => number | null = NONE,
): Field {
  return { type, of: (t) => of(t) ?? Number.NaN, ofConnect: (c) => ofConnect(c) ?? Number.NaN };
}

function text(
  of: (transaction: Transaction) => string | null,
  ofConnect: (connect: Connect) => string | null = NULL,
  values: readonly string[] | null = null,
): Field {
  return { type: "text", values, ignoresCase: false, of, ofConnect };
}

const shares = new Shares();

/** The times of a request without a response are null. */
function answered(of: (transaction: Transaction) => number | null): (transaction: Transaction) => number | null {
  return (transaction) => (transaction.unanswered === "" ? of(transaction) : null);
}

function command({ protocol, commandId }: Transaction): string {
  return commandName(protocol, commandId);
}

function error(transaction: Transaction): string | null {
  return transaction.unanswered !== "" ? transaction.unanswered : errorName(transaction);
}

function status({ unanswered, errorId }: Transaction): string {
  return unanswered !== "" ? "unanswered" : errorId === NO_ERROR ? "ok" : "error";
}

function bytes(of: Uint8Array, start: number, end: number): string {
  return Buffer.from(of.buffer, of.byteOffset + start, end - start).toString("latin1");
}

/** The fields by name: those of the record; of a time `NAME_us` is another name. */
export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  [
    "latency",
    number(
      "duration",
      answered((t) => t.latencyUs),
      (c) => c.latencyUs,
    ),
  ],
  [
    "send",
    number(
      "duration",
      answered((t) => t.sendUs),
    ),
  ],
  [
    "wait",
    number(
      "duration",
      answered((t) => t.waitUs),
    ),
  ],
  [
    "receive",
    number(
      "duration",
      answered((t) => t.receiveUs),
    ),
  ],
  [
    "queue",
    number(
      "duration",
      answered((t) => t.queueUs),
    ),
  ],
  [
    "retransmit",
    number(
      "duration",
      answered((t) => shares.split(t).retransmission),
    ),
  ],
  [
    "rtt",
    number(
      "duration",
      (t) => t.rttUs,
      (c) => c.rttUs,
    ),
  ],
  ["server_time", number("duration", answered(serverUs))],
  [
    "zero_window",
    number(
      "duration",
      answered((t) => t.zeroWindowUs),
    ),
  ],
  [
    "cause_time",
    number(
      "duration",
      answered((t) => shares.split(t).causeUs),
    ),
  ],
  ["request_bytes", number("size", (t) => t.requestBytes)],
  ["response_bytes", number("size", (t) => t.responseBytes)],
  ["request_seq", number("count", (t) => t.requestSequence)],
  ["response_seq", number("count", (t) => t.responseSequence)],
  ["syn_retransmissions", number("count", NONE, (c) => c.synRetransmissions)],
  [
    "start",
    number(
      "time",
      (t) => t.startUs,
      (c) => c.endUs - c.latencyUs,
    ),
  ],
  [
    "end",
    number(
      "time",
      answered((t) => t.endUs),
      (c) => c.endUs,
    ),
  ],
  [
    "type",
    text(
      () => "transaction",
      () => "connect",
      ["transaction", "connect"],
    ),
  ],
  [
    "protocol",
    text(
      (t) => t.protocol.name,
      (c) => c.protocol,
      [...PROTOCOLS.map(({ name }) => name), "tls"],
    ),
  ],
  ["class", text((t) => CLASS_NAMES[t.class]!, NULL, CLASS_NAMES)],
  [
    "side",
    text(
      (t) => t.side,
      (c) => c.side,
      SIDE_NAMES,
    ),
  ],
  ["command", { type: "text", values: null, ignoresCase: true, of: command, ofConnect: NULL }],
  ["key", text((t) => (t.keyStart === t.keyEnd ? null : bytes(t.text, t.keyStart, t.keyEnd)))],
  ["summary", text((t) => (t.textStart === t.textEnd ? command(t) : bytes(t.text, t.textStart, t.textEnd)))],
  ["status", text(status, NULL, ["ok", "error", "unanswered"])],
  ["error", text(error)],
  ["cause", text((t) => (t.unanswered === "" ? CAUSES[shares.split(t).causeId]! : "unknown"), NULL, CAUSES)],
  ["retransmission", text((t) => (t.resends === 0 ? null : resentDirection(t.resends)), NULL, ["request", "response"])],
  [
    "behind",
    {
      type: "text",
      values: null,
      ignoresCase: true,
      of: (t) => (t.behind === null ? null : commandName(t.protocol, t.behind.commandId)),
      ofConnect: NULL,
    },
  ],
  ["client", { type: "endpoint", of: (t) => t.client, ofConnect: (c) => c.client }],
  ["server", { type: "endpoint", of: (t) => t.serverEndpoint, ofConnect: (c) => c.serverEndpoint }],
  ["flags", { type: "flags", of: (t) => t.flags, ofConnect: () => 0 }],
]);

/** As the record spells them, where that is not the name and `_us`. */
const RECORD_NAMES: ReadonlyMap<string, string> = new Map([
  ["server_us", "server_time"],
  ["cause_us", "cause_time"],
]);

/** A field by its name here or in the record; `isInUs`: a number without a unit is in µs. Undefined for what is none. */
export function findField(name: string): { readonly field: Field; readonly isInUs: boolean } | undefined {
  const plain = FIELDS.get(name);
  if (plain !== undefined) return { field: plain, isInUs: false };
  const field = FIELDS.get(RECORD_NAMES.get(name) ?? name.replace(/_us$/, ""));
  return field?.type === "duration" ? { field, isInUs: true } : undefined;
}
