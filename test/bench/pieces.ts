import { fileURLToPath } from "node:url";
import { cost, inTurn } from "./measure.ts";
import type { Told } from "./piece.ts";
import { type Bench, median, nanoseconds, plainRow, type Row } from "./rows.ts";

/** A bench that is a process of its own, so that no other has taught the compiler anything; it tells by `piece.ts`. */
function pieces(name: string, about: string, folder = "joined"): Bench {
  const program = fileURLToPath(new URL(`./${folder}/${name}.js`, import.meta.url));
  return {
    name,
    about,
    run: async ({ runs }) => {
      const found = await inTurn(runs, {
        tcplat: async () => {
          const { stdout } = await cost([process.execPath, program]);
          return stdout
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as Told);
        },
      });
      return rowsOf(found.tcplat);
    },
  };
}

function rowsOf(runs: readonly (readonly Told[])[]): Row[] {
  const ns = (work: string) => runs.map((run) => run.find((told) => told.work === work)!.ns);
  return runs[0]!.map(({ work, beside }) => {
    const row = plainRow(work, median(ns(work)), nanoseconds);
    if (beside === null) return row;
    const ratio = median(ns(work).map((value, round) => value / ns(beside)[round]!));
    return { ...row, beside: `${beside} ${nanoseconds(median(ns(beside)))}`, ratio: ratio.toFixed(2) };
  });
}

export const PIECES: readonly Bench[] = [
  pieces("capture-file", "a frame out of a file, with and without stdio's locks; a poll that finds nothing", "."),
  pieces("redis", "a Redis request and its reply through both parsers, in one go and step by step"),
  pieces("memcached", "a memcached request and its reply through both parsers"),
  pieces("kafka", "a Kafka request and its response through both parsers, read as far as it tells something"),
  pieces("aggregate", "a transaction in numbers"),
  pieces("scripts", "what a script costs a packet, and the capture", "."),
  pieces("records", "a transaction as a line and as JSON"),
];
