import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TcplatError } from "../errors.ts";
import { CLASS_NAMES } from "../protocols/protocol.ts";
import { FLAG_NAMES, TEXT_CAPACITY } from "../transactions/transaction.ts";
import type { Catalogue } from "./catalogue.ts";
import { plainName, plainText } from "./plain.ts";
import { emptyRecord, type RecordStore, type SideRecord } from "./record-store.ts";
import type { View } from "./view.ts";

const CHUNK_BYTES = 1 << 16;
/** A record has less than 4 KiB; only a summary is longer, with its counters of up to 200 servers. */
const MAX_LINE_BYTES = 1 << 24;
/** The event loop, and with it signals, get a turn so often. */
const TURN_LINES = 10_000;
const NEWLINE = 0x0a;
/** The time of a record: `2020-03-08T19:23:06.258761Z`. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/;
const SEQUENCE_END = 2 ** 32;
const MAX_US = 2 ** 53;

/** Reads a file of `tcplat --json`. Throws TcplatError "file" where it is none. */
export async function readRecords(name: string, catalogue: Catalogue, records: RecordStore): Promise<View> {
  const reader = new RecordReader(catalogue, records);
  let lines = 0;
  for (const line of linesOf(name)) {
    reader.line(line);
    if (++lines % TURN_LINES === 0) await nextTurn();
  }
  if (reader.transactions === 0 && reader.summary === null) {
    throw new TcplatError("file", `${name} holds no record of tcplat --json: name such a file, or a capture`);
  }
  if (reader.transactions > 0 && reader.transactions === reader.withoutSequence) {
    throw new TcplatError(
      "file",
      `${name} has no request_seq in its records: make it again with this version of tcplat`,
    );
  }
  return {
    name,
    records,
    firstUs: reader.firstUs,
    lastUs: reader.lastUs,
    unlisted: reader.unlisted,
    gaps: sumOf(reader.summary, "tcp_gaps"),
    unreadable: reader.unreadable,
    warning: null,
    failure: null,
  };
}

class RecordReader {
  transactions = 0;
  withoutSequence = 0;
  unreadable = 0;
  firstUs = Number.NaN;
  lastUs = Number.NaN;
  summary: Readonly<Record<string, unknown>> | null = null;
  readonly #catalogue: Catalogue;
  readonly #records: RecordStore;
  readonly #record = emptyRecord();

  constructor(catalogue: Catalogue, records: RecordStore) {
    this.#catalogue = catalogue;
    this.#records = records;
  }

  line(line: string | null): void {
    const given = line === null ? null : parseObject(line);
    if (given === null) this.unreadable++;
    else if (given.type === "summary") this.summary = given;
    else if (given.type === "transaction") this.#transaction(given);
  }

  /** How many requests the run saw and did not write here. */
  get unlisted(): number | null {
    if (this.summary === null) return null;
    const aside = sumOf(this.summary, "no_reply_requests") + sumOf(this.summary, "requests_in_flight");
    return Math.max(0, sumOf(this.summary, "requests") - aside - this.transactions);
  }

