import { readFileSync } from "node:fs";
import type { LoadedScript, SliceCalls } from "./loaded-script.ts";
import { ScriptRefusal } from "./loaded-script.ts";
import { LUA_TEXT_BYTES, LuaFault, LuaMachine } from "./lua-machine.ts";
import { Place, type Slice, type Wants } from "./messages.ts";
import { PacketBatch } from "./packet-batch.ts";
import { PacketReader } from "./packet-reader.ts";
import type { ScriptLog } from "./script-log.ts";

/** Lua is asked to load at least so many bytes, blanks included (lua-machine.ts). */
const LEAST_BYTES = 64;
/** Faults of Lua itself, one after the other, after which a script is given up. */
const MAX_FAULTS = 100;

/** A script of tcpkit's: `process(packet)` for every TCP segment and UDP datagram. */
export class LuaScript implements LoadedScript {
  readonly wants: Wants = { packet: true, transaction: false, tick: false };
  readonly #name: string;
  readonly #machine = new LuaMachine();
  readonly #batch = new PacketBatch();
  #reader: PacketReader | null = null;
  #faults = 0;

  /** Throws ScriptRefusal. */
  constructor(name: string, log: ScriptLog) {
    this.#name = name;
    const source = readSource(name);
    const { printed, error } = this.#machine.open(source, name);
    log.print(printed);
    if (error !== "") throw new ScriptRefusal(error);
  }

  run(slice: Slice, log: ScriptLog, beat: () => void): SliceCalls {
    const calls = { packet: 0, transaction: 0, tick: 0 };
    this.#reader ??= new PacketReader(slice.linkType);
    const reader = this.#reader;
    for (let at = 0, frame = 1; at < slice.length; at = reader.next, frame++) {
      if (!reader.read(slice.frames, at)) continue;
      this.#batch.add(reader, slice.frames, frame);
      if (this.#batch.isFull) calls.packet += this.#runBatch(log, beat);
    }
    if (!this.#batch.isEmpty) calls.packet += this.#runBatch(log, beat);
    return calls;
  }

  async end(): Promise<void> {}

  #runBatch(log: ScriptLog, beat: () => void): number {
    const { frames } = this.#batch;
    let isDone = false;
    for (let given: Uint8Array = this.#batch.bytes; !isDone; given = new Uint8Array(0)) {
      isDone = this.#runSome(given, frames, log);
      beat();
    }
    this.#batch.clear();
    return frames.length;
  }

  /** Calls the script until it is done with the batch or has said much. Returns whether it is done. */
  #runSome(given: Uint8Array, frames: readonly number[], log: ScriptLog): boolean {
    let results: readonly Buffer[];
    try {
      results = this.#machine.run(given);
    } catch (error) {
      if (!(error instanceof LuaFault)) throw error;
      log.fail(`${this.#name}: ${error.message}`);
      if (++this.#faults >= MAX_FAULTS) throw new Error(`${this.#name} is given up: ${error.message}`);
      return false;
    }
    this.#faults = 0;
    const [printed, marks, errors, , isDone] = results.map((each) => each.toString("latin1"));
    if (marks !== "") print(results[0]!, marks!, frames, log);
    // What is printed without a mark came with an error of Lua itself.
    else if (printed !== "") log.print(results[0]!);
    for (const line of errors === "" ? [] : errors!.split("\n")) {
      const [count, message] = line.split("\t", 2);
      log.fail(message!, Number(count));
    }
    return isDone !== "";
  }
}

function print(text: Buffer, marks: string, frames: readonly number[], log: ScriptLog): void {
  let from = 0;
  for (const mark of marks.split(",")) {
    const [packet, end] = mark.split(" ").map(Number);
    log.place = Place.ofPacket(frames[packet! - 1]!);
    log.print(text.subarray(from, end));
    from = end!;
  }
}

/** The script's text, without the first line that a shell reads, but with as many lines. */
function readSource(name: string): Buffer {
  const source = readFileSync(name)
    .toString("latin1")
    .replace(/^ï»¿/, "")
    .replace(/^#[^\n]*/, "");
  if (source.startsWith("\x1b")) throw new ScriptRefusal(`${name}: compiled Lua is not taken: give its source`);
  if (source.length > LUA_TEXT_BYTES) throw new ScriptRefusal(`${name}: a script may have ${LUA_TEXT_BYTES} bytes`);
  return Buffer.from(source.padEnd(LEAST_BYTES), "latin1");
}
