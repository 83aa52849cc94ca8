import { MAX_SERVERS, type ServerDirectory } from "../connection/servers.ts";

/** The longest is an IPv6 address in brackets and a port: 47. */
const NAME_BYTES = 64;
const COUNT = 0;
const LOCK = 1;
const HEADER_BYTES = 8;

/** Makes the memory that the workers of a run share. */
export function serverNamesMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + MAX_SERVERS * NAME_BYTES);
}

/** The servers found by all workers, in shared memory; each keeps what it has read. Entries are never changed. */
export class ServerNames implements ServerDirectory {
  readonly #header: Int32Array;
  readonly #names: Uint8Array;
  readonly #ids = new Map<string, number>();
  readonly #waitTurn: () => void;

  /** `waitTurn` returns once nobody can find a server any more that was found before, in the order of the frames. */
  constructor(memory: SharedArrayBuffer, waitTurn: () => void) {
    this.#header = new Int32Array(memory, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#names = new Uint8Array(memory, HEADER_BYTES);
    this.#waitTurn = waitTurn;
  }

  idOf(text: string): number {
    const known = this.#look(text);
    if (known !== 0 || this.#ids.size >= MAX_SERVERS) return known;
    this.#waitTurn();
    return this.#look(text);
  }

  enter(text: string): number {
    const known = this.idOf(text);
    if (known !== 0) return known;
    while (Atomics.compareExchange(this.#header, LOCK, 0, 1) !== 0) Atomics.wait(this.#header, LOCK, 1, 1);
    const id = this.#look(text) || this.#append(text);
    Atomics.store(this.#header, LOCK, 0);
    Atomics.notify(this.#header, LOCK);
    return id;
  }

  #look(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const count = Atomics.load(this.#header, COUNT);
    for (let index = this.#ids.size; index < count; index++) this.#ids.set(this.#read(index), index + 1);
    return this.#ids.get(text) ?? 0;
  }

  #append(text: string): number {
    const count = Atomics.load(this.#header, COUNT);
    if (count >= MAX_SERVERS) return 0;
    for (let i = 0; i < text.length; i++) this.#names[count * NAME_BYTES + i] = text.charCodeAt(i);
    Atomics.store(this.#header, COUNT, count + 1);
    this.#ids.set(text, count + 1);
    return count + 1;
  }

  #read(index: number): string {
    const bytes = this.#names.slice(index * NAME_BYTES, (index + 1) * NAME_BYTES);
    const end = bytes.indexOf(0);
    return String.fromCharCode(...bytes.subarray(0, end));
  }
}
