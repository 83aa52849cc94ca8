import { DETAILS_CAPACITY, type Detail, type MessageDetails } from "../transactions/details.ts";
import type { Connect, Transaction } from "../transactions/transaction.ts";
import { RECORD_CAPACITY } from "./put.ts";
import type { RecordFormat } from "./record-output.ts";

const NEWLINE = 0x0a;

/** `--details`: another format's record, and behind it the fields of both messages. */
export class DetailedFormat implements RecordFormat {
  readonly capacity = RECORD_CAPACITY + DETAILS_CAPACITY;
  readonly #format: RecordFormat;
  readonly #isJson: boolean;

  constructor(format: RecordFormat, isJson: boolean) {
    this.#format = format;
    this.#isJson = isJson;
  }

  get behindIdAt(): number {
    return this.#format.behindIdAt;
  }

  put(transaction: Transaction, into: Buffer, start: number): number {
    const end = this.#format.put(transaction, into, start);
    const { details } = transaction;
    const text = this.#isJson
      ? `,"details":{"request":${listOf(details?.request)},"response":${listOf(details?.response)}}}`
      : `${lineOf("request", details?.request)}${lineOf("response", details?.response)}`;
    // Instead of the newline, and of the brace before it.
    const at = end - (this.#isJson ? 2 : 1);
    const behind = at + into.write(text, at, "latin1");
    into[behind] = NEWLINE;
    return behind + 1;
  }

  putConnect(connect: Connect, into: Buffer, at: number): number {
    return this.#format.putConnect(connect, into, at);
  }
}

/** `[["id",7],["answer","…"]]`: in their order, since fields belong to those before them. */
function listOf(message: MessageDetails | null | undefined): string {
  if (!message) return "[]";
  const fields = message.fields.map(
    ([name, value]) => `["${name}",${typeof value === "number" ? value : quoted(value)}]`,
  );
  if (message.leftOut > 0) fields.push(`["left_out",${message.leftOut}]`);
  return `[${fields.join(",")}]`;
}

/** ` | request: id 7, name a.b`. */
function lineOf(of: string, message: MessageDetails | null | undefined): string {
  if (!message) return "";
  const fields = message.fields.map(fieldText);
  if (message.leftOut > 0) fields.push(`(${message.leftOut} more)`);
  return ` | ${of}: ${fields.join(", ")}`;
}

function fieldText([name, value]: Detail): string {
  const isPlain = typeof value === "number" || /^[\w.:/@+*-]+$/.test(value);
  return `${name} ${isPlain ? value : quoted(value)}`;
}

/** In quotes, bytes outside printable ASCII as `\\xNN`: as JSON, and as a line shows it. */
function quoted(latin1: string): string {
  const escaped = latin1.replace(/[^ !#-[\]-~]/g, (character) =>
    character === '"' || character === "\\" ? `\\${character}` : `\\\\x${hex(character.charCodeAt(0))}`,
  );
  return `"${escaped}"`;
}

function hex(code: number): string {
  return (code & 0xff).toString(16).padStart(2, "0");
}
