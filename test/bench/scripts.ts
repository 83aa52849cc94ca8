/** What a script costs a packet, in its own thread, and what handing packets over costs the capture: `npm run bench -- scripts`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadedScript } from "../../src/scripts/loaded-script.ts";
import { LuaScript } from "../../src/scripts/lua-script.ts";
import { ModuleScript } from "../../src/scripts/module-script.ts";
import { ScriptLog } from "../../src/scripts/script-log.ts";
import { ToldRecords } from "../../src/scripts/told-records.ts";
import { transaction } from "../aggregate/fixtures.ts";
import { sliceOf } from "../scripts/run-script.ts";
import { BEGIN_US, Dialogue, frameOf } from "../support/segments.ts";
import { cpuNs, tell } from "./piece.ts";

const ROUNDS = 3;
const PACKETS = 200_000;
/** As many as a slice of 64 KB has of this size. */
const SLICE_PACKETS = 600;

const frame = frameOf(new Dialogue().client(0, "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n"));
const frames = Array.from({ length: SLICE_PACKETS }, () => frame);
const packets = sliceOf(frames, BEGIN_US);
const folder = mkdtempSync(join(tmpdir(), "tcplat-bench-"));

function file(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

/** `run` does SLICE_PACKETS of something; tells what one costs once the compiler knows it. */
function bench(work: string, run: () => void): void {
  for (let round = 1; round <= ROUNDS; round++) {
    const cpu = process.cpuUsage();
    for (let done = 0; done < PACKETS; done += SLICE_PACKETS) run();
    if (round === ROUNDS) tell(work, cpuNs(cpu) / PACKETS);
  }
}

function benchScript(work: string, script: LoadedScript, slice = packets): void {
  const log = new ScriptLog();
  bench(work, () => {
    script.run(slice, log, () => {});
    log.takePrinted();
    if (log.takeErrors().length > 0) throw new Error(`${work}: the script failed`);
  });
}

/** The records of as many transactions. */
function told(): ToldRecords {
  const records = new ToldRecords(false);
  const one = transaction();
  for (let i = 1; i <= SLICE_PACKETS; i++) records.add(one, i);
  return records;
}

const lua = (name: string, source: string) => new LuaScript(file(name, source), new ScriptLog());
benchScript("a packet to Lua, which does nothing", lua("a.lua", "function process(packet) end"));
benchScript(
  "a packet to Lua, which counts bytes by address",
  lua("b.lua", "local n = {} function process(p) n[p.sip] = (n[p.sip] or 0) + p.size end"),
);
benchScript("a packet printed by Lua, with its time", new LuaScript("examples/print-packets.lua", new ScriptLog()));
const module = (name: string, source: string) => ModuleScript.open(file(name, source));
benchScript("a packet to JavaScript, which does nothing", await module("a.mjs", "export function packet(p) {}"));
benchScript(
  "a packet to JavaScript, which counts bytes by address",
  await module(
    "b.mjs",
    "const n = new Map(); export function packet(p) { n.set(p.sip, (n.get(p.sip) ?? 0) + p.size); }",
  ),
);
benchScript(
  "a transaction to JavaScript, which counts bytes by key",
  await module(
    "c.mjs",
    "const n = new Map(); export function transaction(t) { n.set(t.key, (n.get(t.key) ?? 0) + t.response_bytes); }",
  ),
  { ...packets, length: 0, ...told().take() },
);
const copy = new Uint8Array(packets.length);
bench("a packet handed over, on the capture's side", () => copy.set(packets.frames));
bench("a transaction handed over, on the capture's side", () => void told().take());
rmSync(folder, { recursive: true });
