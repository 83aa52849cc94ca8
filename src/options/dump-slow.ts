import { TcplatError } from "../errors.ts";
import type { DumpOptions } from "../options.ts";
import { find, findOrPreset, type GivenOptions, isOn, refused } from "./given.ts";
import { parseWhole } from "./values.ts";

const MAX_FILES = 10_000;
/** The oldest Node supported has no longer arrays. */
const MAX_BUFFER_MIB = 4096;

/** `--dump-slow` and what goes with it, or null. Throws TcplatError "usage" without `-t`. */
export function readDumpOptions(given: GivenOptions): DumpOptions | null {
  const [folder, count, buffer] = ["dump-slow", "dump-slow-count", "dump-slow-buffer"].map((name) => find(given, name));
  if (folder === undefined) {
    const alone = count ?? (isOn(given, "write-matching") ? undefined : buffer);
    if (alone !== undefined) throw refused(alone, "it bounds what --dump-slow writes: give --dump-slow DIR, too");
    return null;
  }
  if (!given.has("threshold")) throw refused(folder, "which requests are slow? Give -t, too, such as -t 10 for 10 ms");
  return {
    folder: folder.text,
    count: parseWhole(findOrPreset(given, "dump-slow-count"), 1, MAX_FILES),
    bufferBytes: bufferBytes(given),
  };
}

/** `--write-matching`: what it keeps at hand, in bytes, or null without it. Throws TcplatError "usage" where nothing would match. */
export function readMatchingBuffer(given: GivenOptions): number | null {
  if (!isOn(given, "write-matching")) return null;
  const remedy = !given.has("write")
    ? "it chooses what -w writes: give -w FILE, too"
    : given.has("threshold") || given.has("filter")
      ? null
      : "everything matches: give -t or --filter, too";
  if (remedy !== null) throw new TcplatError("usage", `--write-matching: ${remedy}`);
  return bufferBytes(given);
}

function bufferBytes(given: GivenOptions): number {
  return parseWhole(findOrPreset(given, "dump-slow-buffer"), 1, MAX_BUFFER_MIB) * 1024 * 1024;
}
