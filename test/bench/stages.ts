import { fileURLToPath } from "node:url";
import { type Recording, type RecordingName, recording } from "./captures.ts";
import { cost, inTurn } from "./measure.ts";
import { atLeast, type Bench, median, millions, nanoseconds, plainRow, type Row, type Target } from "./rows.ts";

const PROCESS = fileURLToPath(new URL("./joined/stage-process.js", import.meta.url));
const STAGES = ["read", "decode", "connection", "pairing", "full"] as const;

/** What `stage-process.ts` prints. */
interface Told {
  readonly frames: number;
  readonly nsPerFrame: number;
}

/** Frames before measuring begins; the recording of large values has fewer. */
const WARM = 300_000;
const WARM_VALUES = 60_000;

async function measure(stage: string, { file, port }: Recording, warm = WARM): Promise<Told> {
  const { stdout } = await cost([process.execPath, PROCESS, stage, file, `${port}`, `${warm}`]);
  return JSON.parse(stdout) as Told;
}

async function stagesOf(
  name: RecordingName,
  runs: number,
): Promise<{ rows: Row[]; framesPerS: number; perFrame: number }> {
  const of = await recording(name);
  const found = await inTurn(runs, {
    read: () => measure("read", of),
    decode: () => measure("decode", of),
    connection: () => measure("connection", of),
    pairing: () => measure("pairing", of),
    full: () => measure("full", of),
  });
  const costs = STAGES.map((stage) => median(found[stage].map(({ nsPerFrame }) => nsPerFrame)));
  const rows = STAGES.map((stage, index) => {
    const own = costs[index]! - (costs[index - 1] ?? 0);
    const row = plainRow(`warm frame, ${name}: up to ${stage}`, costs[index]!, nanoseconds);
    return { ...row, beside: index === 0 ? "" : `this stage alone ${nanoseconds(own)}` };
  });
  return { rows, framesPerS: 1e9 / costs.at(-1)!, perFrame: of.requests / found.full[0]!.frames };
}

function rateRow(work: string, perSecond: number, unit: string, target: Target): Row {
  return plainRow(work, perSecond / 1e6, millions(unit), target);
}

async function valuesRow(runs: number): Promise<Row> {
  const of = await recording("values");
  const { full } = await inTurn(runs, { full: () => measure("full", of, WARM_VALUES) });
  const rate = median(full.map(({ frames, nsPerFrame }) => of.bytes / frames / nsPerFrame));
  return plainRow("warm, values of 4 KB", rate, (value) => `${value.toFixed(2)} GB/s`, atLeast(2, " GB/s"));
}

export const stages: Bench = {
  name: "stages",
  about: "what each stage costs a warm frame, without start and compiler",
  run: async ({ runs }) => {
    const unpipelined = await stagesOf("unpipelined", runs);
    const pipelined = await stagesOf("pipelined", runs);
    const transactions = pipelined.framesPerS * pipelined.perFrame;
    return [
      ...unpipelined.rows,
      rateRow("warm, unpipelined", unpipelined.framesPerS, "frames/s", atLeast(4, " M frames/s")),
      ...pipelined.rows,
      rateRow("warm, pipelined", transactions, "transactions/s", atLeast(8, " M transactions/s")),
      await valuesRow(runs),
    ];
  },
};
