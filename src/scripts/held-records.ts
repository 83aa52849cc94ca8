import { RECORD_CAPACITY } from "../outputs/put.ts";
import type { RecordPlace } from "../outputs/record-output.ts";
import { Place } from "./messages.ts";

const CHUNK_BYTES = 65_536;

/** A record, and where in its slice it was told (`Place`). */
export interface HeldRecord {
  readonly place: number;
  readonly bytes: Uint8Array;
}

/** Records that wait for what scripts print before them. */
export class HeldRecords implements RecordPlace {
  chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  at = 0;
  readonly #frame: () => number;
  #held: HeldRecord[] = [];
  #lines = 0;

  /** `frame`: how many frames of the slice have been taken. */
  constructor(frame: () => number) {
    this.#frame = frame;
  }

  begin(capacity = RECORD_CAPACITY): boolean {
    if (CHUNK_BYTES - this.at < capacity) {
      // The old one lives as long as its records.
      this.chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      this.at = 0;
    }
    return true;
  }

  end(to: number): void {
    this.#held.push({ place: Place.ofRecord(this.#frame()), bytes: this.chunk.subarray(this.at, to) });
    this.at = to;
  }

  /** A line of `-p raw`: there is one for each frame, and they come when the slice has been taken. */
  record(text: string): void {
    this.#lines++;
    this.#held.push({ place: Place.ofRecord(this.#lines), bytes: Buffer.from(text, "latin1") });
  }

  take(): readonly HeldRecord[] {
    const held = this.#held;
    this.#held = [];
    this.#lines = 0;
    return held;
  }
}
