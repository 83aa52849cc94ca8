import { setTimeout as delay } from "node:timers/promises";
import { END_OF_FRAMES, type FrameSource, RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import { openFile, openLive } from "../capture/libpcap.ts";
import { isRegularFile } from "../capture/libpcap-file.ts";
import { TcplatError } from "../errors.ts";

/** More need not be counted to say that there are some. */
const ENOUGH_FRAMES = 1000;
const POLL_MS = 20;
const BUFFER_KIB = 1024;
const SNAPLEN = 64;

/**
 * The frames a filter would take behind a VLAN tag: a plain one does not match them in files, nor behind two tags. A filter that is
 * an error on this link type (`any` knows no tags; the kernel has taken them off there) counts as none.
 */
export function taggedFilter(filter: string): string {
  return filter === "" ? "vlan" : `(vlan and (${filter})) or (vlan and (${filter}))`;
}

/** A second capture beside the first, for `forMs`: how many tagged frames came, at most about a thousand. Never rejects for the user's sake. */
export async function countTaggedFrames(interfaceName: string, filter: string, forMs: number): Promise<number> {
  try {
    const source = openLive({
      interface: interfaceName,
      snaplen: SNAPLEN,
      bufferKib: BUFFER_KIB,
      filter: taggedFilter(filter),
    });
    return await countFrames(source, performance.now() + forMs);
  } catch (error) {
    if (error instanceof TcplatError) return 0;
    throw error;
  }
}

/** The same for a capture file, read once more from its beginning; 0 for standard input and named pipes, which can be read only once. */
export async function countTaggedInFile(file: string, filter: string): Promise<number> {
  if (file === "-") return 0;
  try {
    if (!isRegularFile(file)) return 0;
    return await countFrames(await openFile({ file, filter: taggedFilter(filter) }), Number.POSITIVE_INFINITY);
  } catch (error) {
    if (error instanceof TcplatError) return 0;
    throw error;
  }
}

async function countFrames(source: FrameSource, untilMs: number): Promise<number> {
  let frames = 0;
  try {
    while (frames < ENOUGH_FRAMES && performance.now() < untilMs) {
      const length = await source.read();
      if (length === END_OF_FRAMES) break;
      frames += countRecords(source.batch, length);
      if (length === 0) await delay(POLL_MS);
    }
  } finally {
    source.close();
  }
  return frames;
}

function countRecords(batch: Uint8Array, length: number): number {
  const view = new DataView(batch.buffer, batch.byteOffset, length);
  let records = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= length; records++) {
    at += RECORD_HEADER_BYTES + view.getUint32(at + 8, true);
  }
  return records;
}
