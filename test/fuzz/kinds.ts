import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identities } from "../../src/aggregate/counters.ts";
import { END_OF_FRAMES, type FrameSource } from "../../src/capture/frame-source.ts";
import { openFile } from "../../src/capture/libpcap.ts";
import { TcplatError } from "../../src/errors.ts";
import { Pipeline } from "../../src/pipeline.ts";
import { falsehoods } from "../properties/judge.ts";
import { type Finished, OPTIONS, type Result, runBatches } from "../properties/run.ts";
import { random } from "../properties/simulation.ts";
import { pcapFile, pcapngFile } from "../support/pcap-file.ts";
import { batchOf, ETHERNET, type TestSegment, type Wire } from "../support/segments.ts";
import { dnsDialogue, httpDialogue, kafkaDialogue, memcachedDialogue, redisDialogue } from "./dialogues.ts";
import { moved, wounded, woundedFile } from "./mutate.ts";
import { type Below, batchOfFrames, type Corpus, captureFiles, type Frame, framesOfBatch } from "./records.ts";
import { datagramCase, sessionCase } from "./sessions.ts";

/** One way to make cases: a seed says which. Returns what is wrong, a sentence each. */
export type Kind = (seed: number) => string[] | Promise<string[]>;

const WIRES: readonly Wire[] = [
  ETHERNET,
  { ...ETHERNET, vlanTags: [0x8100] },
  { ...ETHERNET, linkType: 113 },
  { ...ETHERNET, linkType: 276 },
  { ...ETHERNET, linkType: 101 },
  { ...ETHERNET, linkType: 0 },
  { ...ETHERNET, tcpOptions: new Uint8Array(12), padTo: 60 },
  { ...ETHERNET, ipOptions: new Uint8Array(8), hasZeroLength: true },
];

function segmentsOf(below: Below): TestSegment[] {
  switch (below(4)) {
    case 0:
      return redisDialogue(below).truth.frames;
    case 1:
      return kafkaDialogue(below).segments;
    case 2:
      return dnsDialogue(below);
    default:
      return memcachedDialogue(below).segments;
  }
}

/** What must hold whatever came. */
function complaintsAbout(finished: readonly Finished[], violations: readonly string[], pipeline: Pipeline): string[] {
  const complaints = [...violations];
  for (const one of finished) {
    const times = [one.latencyUs, one.sendUs, one.waitUs, one.receiveUs];
    if (one.unanswered === "" ? !times.every((us) => us >= 0) : !times.every(Number.isNaN)) {
      complaints.push(`${one.id} "${one.text}" ${one.unanswered}: times ${times.join(" ")}`);
    }
    if (one.unanswered === "" && one.latencyUs !== one.sendUs + one.waitUs + one.receiveUs) {
      complaints.push(`${one.id}: ${one.latencyUs} is not ${one.sendUs} + ${one.waitUs} + ${one.receiveUs}`);
    }
    if (!(one.requestBytes >= 0 && one.responseBytes >= 0)) {
      complaints.push(`${one.id}: ${one.requestBytes} and ${one.responseBytes} bytes`);
    }
  }
  const { heldBytes } = pipeline.table.reassembly;
  if (heldBytes !== 0) complaints.push(`${heldBytes} bytes are still held`);
  if (pipeline.table.open !== 0) complaints.push(`${pipeline.table.open} connections are still open`);
  if (pipeline.requestsHeld !== 0) complaints.push(`${pipeline.requestsHeld} requests are still held`);
  return complaints;
}

/**
 * A dialogue whose frames were lost, repeated and moved: nothing untrue may be told. A capture that begins in the middle
 * of a pipeline without a handshake cannot be decided by anybody, so the handshake stays.
 */
function redisTruth(seed: number): string[] {
  const below = random(seed);
  const { truth } = redisDialogue(below);
  const result = runBatches([batchOfFrames(movedBehindHandshake(truth.frames, below))], 1);
  return [...complaintsAbout(result.finished, result.violations, result.pipeline), ...falsehoods(result, truth)];
}

function movedBehindHandshake(segments: readonly TestSegment[], below: Below): Frame[] {
  const all = framesOfBatch(batchOf(segments));
  return [...all.slice(0, 3), ...moved(all.slice(3), below)];
}

/** The same for memcached: each answered request's two times must be those of one exchange. */
function memcachedTruth(seed: number): string[] {
  return burstsTruth(seed, memcachedDialogue);
}

/** And for Kafka, whose responses pair by id: behind a loss each direction is taken up by itself. */
function kafkaTruth(seed: number): string[] {
  return burstsTruth(seed, kafkaDialogue);
}

/** And for HTTP. */
function httpTruth(seed: number): string[] {
  return burstsTruth(seed, httpDialogue);
}

function burstsTruth(seed: number, dialogue: typeof kafkaDialogue): string[] {
  const below = random(seed);
  const { segments, pairs } = dialogue(below);
  const result = runBatches([batchOfFrames(movedBehindHandshake(segments, below))], 1);
  return [...complaintsAbout(result.finished, result.violations, result.pipeline), ...untrue(result, pairs)];
}

