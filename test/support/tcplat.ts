import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { hasEnded } from "./servers.ts";
import { until } from "./until.ts";

/** The built program. */
export const CLI = fileURLToPath(new URL("../../bin/cli.js", import.meta.url));

/** Words that keep both ports closed. */
export const NO_PORTS: readonly string[] = ["-P", "0", "--metrics-port", "0"];

/** A `--json` record; times of an unanswered one are null. */
export interface JsonRecord {
  readonly type: string;
  readonly id: string;
  readonly protocol: string;
  readonly class: string;
  readonly side: string;
  readonly client: string;
  readonly server: string;
  readonly command: string;
  readonly key: string | null;
  readonly summary: string;
  readonly status: string;
  readonly error: string | null;
  readonly start: string;
  readonly end: string;
  readonly latency_us: number;
  readonly send_us: number;
  readonly wait_us: number;
  readonly receive_us: number;
  readonly queue_us: number;
  readonly retransmit_us: number;
  readonly rtt_us: number | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly request_seq: number;
  readonly response_seq: number | null;
  readonly server_us: number | null;
  readonly zero_window_us: number;
  readonly cause: string;
  readonly cause_us: number;
  readonly retransmission: {
    readonly direction: "request" | "response";
    readonly by: "timeout" | "fast";
    readonly times: number;
  } | null;
  readonly behind: {
    readonly id: string;
    readonly command: string;
    readonly us: number;
    readonly elsewhere?: true;
  } | null;
  readonly flags: readonly string[];
}

/** The last record of a `--json` run: counters by name and label values, joined with dots. */
export type Summary = Readonly<Record<string, number | string>>;

/** Those that still run: a test that fails leaves its own behind, and the file's end ends it. */
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** How a run ended. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How tcplat is started. */
export interface RunOptions {
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input, given whole; without it there is none. */
  readonly input?: Uint8Array;
  /** Nobody reads standard output, not even the first byte. */
  readonly isUnread?: boolean;
}

/** A tcplat that runs, and all it has said so far. */
export class Tcplat {
  readonly child: ChildProcess;
  stderr = "";
  readonly #stdout: Buffer[] = [];
  readonly #ended: Promise<Ending>;
  #records: JsonRecord[] = [];
  #parsedChunks = 0;
  #rest = "";
  #summary: Summary | null = null;

  constructor(words: readonly string[], options: RunOptions = {}) {
    const command = [process.execPath, CLI, ...words];
    if (options.namespace !== undefined) command.unshift("ip", "netns", "exec", options.namespace);
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TCPLAT_LOG: "", ...options.env },
    });
    this.child = child;
    if (options.isUnread !== true) child.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    child.stderr.on("data", (chunk) => {
      this.stderr += String(chunk);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
    running.add(child);
    this.#ended = once(child, options.isUnread === true ? "exit" : "close").then(([status, signal]) => {
      running.delete(child);
      return { status: status as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  /** Starts it and resolves once it captures; rejects with what it said when it ends before. */
  static async capturing(words: readonly string[], options: RunOptions = {}): Promise<Tcplat> {
    const tcplat = new Tcplat(words, options);
    const isStarted = () => /^tcplat: capturing on .*\n/m.test(tcplat.stderr);
    await until("tcplat captures", () => isStarted() || hasEnded(tcplat.child), 60_000);
    if (!isStarted()) throw new Error(`tcplat ended with ${tcplat.child.exitCode}: ${tcplat.stderr}`);
    return tcplat;
  }

  /** All of standard output so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  /** The lines of standard output so far, each whole. */
  get lines(): string[] {
    return this.stdout.split("\n").slice(0, -1);
  }

  /** With `--json`: the transactions so far, in the order printed. */
  get records(): readonly JsonRecord[] {
    if (this.#parsedChunks === this.#stdout.length) return this.#records;
    const text = this.#rest + Buffer.concat(this.#stdout.slice(this.#parsedChunks)).toString();
    this.#parsedChunks = this.#stdout.length;
    const lines = text.split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const record = JSON.parse(line) as JsonRecord & Summary;
      if (record.type === "summary") this.#summary = record;
      else this.#records.push(record);
    }
    return this.#records;
  }

  /** With `--json`, after the end: the summary. */
  get summary(): Summary {
    void this.records;
    if (this.#summary === null) throw new Error(`no summary was printed; stderr: ${this.stderr}`);
    return this.#summary;
  }

  /** Resolves with the transactions once there are at least `count`. */
  async transactions(count: number, timeoutMs = 30_000): Promise<readonly JsonRecord[]> {
    await until(
      `${count} transactions, of which ${this.records.length} came; stderr: ${this.stderr}`,
      () => this.records.length >= count,
      timeoutMs,
    );
    return this.records;
  }

  /**
   * Asks for the summary, again and again, until `holds` of it. Each is waited for: where the next SIGUSR1 comes sooner than a busy machine
   * can answer the last, it does nothing but answer.
   */
  async askUntil(what: string, holds: (summary: string) => boolean): Promise<void> {
    let from = -1;
    await until(what, () => {
      const summary = from < 0 ? "" : this.stderr.slice(from);
      const isTold = /^as of .*\n(?:.*\n)*requests /m.test(summary);
      if (isTold && holds(summary)) return true;
      if (isTold || from < 0) {
        from = this.stderr.length;
        this.child.kill("SIGUSR1");
      }
      return false;
    });
  }

  /** Resolves when it has ended by itself, and everything it wrote was read. */
  ended(): Promise<Ending> {
    return this.#ended;
  }

  /** Ends it with a signal. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<Ending> {
    this.child.kill(signal);
    return await this.#ended;
  }

  /** CPU seconds its process has used so far (`proc_pid_stat(5)`, 100 ticks a second), from its statistics given. */
  static cpuSeconds(stat: string): number {
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }
}

/** Runs tcplat to its end. */
export async function runTcplat(words: readonly string[], options: RunOptions = {}): Promise<Tcplat & Ending> {
  const tcplat = new Tcplat(words, options);
  return Object.assign(tcplat, await tcplat.ended());
}

/** The counters of a summary whose name is `name` or begins with it and a dot, added up. */
export function total(summary: Summary, name: string): number {
  let sum = 0;
  for (const [key, value] of Object.entries(summary)) {
    if (key === name || key.startsWith(`${name}.`)) sum += Number(value);
  }
  return sum;
}

/** Which of the three sums a summary violates; empty when all hold. */
export function violations(summary: Summary): string[] {
  const sums = (...names: readonly string[]) => names.reduce((all, name) => all + total(summary, name), 0);
  const answered = sums("responses");
  const found: string[] = [];
  const check = (name: string, whole: number, parts: number) => {
    if (whole !== parts) found.push(`${name}: ${whole} is not ${parts}`);
  };
  check("frames", sums("capture_frames"), sums("capture_decoded_frames", "capture_skipped_frames"));
  const parts = answered + sums("no_reply_requests", "requests_in_flight", "unanswered_requests");
  check("requests", sums("requests"), parts);
  return found;
}
