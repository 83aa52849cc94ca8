import { setImmediate as nextTurn } from "node:timers/promises";
import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";
import { TcplatError } from "../errors.ts";
import { openSource } from "../open-source.ts";
import type { Options } from "../options.ts";
import { Pipeline } from "../pipeline.ts";
import { NO_ERROR } from "../protocols/protocol.ts";
import { TEXT_CAPACITY, type Transaction } from "../transactions/transaction.ts";
import type { Catalogue } from "./catalogue.ts";
import { plainBytes } from "./plain.ts";
import { emptyRecord, type RecordStore, type SideRecord } from "./record-store.ts";
import type { View } from "./view.ts";

/** The event loop, and with it signals, get a turn so often. */
const TURN_MS = 20;

/** Runs a capture file through the pipeline, with the user's options, and keeps what it tells. Throws TcplatError. */
export async function readCapture(options: Options, catalogue: Catalogue, records: RecordStore): Promise<View> {
  const source = await openSource(options);
  try {
    // Whatever is slow is looked for later: the other side may have been quick.
    const pipeline = new Pipeline(
      { ...options, thresholdUs: null },
      source,
      [new Keeper(catalogue, records)],
      () => ({}),
    );
    const { firstUs, failure } = await consumeAll(pipeline, source);
    pipeline.finish();
    const gaps = pipeline.table.servers.all.reduce((sum, server) => sum + server.gaps, 0);
    return {
      name: source.name,
      records,
      firstUs,
      lastUs: Number.isNaN(firstUs) ? Number.NaN : pipeline.table.clockUs,
      unlisted: 0,
      gaps,
      unreadable: 0,
      warning: source.warning,
      failure,
    };
  } finally {
    source.close();
  }
}

/** What was read: from when, NaN where nothing was; and what ended it too early. */
interface Reading {
  readonly firstUs: number;
  readonly failure: TcplatError | null;
}

/** Takes all frames; those before a fault, too. */
async function consumeAll(pipeline: Pipeline, source: FrameSource): Promise<Reading> {
  let firstUs = Number.NaN;
  let turnAt = performance.now();
  for (;;) {
    let length: number;
    try {
      length = await source.read();
    } catch (error) {
      if (error instanceof TcplatError) return { firstUs, failure: error };
      throw error;
    }
    if (length === END_OF_FRAMES) return { firstUs, failure: null };
    if (length === 0) continue;
    let start = 0;
    if (Number.isNaN(firstUs)) {
      start = pipeline.consume(source.batch, length, 1);
      firstUs = pipeline.decoder.segment.timeUs;
    }
    pipeline.consume(source.batch, length, Number.POSITIVE_INFINITY, start);
    if (performance.now() - turnAt < TURN_MS) continue;
    await nextTurn();
    turnAt = performance.now();
  }
}

/** Copies each transaction into the store. */
class Keeper implements TransactionOutput {
  readonly #catalogue: Catalogue;
  readonly #records: RecordStore;
  readonly #record = emptyRecord();

  constructor(catalogue: Catalogue, records: RecordStore) {
    this.#catalogue = catalogue;
    this.#records = records;
  }

  transaction(transaction: Transaction): void {
    const record = this.#record;
    const { protocol } = transaction;
    record.pair = this.#catalogue.pairId(transaction.client.text, transaction.serverEndpoint.text);
    record.kind = this.#catalogue.kindId(protocol.name, protocol.commands[transaction.commandId] ?? "other");
    record.outcome = this.#outcome(transaction);
    record.class = transaction.class;
    record.flags = transaction.flags;
    record.requestSequence = transaction.requestSequence;
    record.responseSequence = transaction.responseSequence ?? -1;
    record.startUs = transaction.startUs;
    record.latencyUs = transaction.latencyUs;
    record.sendUs = transaction.sendUs;
    record.waitUs = transaction.waitUs;
    record.receiveUs = transaction.receiveUs;
    record.requestBytes = transaction.requestBytes;
    record.responseBytes = transaction.responseBytes;
    record.connectionId = transaction.connectionId;
    record.requestNumber = transaction.requestNumber;
    this.#noteBehind(transaction, record);
    record.text = textOf(transaction);
    this.#records.add(record);
  }

  #noteBehind({ behind, protocol }: Transaction, record: SideRecord): void {
    const command = behind === null ? "" : (protocol.commands[behind.commandId] ?? "other");
    record.behind = behind === null ? 0 : this.#catalogue.behindId(command, behind.isElsewhere);
    record.behindConnectionId = behind?.connectionId ?? 0;
    record.behindRequestNumber = behind?.requestNumber ?? 0;
    record.behindUs = behind?.us ?? 0;
  }

  #outcome(transaction: Transaction): number {
    const { unanswered, errorId, protocol } = transaction;
    if (unanswered !== "") return this.#catalogue.outcomeId("unanswered", unanswered);
    if (errorId === NO_ERROR) return this.#catalogue.outcomeId("ok", "");
    return this.#catalogue.outcomeId("error", protocol.errors[errorId] ?? "other");
  }
}

function textOf({ text, textStart, textEnd, protocol, commandId }: Transaction): string {
  if (textStart === textEnd) return protocol.commands[commandId] ?? "other";
  return plainBytes(text.subarray(textStart, Math.min(textEnd, textStart + TEXT_CAPACITY)));
}
