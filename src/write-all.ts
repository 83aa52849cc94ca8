import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a reader that is slow may hold us up, in all, before the rest is given up. */
const PATIENCE_MS = 200;
const PAUSE_MS = 5;

/**
 * Writes all of `text` to a file descriptor before it returns, so that nothing is lost by an exit. A reader that is gone, or that
 * stands still, or a full disk ends the attempt: returns the error then, else null. Never throws.
 */
export function writeAll(descriptor: number, text: string): NodeJS.ErrnoException | null {
  const bytes = Buffer.from(text);
  let written = 0;
  let waitedMs = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== "EAGAIN" || waitedMs >= PATIENCE_MS) return failure;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      waitedMs += PAUSE_MS;
    }
  }
  return null;
}

/** The same, for a reader who may take his time, such as a pager's: waits for as long as somebody may still read, and signals are served meanwhile. Never rejects. */
export async function writePatiently(descriptor: number, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      await sleep(PAUSE_MS);
    }
  }
}
