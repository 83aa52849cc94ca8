import { recordFormat } from "../outputs/record-format.ts";
import type { RecordFormat } from "../outputs/record-output.ts";
import type { Transaction } from "../transactions/transaction.ts";

const FIRST_BYTES = 65_536;

/** Transactions on their way to the scripts: the records of `--json`, a line each. */
export class ToldRecords {
  readonly #format: RecordFormat;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #at: number[] = [];

  constructor(hasDetails: boolean) {
    this.#format = recordFormat({ json: true, thresholdUs: null, details: hasDetails }, false);
  }

  /** `frame`: behind how many of the slice's frames it is told. */
  add(transaction: Transaction, frame: number): void {
    while (this.#bytes.length - this.#length < this.#format.capacity) this.#grow();
    this.#length = this.#format.put(transaction, this.#bytes, this.#length);
    this.#at.push(frame);
  }

  get count(): number {
    return this.#at.length;
  }

  /** A copy of all of them; then there are none. */
  take(): { readonly told: Uint8Array<ArrayBuffer>; readonly toldAt: readonly number[] } {
    const told = new Uint8Array(this.#length);
    told.set(this.#bytes.subarray(0, this.#length));
    const toldAt = this.#at;
    this.drop();
    return { told, toldAt };
  }

  drop(): void {
    this.#length = 0;
    this.#at = [];
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#bytes.length * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
