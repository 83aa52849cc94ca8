import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { LUA_PRELUDE } from "./lua-prelude.ts";
import { Instance, Memory, Module, type WasmInstance, type WasmMemory } from "./web-assembly.ts";

/** WebAssembly's pages of 64 KiB: Lua has no more than 64 MiB for a script, its tables and texts included. */
const MEMORY_PAGES = 1024;
/** Room for what is handed over at once: a batch, or a script's text. */
export const LUA_TEXT_BYTES = 1_048_576;
/** Texts up to 40 bytes are shared and hashed when they are made (lstring.h, LUAI_MAXSHORTLEN); longer ones may be filled in afterwards. */
const LONG_BYTES = 41;
const LUA_OK = 0;

/** What is used of Lua's C interface (Lua 5.2 manual §4.8), as Emscripten exports it: texts are addresses of their first byte. */
interface LuaExports {
  _malloc(bytes: number): number;
  _luaL_newstate(): number;
  _luaL_openlibs(state: number): void;
  _luaL_loadstring(state: number, text: number): number;
  _lua_pushstring(state: number, text: number): number;
  _lua_pushvalue(state: number, index: number): void;
  _lua_settop(state: number, index: number): void;
  _lua_tolstring(state: number, index: number, lengthAt: number): number;
  _lua_pcallk(state: number, args: number, results: number, handler: number, context: number, k: number): number;
}
type Glue = (settings: {
  print(text: string): void;
  printErr(text: string): void;
  instantiateWasm(imports: object, done: (instance: WasmInstance) => void): object;
}) => LuaExports;

/** Lua itself did not come back with an answer: out of memory, mostly. */
export class LuaFault extends Error {}

const OPEN = 1;
const RUN = 2;

/**
 * Lua 5.2, the very one that tcpkit embeds, in WebAssembly (package lua-wasm-bindings, of which only the compiled Lua is used).
 * Texts are bytes, NUL and all.
 */
export class LuaMachine {
  readonly #lua: LuaExports;
  readonly #memory: WasmMemory;
  readonly #state: number;
  /** Where texts are handed over: filled with ones, which are no NUL. */
  readonly #textAt: number;
  readonly #lengthAt: number;

  constructor() {
    const { lua, memory } = instantiate();
    this.#lua = lua;
    this.#memory = memory;
    this.#lengthAt = lua._malloc(4);
    this.#textAt = lua._malloc(LUA_TEXT_BYTES + 1);
    this.#bytes().fill(1, this.#textAt, this.#textAt + LUA_TEXT_BYTES);
    this.#state = lua._luaL_newstate();
    lua._luaL_openlibs(this.#state);
    this.#loadPrelude();
  }

  /** Loads a script. Returns what it printed, and its error with file and line, or "". */
  open(source: Buffer, name: string): { readonly printed: Buffer; readonly error: string } {
    const [printed, error] = this.#call(OPEN, [source, Buffer.from(name)], 2);
    return { printed: printed!, error: error!.toString("latin1") };
  }

  /** Calls `process` for the packets of `batch`; an empty one: for those that the last call left. Five texts: lua-prelude.ts. */
  run(batch: Uint8Array): readonly Buffer[] {
    return this.#call(RUN, [batch], 5);
  }

  #loadPrelude(): void {
    const loader = this.#makeCString(`return assert(load(..., "=tcplat", "t"))()`);
    this.#lua._luaL_loadstring(this.#state, loader);
    this.#push(Buffer.from(LUA_PRELUDE));
    // Leaves the two functions at the bottom of the stack.
    this.#check(this.#lua._lua_pcallk(this.#state, 1, 2, 0, 0, 0));
  }

  #call(of: number, texts: readonly Uint8Array[], results: number): readonly Buffer[] {
    this.#lua._lua_settop(this.#state, RUN);
    this.#lua._lua_pushvalue(this.#state, of);
    for (const text of texts) this.#push(text);
    this.#check(this.#lua._lua_pcallk(this.#state, texts.length, results, 0, 0, 0));
    const found = Array.from({ length: results }, (_, index) => this.#text(index - results));
    this.#lua._lua_settop(this.#state, RUN);
    return found;
  }

  #check(status: number): void {
    if (status !== LUA_OK) throw new LuaFault(this.#text(-1).toString("latin1"));
  }

  /** A text of any bytes: Lua copies as many ones, which are then overwritten where its copy lies. */
  #push(text: Uint8Array): void {
    if (text.length > LUA_TEXT_BYTES) throw new Error(`a text of ${text.length} bytes for Lua`);
    const end = this.#textAt + text.length;
    if (text.length < LONG_BYTES) {
      if (text.includes(0)) throw new Error("a short text for Lua holds NUL");
      this.#bytes().set(text, this.#textAt);
    }
    this.#bytes()[end] = 0;
    const copy = this.#lua._lua_pushstring(this.#state, this.#textAt);
    const bytes = this.#bytes();
    if (text.length < LONG_BYTES) bytes.fill(1, this.#textAt, end + 1);
    else {
      bytes[end] = 1;
      bytes.set(text, copy);
    }
  }

  #text(index: number): Buffer {
    const start = this.#lua._lua_tolstring(this.#state, index, this.#lengthAt);
    if (start === 0) return Buffer.alloc(0);
    const length = new DataView(this.#memory.buffer).getUint32(this.#lengthAt, true);
    return Buffer.from(this.#bytes().subarray(start, start + length));
  }

  #makeCString(text: string): number {
    const bytes = Buffer.from(`${text}\0`);
    const at = this.#lua._malloc(bytes.length);
    this.#bytes().set(bytes, at);
    return at;
  }

  /** Made anew each time: the memory's buffer is another one once it has grown. */
  #bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }
}

function instantiate(): { readonly lua: LuaExports; readonly memory: WasmMemory } {
  const require = createRequire(import.meta.url);
  const glue = require("lua-wasm-bindings/dist/glue/glue-lua-5.2.4.js") as Glue;
  const program = readFileSync(require.resolve("lua-wasm-bindings/dist/glue/glue-lua-5.2.4.wasm"));
  let memory: WasmMemory | undefined;
  const listeners = remembered();
  const lua = glue({
    print: () => {},
    printErr: () => {},
    instantiateWasm: (imports, done) => {
      const instance = new Instance(new Module(program), imports);
      memory = Object.values(instance.exports).find((each) => each instanceof Memory);
      if (memory !== undefined) limit(memory);
      done(instance);
      return instance.exports;
    },
  });
  listeners.restore();
  if (memory === undefined) throw new Error("Lua's memory was not found");
  return { lua, memory };
}

/** What Emscripten makes of a memory that does not grow is a `malloc` that returns 0, and Lua of that an error. */
function limit(memory: WasmMemory): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength / 65_536 + pages > MEMORY_PAGES) throw new RangeError("the script's memory is full");
    return grow(pages);
  };
}

/** Emscripten listens for the program's uncaught errors, and ends it: what it adds is taken away again. */
function remembered(): { restore(): void } {
  const events = ["uncaughtException", "unhandledRejection"];
  const before = events.map((event) => process.listeners(event as "exit"));
  return {
    restore: () => {
      events.forEach((event, index) => {
        for (const listener of process.listeners(event as "exit")) {
          if (!before[index]!.includes(listener)) process.removeListener(event, listener);
        }
      });
    },
  };
}
