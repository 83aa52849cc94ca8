import { type RecordingName, recording } from "./captures.ts";
import { type Cost, cost, inTurn } from "./measure.ts";
import { tcplat } from "./programs.ts";
import { TIMES, withRepeated } from "./repeated.ts";
import { atLeast, type Bench, type Row, ratioRow, seconds } from "./rows.ts";

const RECORDINGS: readonly RecordingName[] = ["unpipelined", "pipelined"];
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
    await withRepeated(file, async (repeated) => {
      rows.push(...(await ofFile(`unpipelined ${TIMES} times over`, repeated, port, runs)));
    });
    return rows;
  },
};
