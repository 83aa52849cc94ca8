import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { constants, Script } from "node:vm";

/**
 * While frames are taken. The heap may grow so much beyond what is alive before V8 collects it (V8 itself lets it grow to a multiple), and the room for
 * new objects stays as it is at the start: 25 MB less in the worst hour, and no slower in an ordinary one. That room is a megabyte, which
 * one thread has tidied before others have come to help (a sixth of the CPU where connections come and go; `churn`).
 *
 * A frame passes through a hundred small functions: V8 may join twice as much of them into one as it would by itself. That is 7 to 12 % of all that is
 * done for a file of any kind, and 18 % of a long one (`read-unpipelined`, `read-long`); with 1600 less, and from 3000 on as well.
 */
const RUNNING = [
  "--heap-growing-percent=10",
  "--semi-space-growth-factor=1",
  "--no-parallel-scavenge",
  "--max-inlined-bytecode-size-cumulative=2000",
];
/** V8's own. */
const STARTING = [
  "--heap-growing-percent=0",
  "--semi-space-growth-factor=2",
  "--parallel-scavenge",
  "--max-inlined-bytecode-size-cumulative=920",
];

/** Where the build keeps what V8 made of the files beside this one: only this very Node can use it. */
const COMPILED = join(import.meta.dirname, "compiled", `${process.version}-${process.platform}-${process.arch}`);
/** Two lengths, each u32: of how Node was built with the source, and of what V8 made of it. The first is behind them, then twice the other. */
const HEADER_BYTES = 8;
/** A distribution's Node has the version of another. */
const BUILD = JSON.stringify(process.config);

/** Node's own, which every file of CommonJS passes (`lib/internal/modules/cjs/loader.js`). */
interface CommonJs {
  exports: unknown;
  _compile(code: string, file: string, ...more: unknown[]): unknown;
}

/** Keeps what V8 has made of one file of the program; called when it has made all it will. */
export type Keep = (place: string, contents: () => Buffer) => void;

let isSettled = false;
let isRunning = false;

/**
 * Sees to it that V8 takes what it has compiled already; called before anything else is loaded. A start takes little more than half as long so (`start-up`); V8 refuses
 * what was made with other flags, or by another V8, and compiles anew. `keep` hears of each file of the program.
 */
export function settleV8(keep: Keep = () => {}): void {
  if (isSettled) return;
  isSettled = true;
  // Has its effect on the command line only, where it is said already (scripts/project.mjs). What is compiled with it and without is the same.
  setFlagsFromString("--no-concurrent-recompilation");
  useCompiled(keep);
}

/**
 * Bounds the memory that garbage takes, and lets V8 work for many frames: a daemon's worst hour must fit beside the server that it watches. Ordinary
 * traffic makes hardly any garbage, so that costs nothing; with 100,000 connections it saves 150 MB (native-notes/limits.md).
 *
 * Called when everything is loaded: what was compiled with other flags V8 refuses, Node's own modules included, and a thread loads all of
 * these (two workers' start took 50 ms longer, and 100 of CPU; `workers`).
 */
export function settleForFrames(): void {
  isRunning = true;
  RUNNING.forEach(setFlagsFromString);
}

/** Compiles, or takes what was compiled, with the flags of every start. */
function asAtStart<T>(make: () => T): T {
  if (!isRunning) return make();
  STARTING.forEach(setFlagsFromString);
  try {
    return make();
  } finally {
    settleForFrames();
  }
}

/** Node 22 can do this by itself, for a folder that it writes to while it runs. */
function useCompiled(keep: Keep): void {
  const commonJs = Module.prototype as unknown as CommonJs;
  const compile = commonJs._compile;
  commonJs._compile = function (code, file, ...more) {
    const isOurs = dirname(file) === import.meta.dirname && !code.startsWith("#!");
    if (!isOurs) return compile.call(this, code, file, ...more);
    const place = join(COMPILED, `${basename(file)}.cache`);
    const source = Buffer.from(BUILD + code);
    const options = {
      filename: file,
      cachedData: readCompiled(place, source),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    };
    const script = asAtStart(() => new Script(Module.wrap(code), options));
    keep(place, () =>
      contentsOf(
        source,
        asAtStart(() => script.createCachedData()),
      ),
    );
    const run = script.runInThisContext();
    return run.call(this.exports, this.exports, createRequire(file), this, file, dirname(file));
  };
}

/**
 * What V8 made of this very source; undefined where there is nothing, or nothing to rely on: V8 itself looks at the lengths only, and runs whatever a bad disk or an
 * edited file has left of it. Two copies are compared in a tenth of a millisecond, where a digest takes ten.
 */
function readCompiled(place: string, source: Buffer): Buffer | undefined {
  try {
    const file = readFileSync(place);
    const bytes = file.readUInt32LE(4);
    const at = HEADER_BYTES + source.length;
    const compiled = file.subarray(at, at + bytes);
    const isWhole = file.readUInt32LE(0) === source.length && file.length === at + 2 * bytes;
    const isSame = source.equals(file.subarray(HEADER_BYTES, at)) && compiled.equals(file.subarray(at + bytes));
    return isWhole && isSame && bytes > 0 ? compiled : undefined;
  } catch {
    return undefined;
  }
}

function contentsOf(source: Buffer, compiled: Buffer): Buffer {
  const header = Buffer.from(Uint32Array.of(source.length, compiled.length).buffer);
  return Buffer.concat([header, source, compiled, compiled]);
}
