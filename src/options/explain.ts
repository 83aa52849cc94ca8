import { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import { isCommand, refuseMeaningless, wordsBehind } from "./command-words.ts";
import { type GivenOptions, quoted } from "./given.ts";
import { readPositionals } from "./words.ts";

/** Options that capture, open or write something: one request of a file needs none of it. */
const MEANINGLESS = [
  ...["interface", "write", "engine", "report", "dump-slow", "max-cpu", "filter", "write-matching", "script"],
  ...["stats-port", "stats-host", "metrics-port", "metrics-host"],
];

/** A request's `id`, as the records have it: its connection's number, and its own on that connection. */
export interface RequestId {
  readonly connectionId: number;
  readonly requestNumber: number;
}

/** `tcplat explain -r FILE ID [options] [filter]`. */
export interface ExplainWords {
  readonly id: RequestId;
  /** The other words, as those of a plain run. */
  readonly given: GivenOptions;
}

/** Returns null for any other command line. Throws TcplatError "usage". */
export function explainWords(words: readonly string[], typed: GivenOptions): ExplainWords | null {
  if (!isCommand(typed, "explain")) return null;
  const [, idText = "", ...rest] = readPositionals(words);
  const [, connection, request] = /^([1-9]\d{0,14})-([1-9]\d{0,14})$/.exec(idText) ?? [];
  if (connection === undefined || request === undefined) {
    const isConnection = /^[1-9]\d*$/.test(idText);
    const what = isConnection ? `a connection's number: ${idText}-1 is its first request` : "none";
    const found = idText === "" ? "" : `, and ${quoted(idText)} is ${what}`;
    throw new TcplatError(
      "usage",
      `explain needs a request's id, such as 17-204 (--json prints it as "id")${found}: tcplat explain -r FILE ID [options] [filter]`,
    );
  }
  refuseMeaningless(typed, MEANINGLESS, "explain", "reads a file");
  const id = { connectionId: Number(connection), requestNumber: Number(request) };
  return { id, given: wordsBehind(typed, rest.join(" ")) };
}

/** The options of a run that reads one file more than once. Throws TcplatError "usage" where they name none. */
export function explainable(options: Options): Options {
  if (options.read === null) {
    throw new TcplatError("usage", "explain reads a file: name it, as in tcplat explain -r FILE ID");
  }
  if (options.read === "-") {
    throw new TcplatError(
      "usage",
      "explain reads its file more than once, and standard input can be read only once: save it to a file first",
    );
  }
  return options;
}
