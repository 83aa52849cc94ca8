import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { loadKoffi } from "../../src/capture/libpcap-binding.ts";

/** A program and its words. */
export type Command = readonly [program: string, ...words: string[]];

/** What a finished process cost, and what it said. */
export interface Cost {
  /** User and system time of the finished process, as the operating system accounts for it. */
  readonly cpuS: number;
  readonly wallS: number;
  /** Peak of the resident memory, looked at each 20 ms. */
  readonly peakMb: number;
  readonly stdout: string;
  readonly stderr: string;
}

const PEAK_EVERY_MS = 20;
/** `sys/resource.h`; two timevals of two longs each begin the struct. */
const RUSAGE_CHILDREN = -1;
const RUSAGE_BYTES = 256;

let getrusage: ((who: number, usage: Uint8Array) => number) | null = null;

/** CPU seconds of all children that have ended. */
function childrenCpuS(): number {
  getrusage ??= loadKoffi().load(null).func("int getrusage(int, void *)") as (who: number, usage: Uint8Array) => number;
  const usage = Buffer.alloc(RUSAGE_BYTES);
  getrusage(RUSAGE_CHILDREN, usage);
  const timeval = (at: number) => Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6;
  return timeval(0) + timeval(16);
}

/** A process being measured. Only one of them may end at a time: CPU time is that of whichever child ended. */
export class Running {
  readonly pid: number;
  stderr = "";
  stdout = "";
  peakMb = 0;
  readonly #child: ChildProcess;
  readonly #startedAt = performance.now();
  readonly #ended: Promise<number>;

  /** Standard output is kept, or goes to the file named. */
  constructor([program, ...words]: Command, stdoutFile?: string) {
    const stdout = stdoutFile === undefined ? "pipe" : openSync(stdoutFile, "w");
    this.#child = spawn(program, words, { stdio: ["ignore", stdout, "pipe"] });
    if (typeof stdout === "number") closeSync(stdout);
    this.pid = this.#child.pid ?? -1;
    this.#child.stderr?.on("data", (chunk) => (this.stderr += String(chunk)));
    this.#child.stdout?.on("data", (chunk) => (this.stdout += String(chunk)));
    const kill = () => void this.#child.kill("SIGKILL");
    process.on("exit", kill);
    const timer = setInterval(() => this.#lookAtMemory(), PEAK_EVERY_MS);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (status) => {
        clearInterval(timer);
        process.off("exit", kill);
        resolve(status ?? -1);
      });
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** CPU seconds so far, of its living threads (`/proc/PID/task/TID/schedstat`: nanoseconds on a CPU). */
  cpuSoFarS(): number {
    const folder = `/proc/${this.pid}/task`;
    const ns = readdirSync(folder).map((thread) =>
      Number(readFileSync(`${folder}/${thread}/schedstat`, "latin1").split(" ")[0]),
    );
    return ns.reduce((all, of) => all + of, 0) / 1e9;
  }

  /** Waits for its end; a status other than 0 is an error, unless it is one of those allowed. */
  async end(allowed: readonly number[] = [0]): Promise<Cost> {
    const before = childrenCpuS();
    const status = await this.#ended;
    const wallS = (performance.now() - this.#startedAt) / 1000;
    if (!allowed.includes(status))
      throw new Error(`${this.#child.spawnargs.join(" ")} ended with ${status}: ${this.stderr}`);
    return { cpuS: childrenCpuS() - before, wallS, peakMb: this.peakMb, stdout: this.stdout, stderr: this.stderr };
  }

  /** Ends it with a signal. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<Cost> {
    this.#lookAtMemory();
    const ended = this.end([0, -1]);
    this.#child.kill(signal);
    return await ended;
  }

  #lookAtMemory(): void {
    try {
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "latin1"));
      if (peak !== null) this.peakMb = Math.max(this.peakMb, Number(peak[1]) / 1024);
    } catch {
      // It has just ended.
    }
  }
}

/** Runs a program to its end. */
export async function cost(command: Command, stdoutFile?: string): Promise<Cost> {
  return await new Running(command, stdoutFile).end();
}

type Sides = Readonly<Record<string, () => Promise<unknown>>>;
/** What each side gave in each round; a side that is not there has nothing. */
type Rounds<S> = { [Side in keyof S]: S[Side] extends () => Promise<infer T> ? T[] : never };

/** Measures all sides in turn, as often as asked: A B A B, so that whatever drifts drifts for all. */
export async function inTurn<S extends Sides>(runs: number, sides: S): Promise<Rounds<S>> {
  const found: Record<string, unknown[]> = {};
  for (let round = 0; round < runs; round++) {
    for (const [side, measure] of Object.entries(sides)) {
      found[side] ??= [];
      found[side].push(await measure());
    }
  }
  return found as Rounds<S>;
}

/** Resolves after so many milliseconds: what is waited for here cannot be asked for (a kernel's last block, somebody else's start). */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
