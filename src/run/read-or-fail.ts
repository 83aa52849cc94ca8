import { END_OF_FRAMES, type FrameSource } from "../capture/frame-source.ts";
import { TcplatError } from "../errors.ts";

/** Reads as the source does. A fault is handed to `fail`, and is the end: the run ends once what was read before it has been told. */
export function readOrFail(source: FrameSource, fail: (error: TcplatError) => void): number | Promise<number> {
  const end = (error: unknown): number => {
    if (!(error instanceof TcplatError)) throw error;
    fail(error);
    return END_OF_FRAMES;
  };
  try {
    const read = source.read();
    return typeof read === "number" ? read : read.catch(end);
  } catch (error) {
    return end(error);
  }
}