function untrue(result: Result, pairs: readonly { startUs: number; endUs: number }[]): string[] {
  const left = [...pairs];
  return result.answered.flatMap((one) => {
    const at = left.findIndex((pair) => pair.startUs === one.startUs && pair.endUs === one.endUs);
    if (at >= 0) left.splice(at, 1);
    return at >= 0 ? [] : [`no such pair: ${one.id} "${one.text}" ${one.startUs} to ${one.endUs}, flags ${one.flags}`];
  });
}

/** Frames with anything done to them, over every link type. */
function frames(seed: number): string[] {
  const below = random(seed);
  const wire = WIRES[below(WIRES.length)]!;
  const dialogues = Array.from({ length: 1 + below(2) }, () => framesOfBatch(batchOf(segmentsOf(below), wire)));
  const { finished, violations, pipeline } = runBatches(
    [batchOfFrames(wounded(dialogues.flat(), below))],
    wire.linkType,
  );
  return complaintsAbout(finished, violations, pipeline);
}

let corpora: Promise<readonly Corpus[]> | null = null;
const files = captureFiles(join("..", "shared", "captures"));

/** The same with recorded captures, where there are any. */
async function captures(seed: number): Promise<string[]> {
  corpora ??= readCorpora();
  const all = await corpora;
  if (all.length === 0) return [];
  const below = random(seed);
  const { frames: recorded, linkType } = all[below(all.length)]!;
  const from = below(Math.max(1, recorded.length - 300));
  const batch = batchOfFrames(wounded(recorded.slice(from, from + 400), below));
  const { finished, violations, pipeline } = runBatches([batch], linkType);
  return complaintsAbout(finished, violations, pipeline);
}

async function readCorpora(): Promise<Corpus[]> {
  const read: Corpus[] = [];
  for (const { name, bytes } of files) {
    const found: Frame[] = [];
    const linkType = await eachBatch(bytes, (source, length) => {
      found.push(...framesOfBatch(Uint8Array.from(source.batch.subarray(0, length))));
    });
    if (found.length > 0 && linkType !== null) read.push({ name, linkType, frames: found });
  }
  return read;
}

/** Bytes of a capture file changed: read to its end, or refused with a sentence. */
async function file(seed: number): Promise<string[]> {
  const below = random(seed);
  const bytes = woundedFile(
    files.length > 0 && below(2) === 0 ? files[below(files.length)]!.bytes : madeFile(below),
    below,
  );
  const complaints: string[] = [];
  let pipeline: Pipeline | null = null;
  await eachBatch(bytes, (source, length) => {
    pipeline ??= new Pipeline(OPTIONS, source, [], () => ({}));
    const end = pipeline.consume(source.batch, length, Number.POSITIVE_INFINITY);
    if (end !== length) complaints.push(`the batch of ${length} bytes was read up to ${end}`);
  });
  const made = pipeline as Pipeline | null;
  if (made === null) return complaints;
  made.finish();
  return [...complaints, ...complaintsAbout([], identities(made.snapshot()), made)];
}

function madeFile(below: Below): Buffer {
  const made = framesOfBatch(batchOf(segmentsOf(below))).map(({ timeUs, bytes, originalBytes }) => {
    return { seconds: Math.floor(timeUs / 1e6), nanoseconds: (timeUs % 1e6) * 1000, bytes, originalBytes };
  });
  const format = { isBigEndian: below(2) === 0, hasNanoseconds: below(2) === 0 };
  return below(2) === 0 ? pcapFile(made, format) : pcapngFile(made, format);
}

/** Writes a file, reads it as tcplat does, and tells its link type; null where it was refused as it should be. */
async function eachBatch(
  bytes: Uint8Array,
  take: (source: FrameSource, length: number) => void,
): Promise<number | null> {
  const folder = mkdtempSync(join(tmpdir(), "tcplat-fuzz-"));
  try {
    writeFileSync(join(folder, "case.pcap"), bytes);
    const source = await openFile({ file: join(folder, "case.pcap"), filter: "" });
    try {
      for (let length = await source.read(); length !== END_OF_FRAMES; length = await source.read())
        take(source, length);
      return source.linkType;
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof TcplatError && !error.message.includes("\n")) return null;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every kind, by the name that a case is called by. */
export const KINDS: Readonly<Record<string, Kind>> = {
  redis: redisTruth,
  memcached: memcachedTruth,
  kafka: kafkaTruth,
  http: httpTruth,
  frames,
  captures,
  file,
  session: sessionCase,
  datagrams: datagramCase,
};

/** Longest that a case may take, ms: most take less than one. */
const MOST_MS = 5000;

/** Runs a case; whatever it throws is a complaint, too. */
export async function runCase(kind: string, seed: number): Promise<string[]> {
  const began = performance.now();
  const complaints: string[] = [];
  try {
    complaints.push(...(await KINDS[kind]!(seed)));
  } catch (error) {
    complaints.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const ms = performance.now() - began;
  if (ms > MOST_MS) complaints.push(`took ${Math.round(ms)} ms`);
  return complaints;
}
