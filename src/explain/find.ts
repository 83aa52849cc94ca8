import type { TransactionOutput } from "../aggregate/aggregate.ts";
import { TcplatError } from "../errors.ts";
import { Slowest } from "../evidence/slowest.ts";
import type { RequestId } from "../options/explain.ts";
import type { Options } from "../options.ts";
import { Pipeline } from "../pipeline.ts";
import { TransactionClass } from "../protocols/protocol.ts";
import { eachBatch } from "../run/each-batch.ts";
import { openSource } from "../run/open-source.ts";
import { idText } from "../transactions/names.ts";
import type { Transaction } from "../transactions/transaction.ts";
import { TransactionCopy } from "../transactions/transaction-copy.ts";

/** A request that was looked for. */
export interface Finding {
  readonly request: TransactionCopy;
  /** Where the slowest was asked for: what came next, and of how many they are. */
  readonly ranking: Ranking | null;
  /** What the file's reader warned of, or null. */
  readonly warning: string | null;
  /** What ended the file too early, or null: the request was told nevertheless. */
  readonly failure: TcplatError | null;
}

/** The next slowest, and among how many. */
export interface Ranking {
  readonly next: readonly TransactionCopy[];
  readonly among: number;
}

/** Looks at every transaction of a file until it has seen enough. */
interface Seeker extends TransactionOutput {
  readonly isDone: boolean;
  readonly found: TransactionCopy | null;
  readonly ranking: Ranking | null;
  /** Why nothing was found. */
  readonly hint: string;
}

/**
 * Runs a file through the pipeline, with the user's options, until this request has been told; null looks for the slowest. Throws
 * TcplatError: "usage" where there is none such.
 */
export async function find(options: Options, id: RequestId | null): Promise<Finding> {
  const source = await openSource(options);
  try {
    const seeker: Seeker = id === null ? new SlowestSeeker() : new IdSeeker(id);
    // However quick it was, and whatever it waited on purpose: it is told.
    const pipeline = new Pipeline({ ...options, thresholdUs: null }, source, [seeker], () => ({}));
    const limit = options.count ?? Number.POSITIVE_INFINITY;
    const failure = await eachBatch(source, (batch, length) => {
      pipeline.consume(batch, length, limit - pipeline.frames);
      return !seeker.isDone && pipeline.frames < limit;
    });
    if (!seeker.isDone) pipeline.finish();
    const { found: request, ranking } = seeker;
    if (request !== null) return { request, ranking, warning: source.warning, failure };
    if (failure !== null) throw failure;
    throw new TcplatError("usage", `${source.name} has ${seeker.hint}`);
  } finally {
    source.close();
  }
}

/** So many are named beside the slowest. */
const NEXT = 5;
/** A request that had no response for one of these reasons has waited in vain; for others nobody knows. */
const IN_VAIN: readonly string[] = ["closed", "reset", "timeout"];

/** Keeps the slowest of those that did not wait on purpose. */
class SlowestSeeker implements Seeker {
  readonly isDone = false;
  private readonly slowest = new Slowest<{ name: string; latencyUs: number; copy: TransactionCopy }>(NEXT + 1);
  private among = 0;

  transaction(transaction: Transaction): void {
    const { unanswered } = transaction;
    if (transaction.class !== TransactionClass.normal) return;
    if (unanswered !== "" && !IN_VAIN.includes(unanswered)) return;
    this.among++;
    const latencyUs = tookUs(transaction);
    if (!this.slowest.wants(latencyUs)) return;
    const copy = TransactionCopy.of(transaction);
    this.slowest.add({ name: idText(copy), latencyUs, copy });
  }

  get found(): TransactionCopy | null {
    return this.ranked[0] ?? null;
  }

  get ranking(): Ranking {
    return { next: this.ranked.slice(1), among: this.among };
  }

  get hint(): string {
    return `no request of class normal: give the same -p, --server, --vlan and filter that find some, or the id of another (--json prints it)`;
  }

  /** The slowest first. */
  private get ranked(): TransactionCopy[] {
    return [...this.slowest].map(({ copy }) => copy).reverse();
  }
}

/** Waits for one transaction, and remembers enough of the others to say which ones are near. */
class IdSeeker implements Seeker {
  found: TransactionCopy | null = null;
  readonly ranking = null;
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

  get isDone(): boolean {
    return this.found !== null;
  }

  /** What there is instead, and why an id may not be found. */
  get hint(): string {
    return `no request ${idText(this.#id)}: ${this.instead}`;
  }

  private get instead(): string {
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

/** Its latency, or how long it waited in vain. In µs. */
export function tookUs({ unanswered, latencyUs, waitedUs }: Transaction): number {
  return unanswered === "" ? latencyUs : waitedUs;
}
