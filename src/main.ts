import type { Logger } from "pino";
import { TcplatError, unwritableOutput } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import { createLog, type LogSink, plainLine } from "./log.ts";
import { meantCommand } from "./options/commands.ts";
import { readConfigFile } from "./options/config-file.ts";
import { type Invocation, type LogOptions, parseCommandLine } from "./options/parse.ts";
import { PROTOCOLS } from "./protocols/registry.ts";
import { replaceLostTerminal } from "./run/hang-up.ts";
import { StatusLine } from "./run/status-line.ts";
import { settleTimeZone } from "./time-zone.ts";
import { tcplatVersion } from "./version.ts";
import { writeAll } from "./write-all.ts";

const STDOUT = 1;
const STDERR = 2;

/** Runs tcplat with the words of a command line; returns the exit status (README, Exit statuses and signals). Never rejects. */
export async function main(words: readonly string[]): Promise<number> {
  process.on("uncaughtException", (error) => process.exit(report(error)));
  process.on("exit", replaceLostTerminal);
  try {
    const protocols = PROTOCOLS.map((protocol) => protocol.name);
    const invocation = parseCommandLine(words, { protocols, env: process.env, readConfig: readConfigFile });
    return await dispatch(invocation, protocols);
  } catch (error) {
    return report(error);
  }
}

/** Each kind loads what it needs and no more: a start costs milliseconds a user waits for. */
async function dispatch(invocation: Invocation, protocols: readonly string[]): Promise<number> {
  switch (invocation.kind) {
    case "doctor": {
      const { examine } = await import("./doctor/doctor.ts");
      const { text, exitStatus } = await examine(invocation.options);
      print(text);
      return exitStatus;
    }
    case "diff": {
      const { diff } = await import("./diff/diff.ts");
      return await diff(invocation.files, invocation.options, timedLog(invocation.log));
    }
    case "explain": {
      const { explain } = await import("./explain/explain.ts");
      return await explain(invocation.id, invocation.options, timedLog(invocation.log));
    }
    case "run": {
      const { run } = await import("./run/run.ts");
      const status = new StatusLine();
      return await meant(
        invocation.options.filter,
        run(invocation.options, { log: timedLog(invocation.log, (text) => status.above(text)), status }),
      );
    }
    default:
      return print(await textFor(invocation, protocols));
  }
}

type Question = Exclude<Invocation, { readonly kind: "doctor" | "diff" | "explain" | "run" }>;

/** What is only a text. */
async function textFor(question: Question, protocols: readonly string[]): Promise<string> {
  switch (question.kind) {
    case "help": {
      const { helpText } = await import("./options/help.ts");
      return `${await helpText(terminalColumns(), protocols)}\n`;
    }
    case "version": {
      const { versionText } = await import("./information.ts");
      return versionText();
    }
    case "list-interfaces": {
      const { interfacesText } = await import("./information.ts");
      return interfacesText();
    }
    case "completion": {
      const { completionScript } = await import("./completion/completion.ts");
      return completionScript(question.shell, protocols);
    }
  }
}

/** Where libpcap refuses a filter that looks like a command with a slip in its name, the error says so. */
async function meant(filter: string, running: Promise<number>): Promise<number> {
  try {
    return await running;
  } catch (error) {
    const command = error instanceof TcplatError && error.code === "filter" ? meantCommand(filter) : null;
    if (command === null) throw error;
    throw new TcplatError("filter", `${(error as TcplatError).message}; did you mean ${command}?`);
  }
}

/** The log of a command that shows times: it says at once where they cannot be those of TZ. */
function timedLog(options: LogOptions, sink?: LogSink): Logger {
  const log = createLog(options, sink);
  const warning = settleTimeZone(process.env);
  if (warning !== null) log.warn(warning);
  return log;
}

/** An operator's error is one line, and what to do about it; anything else is a bug, and its stack helps to find it. */
function report(error: unknown): number {
  if (error instanceof TcplatError) {
    const detail = error.detail.map((line) => `${escapeControls(line)}\n`);
    writeAll(STDERR, `${plainLine(error.message)}${detail.join("")}`);
    return error.exitStatus;
  }
  const missing = missingPackage(error);
  if (missing !== null) {
    writeAll(
      STDERR,
      `tcplat: the package ${missing} is not where tcplat is: install it again, in a clone with npm ci\n`,
    );
    return 1;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // The version tells which files the stack's places are in.
  const what = `tcplat ${tcplatVersion()} on Node ${process.versions.node}, ${process.platform} ${process.arch}`;
  writeAll(STDERR, `tcplat: this is a bug in ${what}; please report it with these lines:\n${stack}\n`);
  return 1;
}

/** What Node did not find of what is installed beside the program; null where that is not what went wrong. */
function missingPackage(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") return null;
  return /^Cannot find (?:module|package) '([^'./][^'/]*)/.exec(message)?.[1] ?? null;
}

/** Throws TcplatError; a reader that is gone is no error. */
function print(text: string): number {
  const error = writeAll(STDOUT, text);
  const failure = error === null ? null : unwritableOutput(error);
  if (failure !== null) throw failure;
  return 0;
}

function terminalColumns(): number {
  return Math.min(Math.max(process.stdout.columns ?? 100, 60), 120);
}
