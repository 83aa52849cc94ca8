import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import { Decoder } from "../decode/decoder.ts";

/** One for each value of two ports, combined by XOR: both directions of a connection share one. */
const CHAINS = 65_536;
/** No frame with TCP or UDP in it takes less, its record header included: IPv4 and UDP without a link header. */
const LEAST_BYTES = RECORD_HEADER_BYTES + 28;
const NONE = -1;

/**
 * The last frames of a capture, as records (frame-source.ts) in one buffer that is written round and round. Those with a TCP
 * segment are linked, each to the one before it with the same pair of ports: nothing is kept for a connection, so that any
 * number of them fits. A batch is copied as a whole; finding its segments anew costs what decoding does.
 *
 * Positions and record numbers count from the beginning, and never back: what was overwritten is known by them.
 */
export class FrameRing {
  /** The records; `chain` tells where. */
  readonly bytes: Uint8Array;
  readonly #size: number;
  readonly #decoder: Decoder;
  readonly #slots: number;
  /** By record number modulo #slots: where its record is, and the number of the one before it in its chain. */
  readonly #positions: Float64Array;
  readonly #previous: Float64Array;
  readonly #newest = new Float64Array(CHAINS).fill(NONE);
  /** Records before this number have left. */
  #first = 0;
  /** Where the next record goes, and its number. */
  #position = 0;
  #number = 0;
  /** #number modulo #slots: that of a double costs as much as all else here. */
  #slot = 0;

  /** `size` in bytes; the index takes up to two fifths more. `linkType`: a LINKTYPE_ value. */
  constructor(size: number, linkType: number) {
    this.bytes = new Uint8Array(size);
    this.#size = size;
    this.#decoder = new Decoder(linkType, true);
    this.#slots = Math.ceil(size / LEAST_BYTES);
    this.#positions = new Float64Array(this.#slots);
    this.#previous = new Float64Array(this.#slots);
  }

  /** Takes the whole records in batch[start, end), in place of the oldest ones. */
  keep(batch: Uint8Array, start: number, end: number): void {
    const length = end - start;
    // Only frames of megabytes, which hold no TCP: the ring takes many slices of a batch.
    if (length > this.#size) return;
    // Never across the end: whoever reads a record finds it in one piece.
    const room = this.#size - (this.#position % this.#size);
    if (length > room) this.#position += room;
    this.bytes.set(batch.subarray(start, end), this.#position % this.#size);
    const base = this.#position - start;
    this.#position += length;
    const decoder = this.#decoder;
    const { segment } = decoder;
    for (let at = start; at < end; at = decoder.next) {
      if (decoder.decode(batch, at)) this.#link(base + at, segment.sourcePort ^ segment.destinationPort);
    }
  }

  /**
   * Lets records leave, from the oldest on, while `mayGo` says so of where in `bytes` one is, `isOverwritten` by `length` more bytes or not.
   * `chain` shows them no more.
   */
  release(length: number, mayGo: (at: number, isOverwritten: boolean) => boolean): void {
    const room = this.#size - (this.#position % this.#size);
    const oldest = this.#position + (length > room ? room : 0) + length - this.#size;
    for (; this.#first < this.#number; this.#first++) {
      const position = this.#positions[this.#first % this.#slots]!;
      if (!mayGo(position % this.#size, position < oldest)) return;
    }
  }

  /** Where in `bytes` the records with these ports are that have not been overwritten, the newest first. Good until the next `keep`. */
  *chain(portA: number, portB: number): Generator<number> {
    const oldest = this.#position - this.#size;
    let number = this.#newest[portA ^ portB]!;
    while (number !== NONE && number >= this.#number - this.#slots && number >= this.#first) {
      const position = this.#positions[number % this.#slots]!;
      if (position < oldest) return;
      yield position % this.#size;
      number = this.#previous[number % this.#slots]!;
    }
  }

  // Runs for every segment.
  #link(position: number, chain: number): void {
    const slot = this.#slot;
    this.#positions[slot] = position;
    this.#previous[slot] = this.#newest[chain]!;
    this.#newest[chain] = this.#number++;
    this.#slot = slot + 1 === this.#slots ? 0 : slot + 1;
  }
}
