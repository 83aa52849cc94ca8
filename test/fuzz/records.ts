import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import type { random } from "../properties/simulation.ts";

export type Below = ReturnType<typeof random>;

/** A frame as a capture holds it. */
export interface Frame {
  timeUs: number;
  bytes: Uint8Array;
  originalBytes: number;
}

/** What is mutated: frames of one link type. */
export interface Corpus {
  readonly name: string;
  readonly linkType: number;
  readonly frames: readonly Frame[];
}

/** The batch that a source would deliver of these frames. */
export function batchOfFrames(frames: readonly Frame[]): Uint8Array {
  const batch = new Uint8Array(frames.reduce((sum, frame) => sum + RECORD_HEADER_BYTES + frame.bytes.length, 0));
  const view = new DataView(batch.buffer);
  let at = 0;
  for (const { timeUs, bytes, originalBytes } of frames) {
    view.setUint32(at, Math.floor(timeUs / 1e6), true);
    view.setUint32(at + 4, Math.floor(timeUs % 1e6) * 1000, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, originalBytes, true);
    batch.set(bytes, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + bytes.length;
  }
  return batch;
}

/** Takes a batch apart. */
export function framesOfBatch(batch: Uint8Array): Frame[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at < batch.length; ) {
    const captured = view.getUint32(at + 8, true);
    const start = at + RECORD_HEADER_BYTES;
    frames.push({
      timeUs: view.getUint32(at, true) * 1e6 + Math.floor(view.getUint32(at + 4, true) / 1000),
      bytes: batch.slice(start, start + captured),
      originalBytes: view.getUint32(at + 12, true),
    });
    at = start + captured;
  }
  return frames;
}

/** The files of a folder of captures, largest ones left out; none where the folder does not exist. */
export function captureFiles(folder: string): { name: string; bytes: Buffer }[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(pcap|pcapng|cap|dmp|gz)$/.test(name))
      .sort()
      .map((name) => ({ name, bytes: unzipped(name, readFileSync(join(folder, name))) }))
      .filter(({ bytes }) => bytes.length < 1 << 20);
  } catch {
    return [];
  }
}

function unzipped(name: string, bytes: Buffer): Buffer {
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}
