import { accessSync, constants } from "node:fs";
import type { Logger } from "pino";
import { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import type { Scripts } from "../scripts/scripts.ts";

/** The scripts of a run, loaded and waiting to be told where they print. */
export interface OpenedScripts {
  printTo(writer: RecordWriter): Scripts;
  /** For a run that does not begin. */
  close(): void;
}

/** Loads what `-S` names, or returns null where there is nothing. Throws TcplatError with the file and, mostly, the line. */
export async function openScripts(options: Options, log: Logger): Promise<OpenedScripts | null> {
  const { scripts: files } = options;
  if (files.length === 0) return null;
  for (const file of files) checkFile(file);
  const { ScriptThread } = await import("../scripts/script-thread.ts");
  const { Scripts } = await import("../scripts/scripts.ts");
  const settings = {
    files,
    isLive: options.read === null,
    isJson: options.json,
    isTerminal: process.stdout.isTTY === true,
    hasDetails: options.details,
    warn: (sentence: string) => log.warn(sentence),
  };
  const thread = await ScriptThread.start(settings);
  return { printTo: (writer) => new Scripts(settings, thread, writer), close: () => thread.close() };
}

function checkFile(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : "it cannot be read";
    throw new TcplatError("file", `--script ${file}: ${reason}`);
  }
  if (/\.m?ts$/.test(file) && !stripsTypes()) {
    throw new TcplatError(
      "usage",
      `--script ${file}: Node ${process.versions.node} runs no TypeScript: give JavaScript, as tsc makes it, or use Node 22.18 or newer`,
    );
  }
}

/** Node 22.18 and newer leave types out by themselves; older ones say nothing of it. */
function stripsTypes(): boolean {
  return Boolean((process.features as { readonly typescript?: unknown }).typescript);
}
