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

const ID = /^([1-9]\d{0,14})-([1-9]\d{0,14})$/;

/** A request's `id`, as the records have it: its connection's number, and its own on that connection. */
export interface RequestId {
  readonly connectionId: number;
  readonly requestNumber: number;
}

/** `tcplat explain -r FILE [ID] [options] [filter]`. */
export interface ExplainWords {
  /** Null for the slowest one. */
  readonly id: RequestId | null;
  /** The other words, as those of a plain run. */
  readonly given: GivenOptions;
}

/** Returns null for any other command line. Throws TcplatError "usage". */
export function explainWords(words: readonly string[], typed: GivenOptions): ExplainWords | null {
  if (!isCommand(typed, "explain")) return null;
  const [, ...own] = readPositionals(words);
  const id = readId(own[0] ?? "");
  const rest = id === null ? own : own.slice(1);
  const late = id === null ? rest.find((word) => ID.test(word)) : undefined;
  if (late !== undefined) {
    throw new TcplatError("usage", `the id comes before the filter: tcplat explain -r FILE ${late} [options] [filter]`);
  }
  refuseMeaningless(typed, MEANINGLESS, "explain", "reads a file");
  return { id, given: wordsBehind(typed, rest.join(" ")) };
}

/** The id that this word is, or null where it is a filter's. Throws TcplatError "usage" where it is neither. */
function readId(word: string): RequestId | null {
  const [, connection, request] = ID.exec(word) ?? [];
  if (connection !== undefined && request !== undefined)
    return { connectionId: Number(connection), requestNumber: Number(request) };
  if (!/^\d/.test(word)) return null;
  const isConnection = /^[1-9]\d*$/.test(word);
  const what = isConnection ? `a connection's number: ${word}-1 is its first request` : "none";
  throw new TcplatError(
    "usage",
    `explain takes a request's id, such as 17-204 (--json prints it as "id"), or none for the slowest, and ${quoted(word)} is ${what}: tcplat explain -r FILE [ID] [options] [filter]`,
  );
}

/** The options of a run that reads one file more than once. Throws TcplatError "usage" where they name none. */
export function explainable(options: Options): Options {
  if (options.read === null) {
    throw new TcplatError("usage", "explain reads a file: name it, as in tcplat explain -r FILE");
  }
  if (options.read === "-") {
    throw new TcplatError(
      "usage",
      "explain reads its file more than once, and standard input can be read only once: save it to a file first",
    );
  }
  return options;
}
