import type { Logger } from "pino";
import type { FrameSource } from "../capture/frame-source.ts";
import type { MatchingFrames } from "../evidence/matching-frames.ts";
import type { SlowDump } from "../evidence/slow-dump.ts";
import type { Options } from "../options.ts";
import { isColourWanted } from "../outputs/colour.ts";
import { recordFormat } from "../outputs/record-format.ts";
import { RecordOutput } from "../outputs/record-output.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import type { PacketPrinter } from "../raw/packet-printer.ts";
import { rehearse } from "../rehearsal.ts";
import type { Reporter } from "../report/reporter.ts";
import type { Plan } from "../workers/plan.ts";
import type { Captor } from "./captor.ts";
import { type OpenedScripts, openScripts } from "./open-scripts.ts";
import type { MakeSieve } from "./open-sieve.ts";
import { openSource } from "./open-source.ts";
import { Solo } from "./solo.ts";

/** Makes the captor of a run, once it is known where its records go. */
export type MakeCaptor = (writer: RecordWriter) => Captor;

/** Opens the source, or starts the workers, each of which opens its own. Throws TcplatError. */
export async function openCaptor(
  options: Options,
  { workers }: Plan,
  log: Logger,
  reporter: Reporter | null,
  makeSieve: MakeSieve | null,
): Promise<MakeCaptor> {
  if (workers > 1) {
    const { Crew } = await import("../workers/crew.ts");
    const crew = await Crew.start({ options, workers, isColoured: isColourWanted(process.stdout, process.env), log });
    return (writer) => crew.recordsTo(writer);
  }
  // First: a script that is refused leaves no folder behind.
  const scripts = await openScripts(options, log);
  try {
    return await openSolo(options, log, reporter, makeSieve, scripts);
  } catch (error) {
    scripts?.close();
    throw error;
  }
}

async function openSolo(
  options: Options,
  log: Logger,
  reporter: Reporter | null,
  makeSieve: MakeSieve | null,
  opened: OpenedScripts | null,
): Promise<MakeCaptor> {
  const makeDump = await openDump(options, log);
  const makeMatching = await openMatching(options, log);
  const makePrinter = await openPrinter(options);
  rehearse(options);
  const source = await openSource(options);
  return (writer) => {
    const scripts = opened?.printTo(writer) ?? null;
    const place = scripts?.records ?? writer;
    const format = recordFormat(options, isColourWanted(process.stdout, process.env));
    const dump = makeDump?.(source) ?? null;
    const packets = makePrinter?.(source.linkType, place) ?? null;
    const printed = options.quiet || packets !== null ? [] : [new RecordOutput(format, place)];
    const matching = makeMatching?.(source) ?? null;
    const outputs = [...printed, dump, matching, scripts].filter((output) => output !== null);
    const sieve = makeSieve?.(outputs) ?? null;
    return new Solo(options, source, log, writer, {
      outputs: sieve === null ? outputs : [sieve],
      filtered: () => sieve?.filtered ?? 0,
      observer: reporter?.collector ?? null,
      packets,
      dump,
      matching,
      scripts,
    });
  };
}

/** `--write-matching`: keeps frames until it is known whether they are wanted. */
async function openMatching(
  { write, requestTimeoutUs }: Options,
  log: Logger,
): Promise<((source: FrameSource) => MatchingFrames) | null> {
  const bufferBytes = write?.matchingBufferBytes ?? null;
  if (bufferBytes === null) return null;
  const { MatchingFrames } = await import("../evidence/matching-frames.ts");
  return (source) => new MatchingFrames({ bufferBytes, requestTimeoutUs }, source, (sentence) => log.warn(sentence));
}

/** `-p raw`: prints packets. */
async function openPrinter({
  raw,
}: Options): Promise<((linkType: number, writer: Pick<RecordWriter, "record">) => PacketPrinter) | null> {
  if (raw === null) return null;
  const { PacketPrinter } = await import("../raw/packet-printer.ts");
  return (linkType, writer) => new PacketPrinter(raw, linkType, writer);
}

/** `--dump-slow`: keeps frames, and writes those of each slow request. */
async function openDump(options: Options, log: Logger): Promise<((source: FrameSource) => SlowDump) | null> {
  const { dumpSlow } = options;
  if (dumpSlow === null) return null;
  const { DumpFolder } = await import("../evidence/dump-folder.ts");
  const { SlowDump } = await import("../evidence/slow-dump.ts");
  const folder = new DumpFolder(dumpSlow.folder, dumpSlow.count);
  return (source) => new SlowDump(dumpSlow, folder, source, (sentence) => log.warn(sentence));
}
