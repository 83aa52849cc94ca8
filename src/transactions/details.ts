/** Kept of one message's fields: so many, and so many characters of all of them. */
const MAX_FIELDS = 128;
const MAX_CHARACTERS = 4096;
const MAX_VALUE_CHARACTERS = 512;

/** A field of a message: its name, and what it holds. Text is raw from the wire, a byte a character: escape it on output. */
export type Detail = readonly [name: string, value: string | number];

/** The fields of one message that a protocol tells of, in their order; beyond the limits they are counted. */
export class MessageDetails {
  readonly fields: Detail[] = [];
  /** Those that found no room, or not in full. */
  leftOut = 0;
  private characters = 0;

  add(name: string, value: string | number): void {
    const room = Math.min(MAX_CHARACTERS - this.characters - name.length, MAX_VALUE_CHARACTERS);
    if (this.fields.length >= MAX_FIELDS || room <= 0) {
      this.leftOut++;
      return;
    }
    const isCut = typeof value === "string" && value.length > room;
    if (isCut) this.leftOut++;
    const kept = isCut ? value.slice(0, room) : value;
    this.characters += name.length + (typeof kept === "string" ? kept.length : 16);
    this.fields.push([name, kept]);
  }
}

/** Both messages of a transaction; null where nothing was told of one. */
export interface Details {
  request: MessageDetails | null;
  response: MessageDetails | null;
}

/** The most bytes that both take in a record: every character escaped, each field with its name, quotes and brackets. */
export const DETAILS_CAPACITY = 2 * (5 * MAX_CHARACTERS + 8 * MAX_FIELDS) + 256;
