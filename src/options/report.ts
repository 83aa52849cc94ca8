import { resolve } from "node:path";
import { TcplatError } from "../errors.ts";
import { isCommand, wordsBehind } from "./command-words.ts";
import { FILTER_KEY, type GivenOptions, refused } from "./given.ts";

/**
 * `tcplat report -r FILE -o FILE.html [filter]` in the words of a plain run: quiet, and with a report. Returns null for any other command
 * line. Throws TcplatError "usage" without `-o` or `-r`.
 */
export function reportWords(typed: GivenOptions): GivenOptions | null {
  if (!isCommand(typed, "report")) return null;
  if (!typed.has("report")) {
    throw new TcplatError("usage", "report writes a page: name its file, as in tcplat report -r FILE -o FILE.html");
  }
  if (!typed.has("read")) {
    throw new TcplatError(
      "usage",
      "report reads a file: name it, as in tcplat report -r FILE -o FILE.html; a live run has --report FILE.html",
    );
  }
  const [, ...rest] = (typed.get(FILTER_KEY)?.[0]?.text ?? "").split(/ +/);
  const given = wordsBehind(typed, rest.join(" "));
  given.set("quiet", [{ text: "true", place: "report", isFromCommandLine: true }]);
  return given;
}

/** The page's file, or null. Throws TcplatError "usage" where another option names the same file. */
export function readReport(given: GivenOptions): string | null {
  const [report] = given.get("report") ?? [];
  if (report === undefined) return null;
  if (report.text === "-") throw refused(report, "standard output carries the transactions: name a file");
  for (const name of ["read", "write", "config"]) {
    const [other] = given.get(name) ?? [];
    if (other !== undefined && resolve(other.text) === resolve(report.text)) {
      throw refused(report, `it is the file of --${name}, which it would overwrite: name another one`);
    }
  }
  return report.text;
}
