import { u32le } from "../bytes/read.ts";
import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";

/** Takes the frames stamped before `sinceUs` out of a batch, in place; returns its new length. */
export function dropBefore(batch: Uint8Array, length: number, sinceUs: number): number {
  let kept = 0;
  for (let at = 0; at < length; ) {
    const next = at + RECORD_HEADER_BYTES + u32le(batch, at + 8);
    const timeUs = u32le(batch, at) * 1e6 + u32le(batch, at + 4) / 1000;
    if (timeUs >= sinceUs) {
      if (kept !== at) batch.copyWithin(kept, at, next);
      kept += next - at;
    }
    at = next;
  }
  return kept;
}
