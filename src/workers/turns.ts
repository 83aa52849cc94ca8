/** A worker has taken all its frames, and told all of it. */
const DONE = 2n ** 62n;
const RUNNING = 0n;
const STOPPING = -1n;

/** Memory that all threads of a run share: see `Turns`. */
export interface TurnsMemory {
  readonly positions: SharedArrayBuffer;
  readonly reaches: SharedArrayBuffer;
  readonly stop: SharedArrayBuffer;
}

/** Makes the memory for so many workers. */
export function turnsMemory(workers: number): TurnsMemory {
  const words = (count: number) => new SharedArrayBuffer(count * BigInt64Array.BYTES_PER_ELEMENT);
  return { positions: words(workers), reaches: words(workers), stop: words(1) };
}

/**
 * How far each worker has read the file that all of them read, so that what only one of them can know is asked in the order
 * of the frames, and so that all stop at the same one. A position is twice a frame's number, and one more once what the
 * passing of time brings is through; the one who waits has published its own, so that the hindmost never waits.
 */
export class Turns {
  readonly #positions: BigInt64Array;
  readonly #reaches: BigInt64Array;
  readonly #stop: BigInt64Array;

  constructor(memory: TurnsMemory) {
    this.#positions = new BigInt64Array(memory.positions);
    this.#reaches = new BigInt64Array(memory.reaches);
    this.#stop = new BigInt64Array(memory.stop);
  }

  /** How many of the `wanted` frames this worker may take, having taken `frames`; 0: it must stop here. */
  allowed(worker: number, frames: number, wanted: number): number {
    Atomics.store(this.#reaches, worker, BigInt(frames + wanted));
    let stop = Atomics.load(this.#stop, 0);
    if (stop === RUNNING) return wanted;
    // The main thread is about to say where: it has seen everybody's reach.
    while (stop === STOPPING) {
      Atomics.wait(this.#stop, 0, STOPPING);
      stop = Atomics.load(this.#stop, 0);
    }
    return Math.max(0, Math.min(wanted, Number(stop) - 1 - frames));
  }

  /** Whatever comes from this worker comes at this position or later. */
  publish(worker: number, frame: number, isInTurn: boolean): void {
    this.#set(worker, BigInt(frame) * 2n + (isInTurn ? 1n : 0n));
  }

  /** Nothing more comes from this worker. */
  done(worker: number): void {
    this.#set(worker, DONE);
  }

  /** Live: this worker has taken so many frames. */
  count(worker: number, frames: number): void {
    Atomics.store(this.#reaches, worker, BigInt(frames));
  }

  /** Frames taken so far, within a slice: by the hindmost of those that read one file, or live by all together. */
  frames(isLive: boolean): number {
    let sum = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let worker = 0; worker < this.#reaches.length; worker++) {
      const frames = Number(Atomics.load(this.#reaches, worker));
      sum += frames;
      least = Math.min(least, frames);
    }
    return isLive ? sum : least;
  }

  /** Waits until all the others are beyond this position. */
  wait(worker: number, frame: number, isInTurn: boolean): void {
    this.publish(worker, frame, isInTurn);
    const mine = this.#positions[worker]!;
    for (let other = 0; other < this.#positions.length; other++) {
      if (other === worker) continue;
      for (;;) {
        const position = Atomics.load(this.#positions, other);
        if (position > mine || (position === mine && other > worker)) break;
        Atomics.wait(this.#positions, other, position);
      }
    }
  }

  /** Main thread: all workers stop behind the same frame, a few hundred frames from here at most. */
  stopAll(): void {
    if (Atomics.compareExchange(this.#stop, 0, RUNNING, STOPPING) !== RUNNING) return;
    let last = 0n;
    for (let worker = 0; worker < this.#reaches.length; worker++) {
      const reach = Atomics.load(this.#reaches, worker);
      if (reach > last) last = reach;
    }
    Atomics.store(this.#stop, 0, last + 1n);
    Atomics.notify(this.#stop, 0);
  }

  #set(worker: number, position: bigint): void {
    Atomics.store(this.#positions, worker, position);
    Atomics.notify(this.#positions, worker);
  }
}