  #transaction(given: Readonly<Record<string, unknown>>): void {
    this.transactions++;
    if (given.request_seq === undefined) this.withoutSequence++;
    else if (this.#read(given)) {
      this.#records.add(this.#record);
      const { startUs, latencyUs } = this.#record;
      const endUs = Number.isNaN(latencyUs) ? startUs : startUs + latencyUs;
      if (!(startUs >= this.firstUs)) this.firstUs = startUs;
      if (!(endUs <= this.lastUs)) this.lastUs = endUs;
    } else this.unreadable++;
  }

  /** Whether everything that the join rests on is there, and can be. */
  #read(given: Readonly<Record<string, unknown>>): boolean {
    const record = this.#record;
    const { client, server, protocol, command, status, error, id } = given;
    const parts = partsOf(id);
    const startUs = timeOf(given.start);
    if (typeof client !== "string" || typeof server !== "string" || typeof command !== "string") return false;
    if (parts === null || Number.isNaN(startUs) || typeof status !== "string") return false;
    record.connectionId = Number(parts[1]);
    record.requestNumber = Number(parts[2]);
    record.pair = this.#catalogue.pairId(plainName(client), plainName(server));
    record.kind = this.#catalogue.kindId(plainName(`${protocol}`), plainName(command));
    record.outcome = this.#catalogue.outcomeId(plainName(status), plainName(`${error ?? ""}`));
    record.class = Math.max(0, CLASS_NAMES.indexOf(given.class as (typeof CLASS_NAMES)[number]));
    record.flags = flagsOf(given.flags);
    record.startUs = startUs;
    this.#readBehind(given.behind, record);
    record.text = plainText(typeof given.summary === "string" ? given.summary : command, 4 * TEXT_CAPACITY);
    return this.#readNumbers(given, record, status === "unanswered");
  }

  /** It explains, and nothing is joined by it: what is none is nobody. */
  #readBehind(given: unknown, record: SideRecord): void {
    const { id, command, us, elsewhere } = isObject(given) ? given : {};
    const parts = partsOf(id);
    const isThere = parts !== null && typeof command === "string" && command !== "" && !Number.isNaN(whole(us, MAX_US));
    record.behind = isThere ? this.#catalogue.behindId(plainName(command), elsewhere === true) : 0;
    record.behindConnectionId = isThere ? Number(parts[1]) : 0;
    record.behindRequestNumber = isThere ? Number(parts[2]) : 0;
    record.behindUs = isThere ? whole(us, MAX_US) : 0;
  }

  #readNumbers(given: Readonly<Record<string, unknown>>, record: SideRecord, isUnanswered: boolean): boolean {
    const duration = (value: unknown): number => (isUnanswered ? Number.NaN : whole(value, MAX_US));
    record.requestSequence = whole(given.request_seq, SEQUENCE_END);
    record.responseSequence = given.response_seq === null ? -1 : whole(given.response_seq, SEQUENCE_END);
    record.latencyUs = duration(given.latency_us);
    record.sendUs = duration(given.send_us);
    record.waitUs = duration(given.wait_us);
    record.receiveUs = duration(given.receive_us);
    // It explains, as `behind` does.
    record.retransmitUs = whole(given.retransmit_us, MAX_US) || 0;
    record.requestBytes = whole(given.request_bytes, MAX_US);
    record.responseBytes = whole(given.response_bytes, MAX_US);
    const { requestSequence, responseSequence, latencyUs, sendUs, waitUs, receiveUs, requestBytes } = record;
    if (Number.isNaN(requestSequence + responseSequence + requestBytes + record.responseBytes)) return false;
    return isUnanswered || latencyUs === sendUs + waitUs + receiveUs;
  }
}

/** The two parts of a record's id. */
function partsOf(id: unknown): RegExpExecArray | null {
  return typeof id === "string" ? /^(\d{1,15})-(\d{1,15})$/.exec(id) : null;
}

/** The value of a whole number from 0 to below `end`, else NaN. */
function whole(value: unknown, end: number): number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < end ? value : Number.NaN;
}

function timeOf(value: unknown): number {
  const parts = typeof value === "string" ? TIME.exec(value) : null;
  return parts === null ? Number.NaN : Date.parse(`${parts[1]}Z`) * 1000 + Number(parts[2]);
}

function flagsOf(value: unknown): number {
  if (!Array.isArray(value)) return 0;
  return FLAG_NAMES.reduce((flags, name, bit) => (value.includes(name) ? flags | (1 << bit) : flags), 0);
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A counter of a summary, all its label values added up. */
function sumOf(summary: Readonly<Record<string, unknown>> | null, name: string): number {
  let sum = 0;
  for (const [key, value] of Object.entries(summary ?? {})) {
    if (typeof value === "number" && (key === name || key.startsWith(`${name}.`))) sum += value;
  }
  return sum;
}

/** The lines of a file, without their ends; null for one that is too long to be ours. */
function* linesOf(name: string): Generator<string | null> {
  const descriptor = openSync(name, "r");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (): string | null => {
    const line = bytes > MAX_LINE_BYTES ? null : Buffer.concat(parts).toString();
    parts = [];
    bytes = 0;
    return line;
  };
  try {
    for (let read = readSync(descriptor, chunk); read > 0; read = readSync(descriptor, chunk)) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < read; end = chunk.indexOf(NEWLINE, start)) {
        bytes += end - start;
        parts.push(chunk.subarray(start, end));
        if (bytes > 0) yield take();
        start = end + 1;
      }
      bytes += read - start;
      if (bytes <= MAX_LINE_BYTES) parts.push(Buffer.from(chunk.subarray(start, read)));
    }
    if (bytes > 0) yield take();
  } finally {
    closeSync(descriptor);
  }
}
