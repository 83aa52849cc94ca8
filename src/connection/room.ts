/** Room that several tables share: one word, how much of it is taken. */
export function sharedRoom(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/**
 * Room for so many connections: one table's, or, with workers, that of all their tables together. What is shared out by a hash is not
 * shared out evenly: a table with a fixed part of the room would evict connections while others have room left. So much is each table's
 * own all the same: what others have kept of connections that have ended must not drive out one that is alive.
 */
export class ConnectionRoom {
  readonly capacity: number;
  /** The part of it that is one table's own. */
  readonly part: number;
  private readonly taken: Int32Array;

  /** `shared`: `sharedRoom()` of all `tables`. */
  constructor(capacity: number, tables = 1, shared: SharedArrayBuffer | null = null) {
    this.capacity = capacity;
    this.part = Math.ceil(capacity / tables);
    this.taken = new Int32Array(shared ?? new ArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  }

  get isFull(): boolean {
    return Atomics.load(this.taken, 0) >= this.capacity;
  }

  take(): void {
    Atomics.add(this.taken, 0, 1);
  }

  giveBack(): void {
    Atomics.sub(this.taken, 0, 1);
  }
}
