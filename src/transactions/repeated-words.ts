import { writeWords } from "./write-words.ts";

/** Bytes kept of requests that share an entry, and for how many entries at once: 2 MB. */
const ROOM = 4096;
const MAX_KEPT = 512;
/** Fields of what is kept, in `places`: where, within one request, its words stand. */
const PLACES = 4;

/**
 * The words of requests that share an entry (`PendingQueue.repeatLast`), as their bytes came: most are answered soon, and nobody asks for
 * their words.
 */
export class RepeatedWords {
  private readonly bytes: Uint8Array[] = [];
  private readonly places: number[] = [];
  /** Where the bytes stand in the client's stream. */
  private readonly offsets: number[] = [];
  private readonly free: number[] = [];

  /** So many requests of this length can be kept at once; 0 where it would not pay, or others take up all room. */
  roomFor(length: number): number {
    return this.free.length === 0 && this.bytes.length === MAX_KEPT ? 0 : Math.floor(ROOM / length);
  }

  /**
   * Keeps bytes[from, to), requests whose words stand where those of the one at `from` do (as in `Exchange.request`), and which stand at
   * `offset` in their stream: no more than there is room for. Returns by what they are found.
   */
  keep(
    bytes: Uint8Array,
    from: number,
    to: number,
    offset: number,
    nameStart: number,
    nameEnd: number,
    keyStart: number,
    keyEnd: number,
  ): number {
    const kept = this.free.pop() ?? this.bytes.push(new Uint8Array(ROOM)) - 1;
    this.bytes[kept]!.set(bytes.subarray(from, to));
    this.offsets[kept] = offset;
    const place = kept * PLACES;
    this.places[place] = nameStart - from;
    this.places[place + 1] = nameEnd - from;
    this.places[place + 2] = keyStart === 0 ? 0 : keyStart - from;
    this.places[place + 3] = keyEnd - from;
    return kept;
  }

  /** Writes the words of the request that stands at `offset`, as `writeWords`. */
  write(kept: number, offset: number, text: Uint8Array, entry: number): number {
    const at = offset - this.offsets[kept]!;
    const place = kept * PLACES;
    const keyStart = this.places[place + 2]!;
    return writeWords(
      text,
      entry,
      this.bytes[kept]!,
      at + this.places[place]!,
      at + this.places[place + 1]!,
      keyStart === 0 ? 0 : at + keyStart,
      at + this.places[place + 3]!,
    );
  }

  release(kept: number): void {
    this.free.push(kept);
  }

  /** For how many entries words are kept. */
  get used(): number {
    return this.bytes.length - this.free.length;
  }
}
