import { TcplatError } from "../errors.ts";
import type { ProtocolSelection, RawOptions } from "../options.ts";
import type { GivenOptions } from "./given.ts";

/** Options that say what is told of transactions. */
const ABOUT_TRANSACTIONS = ["threshold", "filter", "json", "report", "dump-slow", "show-values", "details"];

/** `-p raw`, and `-A` or `-X`; or null. Throws TcplatError "usage" where they do not go together, or with others. */
export function readRawOptions(given: GivenOptions, selections: readonly ProtocolSelection[]): RawOptions | null {
  const isGiven = (name: string) => given.get(name)?.some(({ text }) => text !== "false") === true;
  const [isAscii, isHex] = [isGiven("ascii"), isGiven("hex")];
  if (!selections.some(({ name }) => name === "raw")) {
    if (!isAscii && !isHex) return null;
    throw usage(`${isAscii ? "-A" : "-X"} shows what is in a packet: give -p raw, too, which prints packets`);
  }
  if (selections.length > 1) throw usage("-p raw prints packets and no transactions: give it by itself");
  if (isAscii && isHex) throw usage("-A and -X show the same in two ways: give one of them");
  if (isGiven("quiet")) throw usage("-q prints nothing, and -p raw packets: leave one of them out");
  const other = ABOUT_TRANSACTIONS.find(isGiven);
  if (other !== undefined) {
    throw usage(`--${other} is about transactions, and -p raw has packets only: leave one of them out`);
  }
  return { format: isHex ? "hex" : isAscii ? "ascii" : "line" };
}

function usage(sentence: string): TcplatError {
  return new TcplatError("usage", sentence);
}
