import { rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, recording } from "./captures.ts";
import { type Cost, cost, inTurn } from "./measure.ts";
import { NO_TCPKIT, tcpkit, tcplat } from "./programs.ts";
import { atMost, type Bench, median, plainRow, ratioRow, seconds, skippedRow } from "./rows.ts";

const cpu = (costs: readonly Cost[]): number[] => costs.map((of) => of.cpuS);

/** Every transaction of the unpipelined recording, printed to a file. */
export const print: Bench = {
  name: "print",
  about: "every transaction printed to a file, as text and as JSON",
  run: async ({ runs }) => {
    const { file, port } = await recording("unpipelined");
    const words = ["-r", file, "-p", `redis:${port}`];
    const kit = tcpkit();
    const into = join(cacheFolder(), "printed");
    try {
      const {
        text,
        json,
        tcpkit: theirs,
      } = await inTurn(runs, {
        text: () => cost(tcplat(...words), into),
        json: () => cost(tcplat(...words, "--json"), into),
        ...(kit && { tcpkit: () => cost([kit, "-r", file, "-p", "redis"], into) }),
      });
      if (theirs === undefined) {
        const alone = [
          plainRow("print text, CPU", median(cpu(text)), seconds),
          plainRow("print JSON, CPU", median(cpu(json)), seconds),
        ];
        return [...alone, skippedRow("print: tcpkit", NO_TCPKIT)];
      }
      return [
        ratioRow("print text, CPU", [cpu(text), "tcpkit's text", cpu(theirs)], seconds, atMost(0.6)),
        ratioRow("print JSON, CPU", [cpu(json), "tcpkit's text", cpu(theirs)], seconds, atMost(1)),
      ];
    } finally {
      rmSync(into, { force: true });
    }
  },
};
