import { setImmediate as nextTurn } from "node:timers/promises";
import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";
import type { TcplatError } from "../errors.ts";
import { endOnSignal } from "./end-on-signal.ts";
import { readOrFail } from "./read-or-fail.ts";

/** The event loop, and with it signals, get a turn so often. */
const TURN_MS = 20;

/** Takes frames of batch[0, length); false: it has seen enough. */
export type TakeBatch = (batch: Uint8Array, length: number) => boolean;

/** Hands on batch after batch; a signal ends the program meanwhile. Returns what ended the file too early, once all before it was taken; or null. */
export async function eachBatch(source: FrameSource, take: TakeBatch): Promise<TcplatError | null> {
  endOnSignal();
  let failure: TcplatError | null = null;
  let turnAt = performance.now();
  for (;;) {
    const length = await readOrFail(source, (error) => {
      failure = error;
    });
    if (length === END_OF_FRAMES) return failure;
    if (length > 0 && !take(source.batch, length)) return null;
    if (performance.now() - turnAt < TURN_MS) continue;
    await nextTurn();
    turnAt = performance.now();
  }
}
