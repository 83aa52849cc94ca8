import type { TcplatError } from "../errors.ts";
import { RecordWriter } from "./record-writer.ts";

const STDOUT = 1;

/** Prints texts, one after the other. A reader that is gone wants no more, a slow one is waited for. Throws TcplatError. */
export async function print(texts: Iterable<string>): Promise<void> {
  let isGone = false;
  let failure: TcplatError | null = null;
  const writer = new RecordWriter({
    fd: STDOUT,
    mode: "file",
    onClosed: () => {
      isGone = true;
    },
    onError: (error) => {
      failure = error;
    },
  });
  for (const text of texts) {
    writer.write(text);
    if (writer.isFull) await writer.drain();
    if (isGone || failure !== null) break;
  }
  await writer.close();
  if (failure !== null) throw failure;
}
