import { freePort } from "../support/servers.ts";
import { sleep } from "./measure.ts";
import { capturing, needCapture, tcplat } from "./programs.ts";
import { atMost, type Bench, median, plainRow } from "./rows.ts";

const SECONDS = 10;
/** 8 to 12 s after the start V8 tidies its heap, once: 0.1 s of CPU. */
const TIDY_S = 15;

/** A capture in which nothing happens, both ports open. */
export const idle: Bench = {
  name: "idle",
  about: `CPU of a capture that sees nothing, over ${SECONDS} s, from ${TIDY_S} s after its start on`,
  run: async ({ runs }) => {
    needCapture();
    const silent = await freePort();
    const shares: number[] = [];
    for (let round = 0; round < runs; round++) {
      const ports = ["-P", `${await freePort()}`, "--metrics-port", `${await freePort()}`];
      const running = await capturing(tcplat("-i", "lo", "-q", "-p", "redis", ...ports, "tcp", "port", `${silent}`));
      await sleep(TIDY_S * 1000);
      const before = running.cpuSoFarS();
      const startedAt = performance.now();
      await sleep(SECONDS * 1000);
      shares.push(((running.cpuSoFarS() - before) / (performance.now() - startedAt)) * 100_000);
      await running.stop();
    }
    const show = (percent: number) => `${percent.toFixed(2)} % of a core`;
    return [plainRow("idle: CPU", median(shares), show, atMost(1, " %"))];
  },
};
