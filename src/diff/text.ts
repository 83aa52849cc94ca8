import { escapeControls } from "../escape.ts";
import { localTime, milliseconds } from "../outputs/plain-text.ts";
import { CLASS_NAMES, TransactionClass } from "../protocols/protocol.ts";
import { flagNames } from "../transactions/names.ts";
import { Flag } from "../transactions/transaction.ts";
import { type Comparison, ONE_SIDED_REASONS, type OneSidedReason, type Pair, type Side } from "./comparison.ts";
import type { Row } from "./rows.ts";

/** A part of a time is worth a word from here on, when it is also at least a tenth of the whole. */
const NOTABLE_US = 100;
const TIME_WIDTH = 8;
const OTHER: Record<Side, Side> = { client: "server", server: "client" };

/** Why a request stands on one side only, behind "not seen at the server: ". */
const REASON_TEXTS: Record<OneSidedReason, string> = {
  outside: "outside its time",
  unlisted: "its file holds only some of its requests",
  connection: "its connection is not in it",
  rewritten: "its sequence numbers are rewritten on the way",
  missing: "lost, its connection is there",
};

/** Writes requests as lines. */
export class RequestText {
  readonly #comparison: Comparison;

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  /** `2026-11-21 00:55:59.673375 192.168.0.1:33174 => 192.168.0.2:6379 | client 9.441, server 9.1, network 0.3 ms | GET big`. */
  line(row: Row): string {
    const side: Side = row.client >= 0 ? "client" : "server";
    const { records } = this.#comparison[side];
    const index = row[side];
    const { client, server } = this.#comparison.catalogue.pair(records.get(index, "pair"));
    const head = `${localTime(records.endUs(index))} ${client} => ${server}`;
    const isBoth = row.client >= 0 && row.server >= 0;
    const pair = isBoth ? this.#comparison.pair(row.client, row.server) : null;
    const times = pair === null ? this.#alone(side, index) : this.#together(pair);
    const notes = pair === null ? this.#notes(side, index) : this.#pairNotes(pair);
    return `${head} | ${times} | ${this.#comparison.text(side, index)}${notes.length === 0 ? "" : ` | ${notes.join("; ")}`}\n`;
  }

  #together(pair: Pair): string {
    const parts = [`client ${this.#latency("client", pair.client)}`, `server ${this.#latency("server", pair.server)}`];
    if (pair.networkUs !== null) parts.push(`network ${aligned(pair.networkUs)}`);
    return `${parts.join(", ")} ms`;
  }

  #alone(side: Side, index: number): string {
    const why = REASON_TEXTS[this.#comparison.reason(side, index)];
    return `${side} ${this.#latency(side, index)} ms, not seen at the ${OTHER[side]}: ${why}`;
  }

  #latency(side: Side, index: number): string {
    const { records } = this.#comparison[side];
    if (records.isAnswered(index)) return aligned(records.get(index, "latencyUs"));
    return `unanswered (${this.#comparison.catalogue.outcome(records.get(index, "outcome")).error})`;
  }

  #pairNotes({ client, server, networkUs, thereUs, backUs }: Pair): string[] {
    const notes = this.#notes("client", client, this.#comparison.server.records.get(server, "flags"));
    if (networkUs === null) return notes;
    notes.push(...this.#behindNotes(client, server));
    const uncertaintyUs = this.#comparison.join.clock?.uncertaintyUs ?? Number.POSITIVE_INFINITY;
    const clientUs = this.#comparison.client.records.get(client, "latencyUs");
    if (thereUs !== null && backUs !== null && isNotable(networkUs, clientUs)) {
      const isClear =
        Math.abs(thereUs - backUs) > 2 * uncertaintyUs && isNotable(Math.abs(thereUs - backUs), networkUs);
      if (isClear) notes.push(`there ${tenths(thereUs)}, back ${tenths(backUs)} ms`);
    }
    const { records } = this.#comparison.server;
    const serverUs = records.get(server, "latencyUs");
    const [sendUs, waitUs, receiveUs] = (["sendUs", "waitUs", "receiveUs"] as const).map((f) => records.get(server, f));
    if (isNotable(sendUs! + receiveUs!, serverUs) && isNotable(serverUs, clientUs))
      notes.push(`server: send ${tenths(sendUs!)}, wait ${tenths(waitUs!)}, receive ${tenths(receiveUs!)} ms`);
    const resentUs = records.get(server, "retransmitUs");
    if (isNotable(resentUs, serverUs) && isNotable(serverUs, clientUs))
      notes.push(`server: retransmission ${tenths(resentUs)} ms`);
    if (this.#comparison.join.isTranslated[client] === 1) {
      const seen = this.#comparison.catalogue.pair(records.get(server, "pair"));
      notes.push(`at the server ${seen.client} => ${seen.server}`);
    }
    return notes;
  }

  /** `behind KEYS 120.1 ms`: as the server's host saw it, which knows nothing of the way; else as the client's did, where the server took so long. */
  #behindNotes(client: number, server: number): string[] {
    const serverUs = this.#comparison.server.records.get(server, "latencyUs");
    for (const [side, index] of [
      ["server", server],
      ["client", client],
    ] as const) {
      const { records } = this.#comparison[side];
      const us = records.get(index, "behindUs");
      const behind = this.#comparison.catalogue.behind(records.get(index, "behind"));
      // Requests that the way held up together end together: seen from the client, one waited for the other.
      if (isNotable(us - serverUs, us)) continue;
      if (behind !== null && isNotable(us, records.get(index, "latencyUs")))
        return [`behind ${behind.command} ${tenths(us)} ms`];
    }
    return [];
  }

  /** Class, error and flags; `more` are the other side's flags. */
  #notes(side: Side, index: number, more = 0): string[] {
    const { records } = this.#comparison[side];
    const notes: string[] = [];
    const of = records.get(index, "class");
    if (of !== TransactionClass.normal) notes.push(CLASS_NAMES[of] ?? "");
    const { status, error } = this.#comparison.catalogue.outcome(records.get(index, "outcome"));
    if (status === "error") notes.push(`error ${error}`);
    const flags = (records.get(index, "flags") | more) & ~Flag.midstream;
    return [...notes, ...flagNames(flags).map((name) => name.replaceAll("_", " "))];
  }
}

function isNotable(partUs: number, wholeUs: number): boolean {
  return partUs >= NOTABLE_US && partUs * 10 >= wholeUs;
}

/** Milliseconds with three decimals, so wide that lines stand below each other. */
function aligned(us: number): string {
  return milliseconds(us).padStart(TIME_WIDTH);
}

function tenths(us: number): string {
  return (us / 1000).toFixed(1);
}

/** `3 outside its time, 2 lost, its connection is there`. */
export function reasonsText(counts: Record<OneSidedReason, number>): string {
  const parts = ONE_SIDED_REASONS.filter((reason) => counts[reason] > 0);
  return parts.map((reason) => `${counts[reason]} ${SUMMARY_TEXTS[reason]}`).join("; ");
}

/** The same reasons as the summary counts them, of several requests. */
const SUMMARY_TEXTS: Record<OneSidedReason, string> = {
  outside: "before or after what the other holds",
  unlisted: "perhaps not in the other's file, which holds only some of its requests",
  connection: "of connections that the other does not have (another way, a filter, a proxy)",
  rewritten: "of connections whose sequence numbers are rewritten between the hosts",
  missing: "lost on the way or in the other's capture: their connections are there",
};

/** A file's name, as it can stand on a line. */
export function fileText(name: string): string {
  return escapeControls(name);
}
