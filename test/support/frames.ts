import { END_OF_FRAMES, type FrameSource, RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";

/** A frame as a source delivered it. */
export interface ReadFrame {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly originalBytes: number;
  readonly bytes: Buffer;
}

/** Takes the records in batch[0, length) apart. */
export function splitBatch(batch: Uint8Array, length: number): ReadFrame[] {
  const bytes = Buffer.from(batch.subarray(0, length));
  const frames: ReadFrame[] = [];
  for (let at = 0; at < length; ) {
    const start = at + RECORD_HEADER_BYTES;
    const end = start + bytes.readUInt32LE(at + 8);
    frames.push({
      seconds: bytes.readUInt32LE(at),
      nanoseconds: bytes.readUInt32LE(at + 4),
      originalBytes: bytes.readUInt32LE(at + 12),
      bytes: bytes.subarray(start, end),
    });
    at = end;
  }
  return frames;
}

/** Everything a source delivers up to its end; a fault at the end is returned, not thrown. */
export async function readAll(source: FrameSource): Promise<{ frames: ReadFrame[]; fault: unknown }> {
  const frames: ReadFrame[] = [];
  try {
    for (;;) {
      const length = await source.read();
      if (length === END_OF_FRAMES) return { frames, fault: null };
      frames.push(...splitBatch(source.batch, length));
    }
  } catch (fault) {
    return { frames, fault };
  }
}
