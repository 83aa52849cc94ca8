import { fstatSync } from "node:fs";
import { createRequire } from "node:module";
import type { Logger, pino } from "pino";
import { escapeControls } from "./escape.ts";
import { LOG_LEVELS, type LogOptions } from "./options/parse.ts";
import { writeAll } from "./write-all.ts";

const STDERR = 2;

type Level = (typeof LOG_LEVELS)[number];

/** Where the lines of a log go; stderr but in tests. */
export type LogSink = (text: string) => void;

/** syslog's priority by pino's level (`sd-daemon(3)`), for the journal. */
const PRIORITY: Readonly<Record<Level, number>> = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 };

/**
 * The program's own log. As text, a line reads `tcplat: what happened`, in a shell as in the journal: whoever reads either wants a
 * sentence, and the journal has the time, the host and the process already. Where stderr is the journal, a line begins with
 * its priority, so that `journalctl -p warning` works. `--log-format json` writes pino's records instead, for log shippers.
 */
export function createLog(options: LogOptions, sink: LogSink = (text) => void writeAll(STDERR, text)): Logger {
  let log: Logger | null = null;
  const made = (): Logger => {
    log ??= makeLog(options, sink);
    return log;
  };
  // pino takes 18 ms to load: it is made for the first message that is more than a sentence in text.
  return new Proxy({} as Logger, {
    get: (_, name) =>
      options.format === "text" && isLevel(name)
        ? (...words: [string]) => tellSentence(name, words, options, sink) || made()[name](...words)
        : Reflect.get(made(), name),
  });
}

function isLevel(name: string | symbol): name is Level {
  return Object.hasOwn(PRIORITY, name);
}

/** Writes a message that is one sentence as `textLine` would; false where it is more. */
function tellSentence(level: Level, words: readonly unknown[], options: LogOptions, sink: LogSink): boolean {
  const [sentence] = words;
  if (words.length !== 1 || typeof sentence !== "string") return false;
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level)) return true;
  sink(`${isStderrJournal() ? `<${PRIORITY[level]}>` : ""}${plainLine(sentence)}`);
  return true;
}

function makeLog(options: LogOptions, sink: LogSink): Logger {
  const makeLogger: typeof pino = createRequire(import.meta.url)("pino");
  const isJournal = options.format === "text" && isStderrJournal();
  const write = options.format === "json" ? sink : (record: string) => sink(textLine(record, isJournal));
  return makeLogger(
    {
      level: options.level,
      name: "tcplat",
      formatters: { level: (label) => ({ level: label }) },
      timestamp: makeLogger.stdTimeFunctions.isoTime,
    },
    { write },
  );
}

/** A message as `createLog` writes it in text, for what must be said before there is a log. Always one line. */
export function plainLine(message: string): string {
  return `tcplat: ${escapeControls(message)}\n`;
}

function textLine(record: string, isJournal: boolean): string {
  const { level, msg, err } = JSON.parse(record) as {
    level: Level;
    msg?: string;
    err?: { message?: string; stack?: string };
  };
  const priority = isJournal ? `<${PRIORITY[level]}>` : "";
  const message = msg ?? err?.message ?? "";
  return `${priority}${plainLine(message)}`;
}

/** Whether systemd connected stderr to the journal (`systemd.exec(5)`, JOURNAL_STREAM). */
function isStderrJournal(): boolean {
  const stream = process.env.JOURNAL_STREAM;
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(STDERR);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
