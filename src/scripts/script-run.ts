import { setPriority } from "node:os";
import type { MessagePort } from "node:worker_threads";
import { type LoadedScript, ScriptRefusal } from "./loaded-script.ts";
import { LuaScript } from "./lua-script.ts";
import { Place, type ScriptOrder, type ScriptReport, type ScriptsStart, type Slice } from "./messages.ts";
import { ModuleScript, placed } from "./module-script.ts";
import { IS_FULL, ScriptHeap } from "./script-heap.ts";
import { ScriptLog } from "./script-log.ts";

/** How much less than capturing scripts are worth to the scheduler (`nice`). */
const NICE = 10;

/** The thread of the scripts: loads them, says what they want, and runs what it is sent. */
export async function startScripts(start: ScriptsStart, port: MessagePort): Promise<void> {
  const log = new ScriptLog();
  if (start.isLive) yieldToCapture();
  catchOutput(log);
  try {
    const scripts: LoadedScript[] = [];
    for (const file of start.files) scripts.push(await loaded(file, log));
    new ScriptRun(scripts, log, start, port).begin();
  } catch (error) {
    if (!(error instanceof ScriptRefusal)) throw error;
    port.postMessage({ kind: "refused", sentence: error.message } satisfies ScriptReport);
  }
}

async function loaded(file: string, log: ScriptLog): Promise<LoadedScript> {
  return file.endsWith(".lua") ? new LuaScript(file, log) : await ModuleScript.open(file);
}

/** On Linux this is of the calling thread alone. */
function yieldToCapture(): void {
  try {
    setPriority(NICE);
  } catch {
    // Where that is forbidden, scripts and capture share the CPU evenly.
  }
}

/** What scripts print goes to the main thread, which puts it in order with the records. */
function catchOutput(log: ScriptLog): void {
  process.stdout.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    log.print(typeof text === "string" ? Buffer.from(text) : text.slice());
    const done = rest.at(-1);
    if (typeof done === "function") queueMicrotask(() => done());
    return true;
  };
}

class ScriptRun {
  readonly #scripts: readonly LoadedScript[];
  readonly #log: ScriptLog;
  readonly #port: MessagePort;
  readonly #progress: Int32Array;
  readonly #files: readonly string[];
  readonly #heap = new ScriptHeap();

  constructor(scripts: readonly LoadedScript[], log: ScriptLog, start: ScriptsStart, port: MessagePort) {
    this.#scripts = scripts;
    this.#log = log;
    this.#port = port;
    this.#progress = new Int32Array(start.progress);
    this.#files = start.files;
  }

  begin(): void {
    const wants = (hook: "packet" | "transaction" | "tick") => this.#scripts.some((script) => script.wants[hook]);
    this.#listenForErrors();
    this.#waitForAsides();
    this.#port.on("message", (order: ScriptOrder) => {
      if (order.kind === "end") void this.#end();
      else this.#tryToRun(order);
    });
    this.#tell({
      kind: "ready",
      wants: { packet: wants("packet"), transaction: wants("transaction"), tick: wants("tick") },
      printed: this.#log.takePrinted(),
    });
  }

  /** What a script throws is caught where it is called; anything else is Lua's own end, or a bug. */
  #tryToRun(slice: Slice): void {
    try {
      this.#run(slice);
      if (this.#heap.isFull()) this.#tell({ kind: "failed", reason: IS_FULL });
    } catch (error) {
      this.#tell({ kind: "failed", reason: (error as Error).message });
    }
  }

  #run(slice: Slice): void {
    const calls = { packet: 0, transaction: 0, tick: 0 };
    this.#tellAside();
    this.#log.onAside = null;
    for (const script of this.#scripts) {
      const of = script.run(slice, this.#log, () => Atomics.add(this.#progress, 0, 1));
      calls.packet += of.packet;
      calls.transaction += of.transaction;
      calls.tick += of.tick;
    }
    const { frames } = slice;
    const printed = this.#log.takePrinted();
    this.#tell({ kind: "done", frames, printed, calls, errors: this.#log.takeErrors() }, [frames.buffer]);
    this.#log.place = Place.last;
    this.#waitForAsides();
  }

  #waitForAsides(): void {
    this.#log.onAside = () => {
      this.#log.onAside = null;
      setImmediate(() => {
        this.#tellAside();
        this.#waitForAsides();
      });
    };
  }

  async #end(): Promise<void> {
    for (const script of this.#scripts) await script.end(this.#log);
    this.#tell({ kind: "ended", printed: this.#log.takePrinted(), errors: this.#log.takeErrors() });
  }

  /** What came of callbacks since the last slice. */
  #tellAside(): void {
    if (this.#log.isEmpty) return;
    this.#tell({ kind: "aside", printed: this.#log.takePrinted(), errors: this.#log.takeErrors() });
  }

  /** An error that nobody catches ends a callback of the script's, not the thread. */
  #listenForErrors(): void {
    const fail = (error: unknown) => {
      const { stack = "" } = error instanceof Error ? error : new Error(String(error));
      const file = this.#files.find((each) => stack.includes(each.slice(each.lastIndexOf("/") + 1)));
      this.#log.fail(placed(file ?? this.#files[0]!, error));
    };
    process.on("uncaughtException", fail);
    process.on("unhandledRejection", fail);
  }

  #tell(report: ScriptReport, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(report, transfer);
  }
}
