/**
 * How fast frames come out of a capture file, with and without stdio's locks, and what a poll of a silent interface costs.
 * Run: node dist/test/bench/capture-file.js [FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { type Libpcap, loadLibpcap } from "../../src/capture/libpcap-binding.ts";
import { openRegularFile } from "../../src/capture/libpcap-file.ts";
import { LiveSource } from "../../src/capture/live-source.ts";
import { pcapFile } from "../support/pcap-file.ts";

const FRAMES = 1_000_000;
const ROUNDS = 5;

function countFrames(libpcap: Libpcap, file: string, filter: string): number {
  const source = openRegularFile(libpcap, file, filter);
  let frames = 0;
  for (;;) {
    const length = source.read();
    if (typeof length !== "number") throw new Error("a slow disk: use a file in the page cache");
    if (length < 0) break;
    const view = new DataView(source.batch.buffer, source.batch.byteOffset, length);
    for (let at = 0; at < length; at += RECORD_HEADER_BYTES + view.getUint32(at + 8, true)) frames++;
  }
  source.close();
  return frames;
}

function measure(what: string, libpcap: Libpcap, file: string, filter: string): void {
  let bestMs = Number.POSITIVE_INFINITY;
  let frames = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    frames = countFrames(libpcap, file, filter);
    bestMs = Math.min(bestMs, performance.now() - startedAt);
  }
  console.log(`${what}: ${frames} frames, ${(frames / bestMs / 1000).toFixed(1)} million a second`);
}

function measurePoll(libpcap: Libpcap): void {
  const filter = "udp port 9 and udp port 10";
  const source = new LiveSource(libpcap, { interface: "lo", snaplen: 65535, bufferKib: 2048, filter });
  const polls = 200_000;
  const startedAt = performance.now();
  for (let i = 0; i < polls; i++) source.read();
  console.log(`poll of a silent interface: ${(((performance.now() - startedAt) / polls) * 1000).toFixed(2)} µs`);
  source.close();
}

const folder = mkdtempSync(join(tmpdir(), "tcplat-bench-"));
try {
  const file = process.argv[2] ?? join(folder, "bench.pcap");
  if (process.argv[2] === undefined) {
    const bytes = Buffer.alloc(90, 1);
    writeFileSync(file, pcapFile(Array.from({ length: FRAMES }, (_, i) => ({ seconds: i, nanoseconds: i, bytes }))));
  }
  const libpcap = loadLibpcap();
  measure("all frames", libpcap, file, "");
  measure("all frames, stdio locks left on", { ...libpcap, setLocking: null }, file, "");
  measure("with a filter", libpcap, file, "tcp port 6379 or not tcp");
  if (process.getuid?.() === 0) measurePoll(libpcap);
} finally {
  rmSync(folder, { recursive: true });
}
