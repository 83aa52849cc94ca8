import { writeSync } from "node:fs";
import { RECORD_HEADER_BYTES } from "./frame-source.ts";

/** What waits for a busy reader at most: about half a second of loopback at full speed. */
const CAPACITY_BYTES = 32 << 20;

/** A bounded queue of records on its way to a non-blocking file descriptor. */
export class RecordQueue {
  /** Frames refused because the queue was full. */
  droppedFrames = 0;

  readonly #descriptor: number;
  readonly #bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  #head = 0;
  #tail = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  get pendingBytes(): number {
    return this.#tail - this.#head;
  }

  /** Appends frame[0, captured) behind its record header; counts it instead when there is no room. */
  push(seconds: number, nanoseconds: number, frame: Buffer, captured: number, original: number): void {
    const needed = RECORD_HEADER_BYTES + captured;
    if (this.#tail + needed > CAPACITY_BYTES) this.#compact();
    if (this.#tail + needed > CAPACITY_BYTES) {
      this.droppedFrames++;
      return;
    }
    const bytes = this.#bytes;
    bytes.writeUInt32LE(seconds, this.#tail);
    bytes.writeUInt32LE(nanoseconds, this.#tail + 4);
    bytes.writeUInt32LE(captured, this.#tail + 8);
    bytes.writeUInt32LE(original, this.#tail + 12);
    frame.copy(bytes, this.#tail + RECORD_HEADER_BYTES, 0, captured);
    this.#tail += needed;
  }

  /** Writes as much as the reader takes now; returns whether nothing is left. */
  flush(): boolean {
    try {
      while (this.#head < this.#tail) {
        this.#head += writeSync(this.#descriptor, this.#bytes, this.#head, this.#tail - this.#head);
      }
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return false;
      throw error;
    }
    this.#head = 0;
    this.#tail = 0;
    return true;
  }

  /** Moving megabytes for every frame of a full queue would cost more than the frames: only when half of it is free. */
  #compact(): void {
    if (this.#head < CAPACITY_BYTES / 2) return;
    this.#bytes.copyWithin(0, this.#head, this.#tail);
    this.#tail -= this.#head;
    this.#head = 0;
  }
}
