import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { IncompleteConnections } from "../../src/connection/incomplete.ts";
import { createLog } from "../../src/log.ts";
import type { Options } from "../../src/options.ts";
import { PrometheusExporter } from "../../src/outputs/prometheus.ts";
import { recordFormat } from "../../src/outputs/record-format.ts";
import { RecordOutput } from "../../src/outputs/record-output.ts";
import { RecordWriter } from "../../src/outputs/record-writer.ts";
import { statsDocument } from "../../src/outputs/stats-document.ts";
import { summaryRecord, summaryTable } from "../../src/outputs/summary.ts";
import type { Captor } from "../../src/run/captor.ts";
import { openSource } from "../../src/run/open-source.ts";
import { Solo } from "../../src/run/solo.ts";
import { Crew } from "../../src/workers/crew.ts";
import { OPTIONS } from "../properties/run.ts";

/** Everything that a run says of a file, but for what it cost. */
export interface Said {
  readonly records: string;
  readonly summary: string;
  readonly table: string;
  readonly stats: string;
  /** Of `/metrics`, what is about the capture and not about this process. */
  readonly metrics: string;
  readonly incomplete: IncompleteConnections;
}

const log = createLog({ level: "fatal", format: "text" });

/** Reads a file with so many workers, in this process: one on the main thread, or threads. */
export async function analyse(
  folder: string,
  file: string,
  workers: number,
  change: Partial<Options> = {},
): Promise<Said> {
  const options: Options = { ...OPTIONS, read: file, ...change };
  const out = join(folder, `records-${workers}`);
  const fd = openSync(out, "w");
  const fail = (error: Error): never => {
    throw error;
  };
  const writer = new RecordWriter({ fd, mode: "file", onClosed: () => {}, onError: fail });
  const captor = workers === 1 ? await solo(options, writer) : await crew(options, workers, writer);
  try {
    captor.begin();
    await captor.capture();
    await captor.finish();
    const snapshot = captor.snapshot();
    await writer.close();
    return {
      records: readFileSync(out, "latin1"),
      summary: summaryRecord(snapshot),
      table: summaryTable(snapshot),
      stats: statsDocument(snapshot),
      metrics: await metricsOf(captor),
      incomplete: captor.incomplete(),
    };
  } finally {
    captor.close();
    closeSync(fd);
  }
}

async function solo(options: Options, writer: RecordWriter): Promise<Captor> {
  const format = recordFormat(options, false);
  const source = await openSource(options);
  return new Solo(options, source, log, writer, { outputs: [new RecordOutput(format, writer)] });
}

async function crew(options: Options, workers: number, writer: RecordWriter): Promise<Captor> {
  return (await Crew.start({ options, workers, isColoured: false, log })).recordsTo(writer);
}

async function metricsOf(captor: Captor): Promise<string> {
  const build = { version: "1", node: "20", libpcap: "1", engine: "libpcap" };
  const exporter = new PrometheusExporter({ snapshot: () => captor.snapshot(), build });
  const lines = String(await exporter.scrape()).split("\n");
  return lines.filter((line) => /^tcplat_/.test(line)).join("\n");
}
