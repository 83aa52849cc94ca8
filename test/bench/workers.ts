import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RECORD_HEADER_BYTES } from "../../src/capture/frame-source.ts";
import { type RecordingName, recording } from "./captures.ts";
import { type Cost, cost, inTurn } from "./measure.ts";
import { tcplat } from "./programs.ts";
import { atLeast, type Bench, type Row, ratioRow, seconds } from "./rows.ts";

const RECORDINGS: readonly RecordingName[] = ["unpipelined", "pipelined"];
/** A file that takes seconds: threads start, and compile, once. */
const TIMES = 6;
/** Between a recording and its repetition: all its connections have been forgotten. */
const APART_S = 120;
const FILE_HEADER_BYTES = 24;

/** Writes a recording several times over, each later than the one before. */
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

async function ofFile(name: string, file: string, port: number, runs: number): Promise<readonly Row[]> {
  const words = ["-r", file, "-q", "--json", "-p", `redis:${port}`, "--workers"];
  const { one, two } = await inTurn(runs, {
    one: () => cost(tcplat(...words, "1")),
    two: () => cost(tcplat(...words, "2")),
  });
  const said = new Set([...one, ...two].map(({ stdout }) => stdout));
  if (said.size > 1) throw new Error(`other numbers with another run or number of workers: ${[...said].join("")}`);
  const all = (of: "wallS" | "cpuS", costs: readonly Cost[]) => costs.map((each) => each[of]);
  const faster = ratioRow(
    `read ${name}: one worker's time, beside two workers'`,
    [all("wallS", one), "2 workers", all("wallS", two)],
    seconds,
    atLeast(1.5),
  );
  return [faster, ratioRow(`read ${name}: CPU`, [all("cpuS", one), "2 workers", all("cpuS", two)], seconds)];
}

export const workers: Bench = {
  name: "workers",
  about: "a file read with --workers 2, beside one worker; both must say the same",
  run: async ({ runs }) => {
    const rows: Row[] = [];
    for (const name of RECORDINGS) {
      const { file, port } = await recording(name);
      rows.push(...(await ofFile(name, file, port, runs)));
    }
    const { file, port } = await recording("unpipelined");
    const folder = mkdtempSync(join(tmpdir(), "tcplat-bench-repeated-"));
    try {
      const repeated = join(folder, "repeated.pcap");
      repeat(file, repeated);
      rows.push(...(await ofFile(`unpipelined ${TIMES} times over`, repeated, port, runs)));
    } finally {
      rmSync(folder, { recursive: true });
    }
    return rows;
  },
};
