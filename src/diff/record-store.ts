/** Records kept of one side, at about 230 bytes each; what comes later is counted only. */
const MAX_RECORDS = 500_000;

/** Characters kept of one side's requests; later ones are shown by their command. */
const MAX_CHARACTERS = 1 << 26;
const FIRST_CAPACITY = 1024;
const COLUMNS = 21;

/** One request as one side saw it. Reused while reading: the store copies it. */
export interface SideRecord {
  /** Ids of the catalogue. */
  pair: number;
  kind: number;
  outcome: number;
  /** An index of CLASS_NAMES, and bits of `Flag`. */
  class: number;
  flags: number;
  /** TCP sequence numbers (u32) of the first bytes; the response's is -1 where none was seen to begin. */
  requestSequence: number;
  responseSequence: number;
  /** By this side's clock, µs since the epoch; all durations are NaN for an unanswered request. */
  startUs: number;
  latencyUs: number;
  sendUs: number;
  waitUs: number;
  receiveUs: number;
  /** What of the latency this side saw lost to segments sent again; 0 where it is not known. */
  retransmitUs: number;
  requestBytes: number;
  responseBytes: number;
  /** The record's `id`, in its two parts. */
  connectionId: number;
  requestNumber: number;
  /** Whom it waited for most: an id of the catalogue (0: nobody), that one's id in its two parts, and for how long. */
  behind: number;
  behindConnectionId: number;
  behindRequestNumber: number;
  behindUs: number;
  text: string;
}

/** Where the numbers of a record stand. */
const FIELDS = [
  "pair",
  "kind",
  "outcome",
  "class",
  "flags",
  "requestSequence",
  "responseSequence",
  "startUs",
  "latencyUs",
  "sendUs",
  "waitUs",
  "receiveUs",
  "retransmitUs",
  "requestBytes",
  "responseBytes",
  "connectionId",
  "requestNumber",
  "behind",
  "behindConnectionId",
  "behindRequestNumber",
  "behindUs",
] as const satisfies readonly (keyof SideRecord)[];

export type NumberField = (typeof FIELDS)[number];
const COLUMN = Object.fromEntries(FIELDS.map((field, column) => [field, column])) as Record<NumberField, number>;

/** What one side saw: its records in columns, since there may be half a million. */
export class RecordStore {
  count = 0;
  /** Records beyond the capacity. */
  refused = 0;
  readonly #capacity: number;
  readonly #texts: string[] = [];
  #characters = 0;
  #numbers = new Float64Array(FIRST_CAPACITY * COLUMNS);

  constructor(capacity = MAX_RECORDS) {
    this.#capacity = capacity;
  }

  add(record: SideRecord): void {
    if (this.count >= this.#capacity) {
      this.refused++;
      return;
    }
    let at = this.count++ * COLUMNS;
    if (at >= this.#numbers.length) {
      const numbers = new Float64Array(this.#numbers.length * 2);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    for (const field of FIELDS) this.#numbers[at++] = record[field];
    this.#characters += record.text.length;
    this.#texts.push(this.#characters > MAX_CHARACTERS ? "" : record.text);
  }

  get(index: number, field: NumberField): number {
    return this.#numbers[index * COLUMNS + COLUMN[field]]!;
  }

  /** What was asked, as printable ASCII; "" where there was no room to keep it. */
  text(index: number): string {
    return this.#texts[index] ?? "";
  }

  isAnswered(index: number): boolean {
    return !Number.isNaN(this.get(index, "latencyUs"));
  }

  /** When the first byte of the response was seen. */
  responseStartUs(index: number): number {
    return this.get(index, "startUs") + this.get(index, "sendUs") + this.get(index, "waitUs");
  }

  /** When the last byte of the response was seen; of an unanswered request, its own start. */
  endUs(index: number): number {
    const latencyUs = this.get(index, "latencyUs");
    return this.get(index, "startUs") + (Number.isNaN(latencyUs) ? 0 : latencyUs);
  }

  /** All indexes, ordered by these fields, the first being the most important. */
  ordered(...fields: readonly NumberField[]): Uint32Array {
    const indexes = Uint32Array.from({ length: this.count }, (_, index) => index);
    return indexes.sort((a, b) => {
      for (const field of fields) {
        const difference = this.get(a, field) - this.get(b, field);
        if (difference !== 0) return difference;
      }
      return a - b;
    });
  }
}

/** A record with nothing in it, to be filled again and again. */
export function emptyRecord(): SideRecord {
  const numbers = Object.fromEntries(FIELDS.map((field) => [field, 0])) as Record<NumberField, number>;
  return { ...numbers, text: "" };
}
