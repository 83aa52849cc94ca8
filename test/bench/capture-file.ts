/**
 * What a frame costs on its way out of a capture file, with and without stdio's locks, and what a poll of a silent interface
 * costs: `npm run bench -- capture-file`; of another file: node dist/test/bench/capture-file.js FILE.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { type Libpcap, loadLibpcap } from "../../src/capture/libpcap-binding.ts";
import { openRegularFile } from "../../src/capture/libpcap-file.ts";
import { LiveSource } from "../../src/capture/live-source.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { bench, cpuNs, tell } from "./piece.ts";

const FRAMES = 1_000_000;
const FRAME_BYTES = 90;
const ROUNDS = 5;
const POLLS = 100_000;

async function countFrames(libpcap: Libpcap, filter: string): Promise<number> {
  const source = openRegularFile(libpcap, file, filter);
  let frames = 0;
  for (;;) {
    const read = source.read();
    const length = typeof read === "number" ? read : await read;
    if (length < 0) break;
    const view = new DataView(source.batch.buffer, source.batch.byteOffset, length);
    for (let at = 0; at < length; at += RECORD_HEADER_BYTES + view.getUint32(at + 8, true)) frames++;
  }
  source.close();
  return frames;
}

/** The best of five: whatever else runs only ever makes it slower. */
async function benchFile(work: string, libpcap: Libpcap, filter: string, beside: string | null): Promise<void> {
  let bestNs = Number.POSITIVE_INFINITY;
  let frames = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = process.cpuUsage();
    frames = await countFrames(libpcap, filter);
    bestNs = Math.min(bestNs, cpuNs(cpu));
  }
  tell(work, bestNs / frames, beside);
}

function benchPoll(libpcap: Libpcap): void {
  const filter = "udp port 9 and udp port 10";
  const source = new LiveSource(libpcap, { interface: "lo", snaplen: 65535, bufferKib: 2048, filter });
  bench("a poll of a silent interface", POLLS, () => void source.read());
  source.close();
}

/** A million times the same frame. */
function writeFrames(): void {
  const one = pcapFile([{ seconds: 1, nanoseconds: 1, bytes: Buffer.alloc(FRAME_BYTES, 1) }]);
  const record = one.subarray(-RECORD_HEADER_BYTES - FRAME_BYTES);
  writeFileSync(file, Buffer.concat([one, ...new Array<Buffer>(FRAMES - 1).fill(record)]));
}

const folder = mkdtempSync(join(tmpdir(), "tcplat-bench-"));
const file = process.argv[2] ?? join(folder, "bench.pcap");
try {
  if (process.argv[2] === undefined) writeFrames();
  const libpcap = loadLibpcap();
  const LOCKED = "a frame from a file, stdio's locks left on";
  await benchFile(LOCKED, { ...libpcap, setLocking: null }, "", null);
  await benchFile("a frame from a file", libpcap, "", LOCKED);
  await benchFile("a frame from a file, with a filter", libpcap, "tcp port 6379 or not tcp", "a frame from a file");
  if (process.getuid?.() === 0) benchPoll(libpcap);
} finally {
  rmSync(folder, { recursive: true });
}
