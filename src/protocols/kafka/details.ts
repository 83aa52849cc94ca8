import { u32 } from "../../bytes/read.ts";
import type { Exchange } from "../protocol.ts";
import { COMMANDS } from "./apis.ts";
import { Role } from "./layout.ts";

/** Bytes kept of a text, and of an array of INT32 (64 of them). */
const MAX_TEXT_BYTES = 256;

/**
 * Tells a message's fields, each by its path: `topics[0].name`. Elements of an array that holds no other one are told in one line each, which
 * leaves room for more of them: `topics[0].partitions[2]`: `partition_index 2, leader_id 1, …`. Used with --details alone.
 */
export class Details {
  private readonly exchange: Exchange;
  private names: readonly string[] = [];
  /** Of the arrays that are open: the path up to the index, and the index. */
  private readonly paths: string[] = [];
  private readonly indexes: number[] = [];
  private path = "";
  /** What the element being read has told so far, where it is to be told in one line; and its first field alone. */
  private isRow = false;
  private row = "";
  private rowFields = 0;
  private firstName = "";
  private firstValue: string | number = "";
  private readonly gatheredText = Buffer.alloc(MAX_TEXT_BYTES);
  private textBytes = 0;
  private textSize = 0;
  private textName = -1;
  private isIntegers = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  begin(names: readonly string[]): void {
    this.names = names;
    this.paths.length = 0;
    this.indexes.length = 0;
    this.path = "";
    this.isRow = false;
  }

  /** An array begins, with its first element. `isRow`: each is told in one line. */
  open(nameIndex: number, isRow: boolean): void {
    this.paths.push(this.path + (this.names[nameIndex] ?? ""));
    this.indexes.push(0);
    this.enter();
    this.isRow = isRow;
    this.rowFields = 0;
  }

  /** The next element begins. */
  next(): void {
    this.tellRow();
    this.indexes[this.indexes.length - 1]! += 1;
    this.enter();
  }

  close(): void {
    this.tellRow();
    this.isRow = false;
    this.indexes.pop();
    this.paths.pop();
    if (this.paths.length === 0) this.path = "";
    else this.enter();
  }

  private enter(): void {
    const depth = this.paths.length - 1;
    this.path = `${this.paths[depth]}[${this.indexes[depth]}].`;
  }

  tell(nameIndex: number, value: string | number, role: number): void {
    const name = this.names[nameIndex];
    if (name === undefined) return;
    if (!this.isRow) {
      this.exchange.detail(this.path + name, value);
      return;
    }
    if (this.rowFields++ > 0) {
      this.row += inRow(name, value, role);
      return;
    }
    this.firstName = name;
    this.firstValue = value;
    this.row = role === Role.api ? apiName(Number(value)) : `${name} ${value}`;
  }

  private tellRow(): void {
    if (!this.isRow || this.rowFields === 0) return;
    if (this.rowFields > 1) this.exchange.detail(this.path.slice(0, -1), this.row);
    else this.exchange.detail(this.path + this.firstName, this.firstValue);
    this.rowFields = 0;
  }

  /** Records are told by their size. */
  tellRecords(nameIndex: number, size: number): void {
    const name = this.names[nameIndex];
    if (name === undefined) return;
    if (!this.isRow) this.exchange.detail(`${this.path}${name}_bytes`, size);
    else if (this.rowFields++ > 0) this.row += `, ${name}_bytes ${size}`;
  }

  /** A text, or INT32s, of `size` bytes begins; it is told once it is whole. */
  gather(nameIndex: number, size: number, isIntegers: boolean): void {
    this.textName = nameIndex;
    this.textSize = size;
    this.textBytes = 0;
    this.isIntegers = isIntegers;
    if (size === 0) this.gathered();
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end - start, MAX_TEXT_BYTES - this.textBytes);
    for (let i = 0; i < kept; i++) this.gatheredText[this.textBytes++] = bytes[start + i]!;
    this.textSize -= end - start;
    if (this.textSize === 0) this.gathered();
  }

  private gathered(): void {
    if (!this.isIntegers) {
      this.tell(this.textName, this.gatheredText.toString("latin1", 0, this.textBytes), Role.none);
      return;
    }
    const integers: number[] = [];
    for (let at = 0; at + 4 <= this.textBytes; at += 4) integers.push(u32(this.gatheredText, at) | 0);
    this.tell(this.textName, integers.length === 0 ? "none" : integers.join("/"), Role.none);
  }
}

/** `Produce 0-11` of an api key and its first and last version; a name and a value of others. */
function inRow(name: string, value: string | number, role: number): string {
  if (role === Role.first) return ` ${value}`;
  return role === Role.last ? `-${value}` : `, ${name} ${value}`;
}

function apiName(apiKey: number): string {
  return COMMANDS[apiKey + 1] ?? `api-${apiKey}`;
}
