import type { DumpOptions } from "../options.ts";
import { type GivenOptions, refused } from "./given.ts";
import { OPTION_TABLE } from "./table.ts";
import { parseWhole } from "./values.ts";

const MAX_FILES = 10_000;
/** What a number of records and an address of a buffer can be. */
const MAX_BUFFER_MIB = 4096;

/** `--dump-slow` and what goes with it, or null. Throws TcplatError "usage" without `-t`. */
export function readDumpOptions(given: GivenOptions): DumpOptions | null {
  const [folder] = given.get("dump-slow") ?? [];
  const [count] = given.get("dump-slow-count") ?? [];
  const [buffer] = given.get("dump-slow-buffer") ?? [];
  if (folder === undefined) {
    const alone = count ?? buffer;
    if (alone !== undefined) throw refused(alone, "it bounds what --dump-slow writes: give --dump-slow DIR, too");
    return null;
  }
  if (!given.has("threshold")) throw refused(folder, "which requests are slow? Give -t, too, such as -t 10 for 10 ms");
  const bufferMib = parseWhole(buffer ?? preset("dump-slow-buffer"), 1, MAX_BUFFER_MIB);
  return {
    folder: folder.text,
    count: parseWhole(count ?? preset("dump-slow-count"), 1, MAX_FILES),
    bufferBytes: bufferMib * 1024 * 1024,
  };
}

function preset(name: string): { text: string; place: string; isFromCommandLine: boolean } {
  const text = OPTION_TABLE.find((spec) => spec.name === name)?.preset ?? "";
  return { text, place: `--${name}`, isFromCommandLine: false };
}
