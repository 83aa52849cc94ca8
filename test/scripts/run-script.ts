import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LuaScript } from "../../src/scripts/lua-script.ts";
import type { ScriptError, Slice } from "../../src/scripts/messages.ts";
import { ScriptLog } from "../../src/scripts/script-log.ts";
import { recordOf } from "../support/segments.ts";

/** What a script did with some frames. */
export interface Ran {
  /** The lines printed, as latin1. */
  readonly lines: readonly string[];
  readonly errors: readonly ScriptError[];
}

/** A slice of these frames, all captured at `timeUs`. */
export function sliceOf(frames: readonly Uint8Array[], timeUs: number, linkType = 1, snaplen = 65535): Slice {
  const records = Buffer.concat(frames.map((frame) => recordOf(timeUs, frame, snaplen)));
  const bytes = new Uint8Array(records.length);
  bytes.set(records);
  return {
    kind: "slice",
    linkType,
    frames: bytes,
    length: bytes.length,
    told: new Uint8Array(0),
    toldAt: [],
    tick: null,
  };
}

/** Runs a Lua script, in this thread, on slices. Throws ScriptRefusal. */
export function runLua(source: string, ...slices: readonly Slice[]): Ran {
  const folder = mkdtempSync(join(tmpdir(), "tcplat-script-"));
  const file = join(folder, "script.lua");
  writeFileSync(file, Buffer.from(source, "latin1"));
  try {
    const log = new ScriptLog();
    const script = new LuaScript(file, log);
    for (const slice of slices) script.run(slice, log, () => {});
    const text = Buffer.from(log.takePrinted().bytes).toString("latin1");
    const errors = log
      .takeErrors()
      .map(({ message, count }) => ({ message: message.replace(file, "script.lua"), count }));
    return { lines: text.split("\n").slice(0, -1), errors };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
