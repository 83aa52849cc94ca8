import { setImmediate as nextTurn } from "node:timers/promises";
import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";

/** The event loop gets a turn at least this often while frames keep coming. */
export const TURN_MS = 4;
/** Longest wait for frames: a lost interface is taken up again, and time-outs run, at least this often. */
export const WAIT_MS = 250;
/** With nothing coming, time-outs run on the wall clock, this far behind it, so that none is early. */
const IDLE_LAG_US = 1_000_000;
/** Behind the last frames that came, or a stop, the kernel's next block may be on its way for so long. */
export const LAST_BLOCK_MS = 160;

/** The capture's clock while nothing comes, µs since the epoch. */
export function idleClockUs(): number {
  return Date.now() * 1000 - IDLE_LAG_US;
}

/**
 * After a stop: takes all that came before it. `take` reads and takes a batch, and returns what `read` did; `lastFrameUs` is the last
 * frame's time: the capture's own clock may be hours ahead, where the host's was set back.
 */
export async function takeLastBlock(
  source: FrameSource,
  take: () => Promise<number>,
  lastFrameUs: () => number,
): Promise<void> {
  const stopUs = Date.now() * 1000;
  let until = performance.now() + LAST_BLOCK_MS;
  for (;;) {
    // Asked before reading: a busy machine may let the time pass between the two.
    const isLastLook = performance.now() >= until;
    const length = await take();
    if (length === END_OF_FRAMES) return;
    if (length > 0) {
      // Under load many blocks are waiting: all that came before the stop is read, however long it takes.
      if (lastFrameUs() >= stopUs) return;
      until = performance.now() + LAST_BLOCK_MS;
      await nextTurn();
    } else if (isLastLook) return;
    else await source.waitForFrames(Math.max(1, until - performance.now()));
  }
}

/** Says that an interface has gone, or is there again. */
export function tellUp(log: { info(message: string): void; warn(message: string): void }, name: string, isUp: boolean) {
  if (isUp) log.info(`${name} is up again`);
  else log.warn(`${name} is down; capture goes on when it comes back`);
}
