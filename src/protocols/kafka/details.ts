import { u32 } from "../../bytes/read.ts";
import type { Exchange } from "../protocol.ts";

/** Fields told of one message; there may be as many as its bytes allow. */
const MAX_FIELDS = 512;
/** Bytes kept of a text, and of an array of INT32 (64 of them). */
const MAX_TEXT_BYTES = 256;

const decoder = new TextDecoder();

/** Tells a message's fields one by one, each by its path: `topics[0].partitions[2].leader_id`. Used with --details alone. */
export class Details {
  readonly #exchange: Exchange;
  #names: readonly string[] = [];
  /** Of the arrays that are open: the path up to the index, and the index. */
  readonly #paths: string[] = [];
  readonly #indexes: number[] = [];
  #path = "";
  #fields = 0;
  readonly #text = new Uint8Array(MAX_TEXT_BYTES);
  #textBytes = 0;
  #textSize = 0;
  #textName = -1;
  #isIntegers = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  begin(names: readonly string[]): void {
    this.#names = names;
    this.#paths.length = 0;
    this.#indexes.length = 0;
    this.#path = "";
    this.#fields = 0;
  }

  /** An array begins, with its first element. */
  open(nameIndex: number): void {
    this.#paths.push(this.#path + (this.#names[nameIndex] ?? ""));
    this.#indexes.push(0);
    this.#enter();
  }

  /** The next element begins. */
  next(): void {
    this.#indexes[this.#indexes.length - 1]! += 1;
    this.#enter();
  }

  close(): void {
    this.#indexes.pop();
    this.#paths.pop();
    if (this.#paths.length === 0) this.#path = "";
    else this.#enter();
  }

  #enter(): void {
    const depth = this.#paths.length - 1;
    this.#path = `${this.#paths[depth]}[${this.#indexes[depth]}].`;
  }

  tell(nameIndex: number, value: string | number): void {
    const name = this.#names[nameIndex];
    if (name === undefined || this.#fields > MAX_FIELDS) return;
    this.#fields++;
    if (this.#fields > MAX_FIELDS) this.#exchange.detail("not_shown", `fields beyond ${MAX_FIELDS}`);
    else this.#exchange.detail(this.#path + name, value);
  }

  /** Records are told by their size. */
  tellRecords(nameIndex: number, size: number): void {
    const name = this.#names[nameIndex];
    if (name === undefined || this.#fields >= MAX_FIELDS) return;
    this.#fields++;
    this.#exchange.detail(`${this.#path}${name}_bytes`, size);
  }

  /** A text, or INT32s, of `size` bytes begins; it is told once it is whole. */
  gather(nameIndex: number, size: number, isIntegers: boolean): void {
    this.#textName = nameIndex;
    this.#textSize = size;
    this.#textBytes = 0;
    this.#isIntegers = isIntegers;
    if (size === 0) this.#gathered();
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end - start, MAX_TEXT_BYTES - this.#textBytes);
    for (let i = 0; i < kept; i++) this.#text[this.#textBytes++] = bytes[start + i]!;
    this.#textSize -= end - start;
    if (this.#textSize === 0) this.#gathered();
  }

  #gathered(): void {
    const kept = this.#text.subarray(0, this.#textBytes);
    if (!this.#isIntegers) {
      this.tell(this.#textName, decoder.decode(kept));
      return;
    }
    const integers: number[] = [];
    for (let at = 0; at + 4 <= kept.length; at += 4) integers.push(u32(kept, at) | 0);
    this.tell(this.#textName, integers.join(","));
  }
}
