import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";

/** A file that takes seconds: a program starts, and what it runs is compiled, once. */
export const TIMES = 6;
/** Between a recording and its repetition: all its connections have been forgotten. */
const APART_S = 120;
const FILE_HEADER_BYTES = 24;

/** Gives `use` a file that holds a recording several times over, each later than the one before, and removes it. */
export async function withRepeated<T>(file: string, use: (repeated: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tcplat-bench-repeated-"));
  try {
    const repeated = join(folder, "repeated.pcap");
    repeat(file, repeated);
    return await use(repeated);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function repeat(file: string, into: string): void {
  const bytes = readFileSync(file);
  const out = openSync(into, "w");
  try {
    writeSync(out, bytes, 0, FILE_HEADER_BYTES);
    for (let time = 0; time < TIMES; time++) {
      for (let at = FILE_HEADER_BYTES; at < bytes.length; at += RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8))
        if (time > 0) bytes.writeUInt32LE(bytes.readUInt32LE(at) + APART_S, at);
      writeSync(out, bytes, FILE_HEADER_BYTES);
    }
  } finally {
    closeSync(out);
  }
}
