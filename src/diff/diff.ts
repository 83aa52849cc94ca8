import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { Logger } from "pino";
import { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import { print } from "../outputs/print.ts";
import { endOnSignal } from "../run/end-on-signal.ts";
import { settleForFrames } from "../v8.ts";
import { Catalogue } from "./catalogue.ts";
import { Comparison } from "./comparison.ts";
import { requestRecord, summaryRecord } from "./json.ts";
import { readCapture } from "./read-capture.ts";
import { readRecords } from "./read-records.ts";
import { RecordStore } from "./record-store.ts";
import { rowsOf } from "./rows.ts";
import { summaryText } from "./summary.ts";
import { RequestText } from "./text.ts";
import { totalsOf } from "./totals.ts";
import type { View } from "./view.ts";

/** Lines are written in pieces of about so many characters. */
const PIECE_CHARACTERS = 1 << 16;
const OPENING_BRACE = 0x7b;

/** Two files, each a capture or `--json` records, of the same traffic: at the clients' host, and at the server's. */
export interface DiffFiles {
  readonly client: string;
  readonly server: string;
}

/** `tcplat diff CLIENT SERVER`: reads both, joins them and prints what they tell together. Returns the exit status; throws TcplatError. */
export async function diff(files: DiffFiles, options: Options, log: Logger): Promise<number> {
  if (files.client === "-" && files.server === "-")
    throw new TcplatError("usage", "standard input can be one of the two files, not both: name the other one");
  settleForFrames();
  const catalogue = new Catalogue();
  const client = await readView(files.client, { ...options, side: "client" }, catalogue);
  const server = await readView(files.server, { ...options, side: "server" }, catalogue);
  for (const { warning } of [client, server]) if (warning !== null) log.warn(warning);
  endOnSignal();
  await print(piecesOf(new Comparison(client, server, catalogue), options));
  const failure = client.failure ?? server.failure;
  if (failure !== null) throw failure;
  return 0;
}

async function readView(file: string, options: Options, catalogue: Catalogue): Promise<View> {
  const records = new RecordStore();
  if (isRecordFile(file)) return await readRecords(file, catalogue, records);
  return await readCapture({ ...options, read: file }, catalogue, records);
}

/** No capture file begins with a brace. Whatever is no regular file can be read only once, and is taken for a capture. */
function isRecordFile(file: string): boolean {
  if (file === "-" || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw new TcplatError("file", `${file} cannot be read: ${(error as Error).message}`);
  }
  const first = Buffer.alloc(1);
  const bytes = readSync(descriptor, first);
  closeSync(descriptor);
  return bytes === 1 && first[0] === OPENING_BRACE;
}

/** As text the summary comes first, as records last. */
function* piecesOf(comparison: Comparison, options: Options): Generator<string> {
  const totals = totalsOf(comparison);
  const text = new RequestText(comparison);
  let piece = options.json ? "" : summaryText(comparison, totals);
  for (const row of options.quiet ? [] : rowsOf(comparison, options.thresholdUs)) {
    piece += options.json ? requestRecord(comparison, row) : text.line(row);
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  yield options.json ? piece + summaryRecord(comparison, totals) : piece;
}
