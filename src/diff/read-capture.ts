import type { TransactionOutput } from "../aggregate/aggregate.ts";
import type { FrameSource } from "../capture/frame-source.ts";
import type { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import { requestText } from "../outputs/plain-text.ts";
import { Pipeline } from "../pipeline.ts";
import { eachBatch } from "../run/each-batch.ts";
import { openSource } from "../run/open-source.ts";
import { commandName, errorName } from "../transactions/names.ts";
import { Shares } from "../transactions/shares.ts";
import type { Transaction } from "../transactions/transaction.ts";
import type { Catalogue } from "./catalogue.ts";
import { emptyRecord, type RecordStore, type SideRecord } from "./record-store.ts";
import type { View } from "./view.ts";

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
  const failure = await eachBatch(source, (batch, length) => {
    let start = 0;
    if (Number.isNaN(firstUs)) {
      start = pipeline.consume(batch, length, 1);
      firstUs = pipeline.decoder.segment.timeUs;
    }
    pipeline.consume(batch, length, Number.POSITIVE_INFINITY, start);
    return true;
  });
  return { firstUs, failure };
}

/** Copies each transaction into the store. */
class Keeper implements TransactionOutput {
  readonly #catalogue: Catalogue;
  readonly #records: RecordStore;
  readonly #record = emptyRecord();
  readonly #shares = new Shares();

  constructor(catalogue: Catalogue, records: RecordStore) {
    this.#catalogue = catalogue;
    this.#records = records;
  }

  transaction(transaction: Transaction): void {
    const record = this.#record;
    const { protocol } = transaction;
    record.pair = this.#catalogue.pairId(transaction.client.text, transaction.serverEndpoint.text);
    record.kind = this.#catalogue.kindId(protocol.name, commandName(protocol, transaction.commandId));
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
    const isResent = transaction.unanswered === "" && transaction.resends !== 0;
    record.retransmitUs = isResent ? this.#shares.split(transaction).retransmission : 0;
    record.requestBytes = transaction.requestBytes;
    record.responseBytes = transaction.responseBytes;
    record.connectionId = transaction.connectionId;
    record.requestNumber = transaction.requestNumber;
    this.#noteBehind(transaction, record);
    record.text = requestText(transaction);
    this.#records.add(record);
  }

  #noteBehind({ behind, protocol }: Transaction, record: SideRecord): void {
    const command = behind === null ? "" : commandName(protocol, behind.commandId);
    record.behind = behind === null ? 0 : this.#catalogue.behindId(command, behind.client !== null);
    record.behindConnectionId = behind?.connectionId ?? 0;
    record.behindRequestNumber = behind?.requestNumber ?? 0;
    record.behindUs = behind?.us ?? 0;
  }

  #outcome(transaction: Transaction): number {
    const { unanswered } = transaction;
    if (unanswered !== "") return this.#catalogue.outcomeId("unanswered", unanswered);
    const error = errorName(transaction);
    return error === null ? this.#catalogue.outcomeId("ok", "") : this.#catalogue.outcomeId("error", error);
  }
}
