import type { HeldRecord } from "./held-records.ts";
import type { Printed } from "./messages.ts";
import type { PrintFormat } from "./print-format.ts";

/** Where everything goes in the end: a RecordWriter. */
export interface Printer {
  put(bytes: Uint8Array): void;
}

/** A slice that has been handed to the scripts, or passed by them. */
export interface OrderedSlice {
  records: readonly HeldRecord[];
  /** Null as long as the scripts have not answered. */
  printed: Printed | null;
  readonly sentAtMs: number;
}

export const NOTHING_PRINTED: Printed = { bytes: new Uint8Array(0), marks: [] };

/** Puts what scripts print in order with the records: slice by slice, and in each by its places. */
export class PrintOrder {
  readonly #printer: Printer;
  readonly #format: PrintFormat;
  #slices: OrderedSlice[] = [];

  constructor(printer: Printer, format: PrintFormat) {
    this.#printer = printer;
    this.#format = format;
  }

  /** `printed`: null where the scripts will still answer. */
  add(records: readonly HeldRecord[], printed: Printed | null): OrderedSlice {
    const slice = { records, printed, sentAtMs: performance.now() };
    this.#slices.push(slice);
    return slice;
  }

  /** Writes the slices at the front that are answered. */
  settle(): void {
    let done = 0;
    for (; done < this.#slices.length; done++) {
      const { records, printed } = this.#slices[done]!;
      if (printed === null) break;
      this.#merge(records, printed);
    }
    if (done > 0) this.#slices = this.#slices.slice(done);
  }

  /** Scripts that are slow do not hold up records: those held since before `sinceMs` are written without them. */
  release(sinceMs: number): void {
    for (const slice of this.#slices) {
      if (slice.sentAtMs >= sinceMs) return;
      if (slice.printed !== null) continue;
      this.#merge(slice.records, NOTHING_PRINTED);
      slice.records = [];
    }
  }

  /** What was printed outside of any slice. */
  aside(printed: Printed): void {
    this.#merge([], printed);
  }

  /** No slice waits for an answer. */
  get isEmpty(): boolean {
    return this.#slices.length === 0;
  }

  #merge(records: readonly HeldRecord[], { bytes, marks }: Printed): void {
    const texts: { place: number; bytes: Uint8Array; isPrint: boolean }[] = [];
    for (const record of records) texts.push({ ...record, isPrint: false });
    for (let i = 0, from = 0; i < marks.length; i += 2) {
      texts.push({ place: marks[i]!, bytes: bytes.subarray(from, marks[i + 1]), isPrint: true });
      from = marks[i + 1]!;
    }
    // Stable: what has one place keeps its order.
    if (records.length > 0 || marks.length > 2) texts.sort((a, b) => a.place - b.place);
    for (const text of texts) this.#printer.put(text.isPrint ? this.#format(text.bytes) : text.bytes);
  }
}
