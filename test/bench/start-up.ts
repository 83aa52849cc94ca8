import { crowdFile } from "./crowd.ts";
import { type Command, type Cost, cost, inTurn } from "./measure.ts";
import { NO_PORTS, tcpkit, tcplat } from "./programs.ts";
import { atMost, type Bench, median, milliseconds, plainRow, ratioRow } from "./rows.ts";

/** Two connections of a handshake, one request and one answer: 10 frames. */
const TEN_FRAMES = [2, 1] as const;

/** From the start of the process to its end. */
export const startUp: Bench = {
  name: "start-up",
  about: "-r of a file of 10 frames, from start to exit",
  run: async ({ runs }) => {
    const file = crowdFile(...TEN_FRAMES);
    const kit = tcpkit();
    const node: Command = [process.execPath, "-e", "0"];
    const found = await inTurn(runs, {
      tcplat: () => cost(tcplat("-r", file, ...NO_PORTS)),
      node: () => cost(node),
      ...(kit && { tcpkit: () => cost([kit, "-r", file, "-p", "redis"]) }),
    });
    const ms = (costs: readonly Cost[]) => costs.map(({ wallS }) => wallS * 1000);
    const rows = [
      plainRow(
        "start-up: file of 10 frames, start to exit",
        median(ms(found.tcplat)),
        milliseconds,
        atMost(150, " ms"),
      ),
      ratioRow("start-up, beside Node alone", [ms(found.tcplat), "node -e 0", ms(found.node)], milliseconds),
    ];
    if (found.tcpkit !== undefined)
      rows.push(ratioRow("start-up, beside tcpkit", [ms(found.tcplat), "tcpkit", ms(found.tcpkit)], milliseconds));
    return rows;
  },
};
