import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { eachBatch } from "../each-batch.ts";
import { TcplatError } from "../errors.ts";
import { openSource } from "../open-source.ts";
import type { RequestId } from "../options/explain.ts";
import type { Options } from "../options.ts";
import { Pipeline } from "../pipeline.ts";
import { idText } from "../transactions/names.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { TransactionCopy } from "../transactions/transaction-copy.ts";

/** A request that was looked for. */
export interface Finding {
  readonly request: TransactionCopy;
  /** What the file's reader warned of, or null. */
  readonly warning: string | null;
  /** What ended the file too early, or null: the request was told nevertheless. */
  readonly failure: TcplatError | null;
}

/** Runs a file through the pipeline, with the user's options, until this request has been told. Throws TcplatError: "usage" where there is none such. */
export async function find(options: Options, id: RequestId): Promise<Finding> {
  const source = await openSource(options);
  try {
    const seeker = new Seeker(id);
    // However quick it was, and whatever it waited on purpose: it is told.
    const pipeline = new Pipeline({ ...options, thresholdUs: null }, source, [seeker], () => ({}));
    const limit = options.count ?? Number.POSITIVE_INFINITY;
    const failure = await eachBatch(source, (batch, length) => {
      pipeline.consume(batch, length, limit - pipeline.frames);
      return seeker.found === null && pipeline.frames < limit;
    });
    if (seeker.found === null) pipeline.finish();
    if (seeker.found !== null) return { request: seeker.found, warning: source.warning, failure };
    if (failure !== null) throw failure;
    throw new TcplatError("usage", `${source.name} has no request ${idText(id)}: ${seeker.hint}`);
  } finally {
    source.close();
  }
}

/** Waits for one transaction, and remembers enough of the others to say which ones are near. */
class Seeker implements TransactionOutput {
  found: TransactionCopy | null = null;
  readonly #id: RequestId;
  #requests = 0;
  #lastConnection = 0;
  #lastRequest = 0;
  /** On the connection asked for: the nearest request numbers on both sides, 0 where there is none. */
  #below = 0;
  #above = 0;

  constructor(id: RequestId) {
    this.#id = id;
  }

  transaction(transaction: Transaction): void {
    if (this.found !== null) return;
    const { connectionId, requestNumber } = transaction;
    const wanted = this.#id;
    this.#requests++;
    if (connectionId > this.#lastConnection) this.#lastRequest = 0;
    this.#lastConnection = Math.max(this.#lastConnection, connectionId);
    if (connectionId === this.#lastConnection) this.#lastRequest = Math.max(this.#lastRequest, requestNumber);
    if (connectionId !== wanted.connectionId) return;
    if (requestNumber === wanted.requestNumber) this.found = TransactionCopy.of(transaction);
    else if (requestNumber < wanted.requestNumber) this.#below = Math.max(this.#below, requestNumber);
    else this.#above = this.#above === 0 ? requestNumber : Math.min(this.#above, requestNumber);
  }

  /** What there is instead, and why an id may not be found. */
  get hint(): string {
    const same =
      "ids hold as long as -p, --server, --side, --vlan, the limits and the filter are those of the run that printed it";
    if (this.#requests === 0) return `no request is found in it at all; give the same -p, --server, --vlan and filter`;
    const { connectionId } = this.#id;
    const near = [this.#below, this.#above].filter((n) => n > 0).map((n) => `${connectionId}-${n}`);
    if (near.length === 2) return `${near.join(" and ")} are the nearest (one without a reply has no record); ${same}`;
    if (this.#above > 0) return `${near[0]} is the first of that connection; ${same}`;
    if (near.length === 1) return `${near[0]} is the last of that connection; ${same}`;
    const last = idText({ connectionId: this.#lastConnection, requestNumber: this.#lastRequest });
    return `it has ${this.#requests} request${this.#requests === 1 ? "" : "s"}, the last connection's last is ${last}; ${same}`;
  }
}
