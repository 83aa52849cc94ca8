import { Worker } from "node:worker_threads";
import { TcplatError } from "../errors.ts";
import type { ScriptOrder, ScriptReport, ScriptsStart, Wants } from "./messages.ts";
import { CALL_BYTES, IS_FULL, LAST_RESORT_MIB } from "./script-heap.ts";

/** A call that lasts longer is taken for one that never returns. */
const HANG_MS = 10_000;
const LOOK_MS = 100;

export type Done = Extract<ScriptReport, { kind: "done" }>;
export type Aside = Extract<ScriptReport, { kind: "aside" | "ended" }>;

/** Who is told of what the thread says. */
export interface ThreadListener {
  done(report: Done): void;
  aside(report: Aside): void;
  /** It runs no more; `reason` is a sentence for the user, or null where that was asked for. */
  over(reason: string | null): void;
}

export interface ThreadOptions {
  readonly files: readonly string[];
  readonly isLive: boolean;
  /** Another time only in tests. */
  readonly hangMs?: number;
}

/** The scripts' thread, as the main thread sees it: whatever happens in there, it can be ended. */
export class ScriptThread {
  readonly wants: Wants;
  /** What loading them printed. */
  readonly ready: Extract<ScriptReport, { kind: "ready" }>;
  readonly #worker: Worker;
  readonly #progress: Int32Array;
  readonly #hangMs: number;
  #listener: ThreadListener | null = null;
  #waiting = 0;
  #seen = 0;
  #seenAtMs = 0;
  /** Resident memory when nothing had been heard for one look; 0 before. */
  #seenBytes = 0;
  #isOver = false;
  readonly #timer: NodeJS.Timeout;

  private constructor(worker: Worker, ready: ScriptThread["ready"], progress: SharedArrayBuffer, hangMs: number) {
    this.#worker = worker;
    this.ready = ready;
    this.wants = ready.wants;
    this.#progress = new Int32Array(progress);
    this.#hangMs = hangMs;
    for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
    worker.on("message", (report: ScriptReport) => this.#hear(report));
    worker.on("error", (error: Error & { code?: string }) => this.#end(reasonOf(error)));
    worker.on("exit", () => this.#end("the script ended its own thread"));
    this.#timer = setInterval(() => this.#look(), Math.min(LOOK_MS, hangMs / 2));
  }

  /** Resolves once the scripts are loaded. Rejects with TcplatError "usage", and one sentence with the file and the line. */
  static async start({ files, isLive, hangMs = HANG_MS }: ThreadOptions): Promise<ScriptThread> {
    const progress = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const workerData: ScriptsStart = { files, progress, isLive };
    const resourceLimits = { maxOldGenerationSizeMb: LAST_RESORT_MIB };
    const worker = new Worker(new URL("./script-worker.js", import.meta.url), { workerData, resourceLimits });
    const report = await new Promise<ScriptReport>((resolve) => {
      const refuse = (sentence: string) => resolve({ kind: "refused", sentence });
      worker.once("message", resolve);
      worker.once("error", (error) => refuse(`${files.join(", ")}: ${reasonOf(error)}`));
      worker.once("exit", () => refuse(`${files.join(", ")}: it ended its own thread`));
    });
    if (report.kind === "ready") return new ScriptThread(worker, report, progress, hangMs);
    await worker.terminate();
    throw new TcplatError("usage", `--script ${report.kind === "refused" ? report.sentence : files.join(", ")}`);
  }

  listen(listener: ThreadListener): void {
    this.#listener = listener;
  }

  /** Its answer is `done`, or `ended`. */
  send(order: ScriptOrder, transfer: ArrayBuffer[]): void {
    if (this.#isOver) return;
    if (this.#waiting++ === 0) this.#progressed();
    this.#worker.postMessage(order, transfer);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    this.#end(null);
  }

  #hear(report: ScriptReport): void {
    if (report.kind === "done" || report.kind === "ended") {
      this.#waiting--;
      this.#progressed();
    }
    if (report.kind === "failed") this.#end(report.reason);
    else if (report.kind === "done") this.#listener?.done(report);
    else if (report.kind === "aside" || report.kind === "ended") this.#listener?.aside(report);
  }

  #progressed(): void {
    this.#seen = Atomics.load(this.#progress, 0);
    this.#seenAtMs = performance.now();
    this.#seenBytes = 0;
  }

  #look(): void {
    if (this.#waiting === 0) return;
    if (Atomics.load(this.#progress, 0) !== this.#seen) this.#progressed();
    else if (performance.now() - this.#seenAtMs > this.#hangMs) {
      this.#end(`a call of the script did not return within ${this.#hangMs / 1000} s`);
    } else {
      const bytes = residentBytes();
      if (this.#seenBytes === 0) this.#seenBytes = bytes;
      else if (bytes - this.#seenBytes > CALL_BYTES) this.#end(IS_FULL);
    }
  }

  #end(reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    void this.#worker.terminate();
    this.#listener?.over(reason);
  }
}

function reasonOf(error: Error & { code?: string }): string {
  if (error.code === "ERR_WORKER_OUT_OF_MEMORY") return IS_FULL;
  return error.message;
}

/** Of this process; 0 while no descriptor is left to read it by. */
function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0;
  }
}
