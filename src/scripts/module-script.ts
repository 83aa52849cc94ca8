import { spawnSync } from "node:child_process";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Packet, Script, Transaction } from "../../types/script.d.ts";
import { type LoadedScript, ScriptRefusal, type SliceCalls } from "./loaded-script.ts";
import { Place, type Slice, type Wants } from "./messages.ts";
import { PacketReader } from "./packet-reader.ts";
import type { ScriptLog } from "./script-log.ts";

const HOOKS = ["packet", "transaction", "tick", "end"] as const;

/** A script of JavaScript: a module, of whose exports these are called. It is the operator's own program, and may do what tcplat may. */
export class ModuleScript implements LoadedScript {
  readonly wants: Wants;
  readonly #name: string;
  readonly #script: Script;
  #reader: PacketReader | null = null;

  private constructor(name: string, script: Script) {
    this.#name = name;
    this.#script = script;
    this.wants = {
      packet: script.packet !== undefined,
      transaction: script.transaction !== undefined,
      tick: script.tick !== undefined,
    };
  }

  /** Throws ScriptRefusal. */
  static async open(name: string): Promise<ModuleScript> {
    let exported: Readonly<Record<string, unknown>>;
    try {
      exported = await import(pathToFileURL(resolve(name)).href);
    } catch (error) {
      throw new ScriptRefusal(error instanceof SyntaxError ? checked(name, error) : placed(name, error));
    }
    const hooks = HOOKS.filter((hook) => typeof exported[hook] === "function");
    const wrong = HOOKS.find((hook) => exported[hook] !== undefined && typeof exported[hook] !== "function");
    if (wrong !== undefined) throw new ScriptRefusal(`${name}: its export ${wrong} is no function`);
    if (hooks.length === 0) {
      throw new ScriptRefusal(`${name}: it exports none of ${HOOKS.join(", ")}: one of them must be a function`);
    }
    return new ModuleScript(name, exported as Script);
  }

  run(slice: Slice, log: ScriptLog, beat: () => void): SliceCalls {
    const calls = { packet: 0, transaction: 0, tick: 0 };
    const lines = Buffer.from(slice.told.buffer, slice.told.byteOffset, slice.told.length)
      .toString("latin1")
      .split("\n");
    let told = 0;
    const tellUntil = (frame: number) => {
      for (; told < slice.toldAt.length && slice.toldAt[told]! <= frame; told++) {
        if (this.#script.transaction === undefined) continue;
        log.place = Place.ofTransaction(slice.toldAt[told]!);
        const transaction = JSON.parse(lines[told]!) as Transaction;
        this.#call(log, () => this.#script.transaction!(transaction));
        calls.transaction++;
        beat();
      }
    };
    if (this.wants.packet) calls.packet = this.#packets(slice, log, beat, tellUntil);
    tellUntil(Number.POSITIVE_INFINITY);
    if (slice.tick !== null && this.#script.tick !== undefined) {
      const { tick } = slice;
      log.place = Place.last;
      this.#call(log, () => this.#script.tick!(tick));
      calls.tick++;
      beat();
    }
    return calls;
  }

  async end(log: ScriptLog): Promise<void> {
    log.place = Place.last;
    try {
      await this.#script.end?.();
    } catch (error) {
      log.fail(placed(this.#name, error));
    }
  }

  #packets(slice: Slice, log: ScriptLog, beat: () => void, done: (frame: number) => void): number {
    this.#reader ??= new PacketReader(slice.linkType);
    const reader = this.#reader;
    const view = new PacketView(reader, slice.frames);
    let calls = 0;
    for (let at = 0, frame = 1; at < slice.length; at = reader.next, frame++) {
      if (reader.read(slice.frames, at)) {
        log.place = Place.ofPacket(frame);
        this.#call(log, () => this.#script.packet!(view));
        calls++;
        beat();
      }
      done(frame);
    }
    return calls;
  }

  #call(log: ScriptLog, call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error) => log.fail(placed(this.#name, error)));
    } catch (error) {
      log.fail(placed(this.#name, error));
    }
  }
}

/** The packet last read, as scripts see it. */
class PacketView implements Packet {
  readonly #reader: PacketReader;
  readonly #frames: Uint8Array;

  constructor(reader: PacketReader, frames: Uint8Array) {
    this.#reader = reader;
    this.#frames = frames;
  }

  get protocol(): "tcp" | "udp" {
    return this.#reader.packet.isTcp ? "tcp" : "udp";
  }
  get time_us(): number {
    const { seconds, microseconds } = this.#reader.packet;
    return seconds * 1e6 + microseconds;
  }
  get tv_sec(): number {
    return this.#reader.packet.seconds;
  }
  get tv_usec(): number {
    return this.#reader.packet.microseconds;
  }
  get sip(): string {
    return this.#reader.packet.source;
  }
  get sport(): number {
    return this.#reader.packet.sourcePort;
  }
  get dip(): string {
    return this.#reader.packet.destination;
  }
  get dport(): number {
    return this.#reader.packet.destinationPort;
  }
  get seq(): number | null {
    return this.#ofTcp(this.#reader.packet.sequence);
  }
  get ack(): number | null {
    return this.#ofTcp(this.#reader.packet.acknowledgement);
  }
  get flags(): number | null {
    return this.#ofTcp(this.#reader.packet.flags);
  }
  get window(): number | null {
    return this.#ofTcp(this.#reader.packet.window);
  }
  get payload(): Uint8Array {
    const { payloadStart, payloadBytes } = this.#reader.packet;
    return this.#frames.subarray(payloadStart, payloadStart + payloadBytes);
  }
  get size(): number {
    return this.#reader.packet.payloadBytes;
  }
  get length(): number {
    return this.#reader.packet.wireBytes;
  }

  #ofTcp(value: number): number | null {
    return this.#reader.packet.isTcp ? value : null;
  }
}

/** A module's syntax error says nothing of the place: `node --check` writes it in the first line. */
function checked(name: string, error: SyntaxError): string {
  const { stderr = "" } = spawnSync(process.execPath, ["--check", resolve(name)], { encoding: "utf8" });
  const [, line] = /^.*:(\d+)\n/.exec(stderr) ?? [];
  return line === undefined ? placed(name, error) : `${name}:${line}: SyntaxError: ${error.message}`;
}

/** An error's message behind the script's name and the line where it came from, as far as its stack tells. */
export function placed(name: string, error: unknown): string {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error), { cause: error });
  const text = `${error instanceof Error ? `${error.name}: ` : ""}${message}`.replaceAll(/\s+/g, " ");
  const file = basename(pathToFileURL(name).pathname).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const [, line] = new RegExp(`${file}:(\\d+)`).exec(stack) ?? [];
  return `${name}:${line === undefined ? "" : `${line}:`} ${text}`;
}
