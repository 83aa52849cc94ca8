/** `linux/filter.h`: offsets from the network header, and what the kernel knows of a frame besides its bytes. */
const NETWORK = -0x100000;
const AUXILIARY = -0x1000;
const ETHERNET_BYTES = 14;
const LOADS: Readonly<Record<number, number>> = { 0: 4, 8: 2, 16: 1 };

/**
 * Runs a program of classic BPF, as far as the fanout's needs it (`linux/bpf_common.h`, networking/filter.rst), on an Ethernet
 * frame without tags, from which the kernel has taken one off, and where `tags` are left. A load beyond the end ends it with 0.
 */
export function memberOf(program: Buffer, frame: Uint8Array, tags: readonly number[]): number {
  const etherType = (frame[12]! << 8) | frame[13]!;
  const inner = tags.flatMap((_, index) => {
    const next = tags[index + 1] ?? etherType;
    return [0, 10 + index, next >> 8, next & 255];
  });
  const packet = Uint8Array.from([...inner, ...frame.subarray(ETHERNET_BYTES)]);
  const run = new Run(packet, tags[0] ?? etherType);
  for (let at = 0; ; at++) {
    const offset = at * 8;
    const code = program.readUInt16LE(offset);
    const k = program.readUInt32LE(offset + 4);
    if ((code & 7) === 6) return code === 0x16 ? run.a : k;
    if ((code & 7) === 5) at += program[offset + (run.holds(code, k) ? 2 : 3)]!;
    else if (!run.step(code, k)) return 0;
  }
}

class Run {
  a = 0;
  #x = 0;
  readonly #memory = new Uint32Array(16);
  readonly #packet: Uint8Array;
  readonly #protocol: number;

  constructor(packet: Uint8Array, protocol: number) {
    this.#packet = packet;
    this.#protocol = protocol;
  }

  holds(code: number, k: number): boolean {
    if (code === 0x15) return this.a === k;
    if (code === 0x45) return (this.a & k) !== 0;
    throw new Error(`jump ${code.toString(16)}`);
  }

  /** False where it loads what is not there. */
  step(code: number, k: number): boolean {
    if ((code & 0xe7) === 0x20 || (code & 0xe7) === 0x40) {
      const base = (code & 0xe7) === 0x40 ? this.#x : 0;
      const value = this.#load((base + k) | 0, LOADS[code & 0x18]!);
      this.a = value ?? 0;
      return value !== null;
    }
    this.#compute(code, k);
    return true;
  }

  #load(offset: number, bytes: number): number | null {
    if (offset === AUXILIARY) return this.#protocol;
    const start = offset - NETWORK;
    if (start < 0 || start + bytes > this.#packet.length) return null;
    return this.#packet.subarray(start, start + bytes).reduce((all, byte) => ((all << 8) | byte) >>> 0, 0);
  }

  #compute(code: number, k: number): void {
    if (code === 0x60) this.a = this.#memory[k]!;
    else if (code === 0x61) this.#x = this.#memory[k]!;
    else if (code === 0x01) this.#x = k;
    else if (code === 0x02) this.#memory[k] = this.a;
    else if (code === 0x03) this.#memory[k] = this.#x;
    else if (code === 0x07) this.#x = this.a;
    else if (code === 0x0c) this.a = (this.a + this.#x) >>> 0;
    else if (code === 0x24) this.a = Math.imul(this.a, k) >>> 0;
    else if (code === 0x54) this.a = (this.a & k) >>> 0;
    else if (code === 0x64) this.a = (this.a << k) >>> 0;
    else if (code === 0x74) this.a = this.a >>> k;
    else if (code === 0xac) this.a = (this.a ^ this.#x) >>> 0;
    else throw new Error(`instruction ${code.toString(16)}`);
  }
}
