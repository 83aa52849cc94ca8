/**
 * What a frame costs on its way out of a capture file, through libpcap (with and without stdio's locks) or read directly, and what a poll of a silent interface
 * costs: `npm run bench -- capture-file`; of another file: node dist/test/bench/capture-file.js FILE.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FrameSource, RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { type Libpcap, loadLibpcap } from "../../src/capture/libpcap-binding.ts";
import { openRegularFile } from "../../src/capture/libpcap-file.ts";
import { LiveSource } from "../../src/capture/live-source.ts";
import { openPcapFile } from "../../src/capture/pcap-file.ts";
import { pcapFile } from "../support/pcap-file.ts";
import { bench, cpuNs, tell } from "./piece.ts";

const FRAMES = 1_000_000;
const FRAME_BYTES = 90;
const ROUNDS = 5;
const POLLS = 100_000;

type Open = () => FrameSource | null;

async function countFrames(open: Open): Promise<number> {
  const source = open();
  if (source === null) throw new Error(`${file} is not read directly`);
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
async function benchFile(work: string, open: Open, beside: string | null): Promise<void> {
  let bestNs = Number.POSITIVE_INFINITY;
  let frames = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = process.cpuUsage();
    frames = await countFrames(open);
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
  const through =
    (filter: string, by = libpcap): Open =>
    () =>
      openRegularFile(by, file, filter);
  const LOCKED = "a frame through libpcap, stdio's locks left on";
  const UNLOCKED = "a frame through libpcap";
  await benchFile(LOCKED, through("", { ...libpcap, setLocking: null }), null);
  await benchFile(UNLOCKED, through(""), LOCKED);
  await benchFile("a frame through libpcap, with a filter", through("tcp port 6379 or not tcp"), UNLOCKED);
  await benchFile("a frame read directly", () => openPcapFile(file), UNLOCKED);
  if (process.getuid?.() === 0) benchPoll(libpcap);
} finally {
  rmSync(folder, { recursive: true });
}
