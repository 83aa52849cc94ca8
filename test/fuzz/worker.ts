// Runs cases until the time is over, and tells main.ts which one it is at.
import { parentPort, workerData } from "node:worker_threads";
import { runCase } from "./kinds.ts";
import type { Order, Report } from "./main.ts";

const { seconds, seed, kinds } = workerData as Order;
const tell = (report: Report): void => parentPort?.postMessage(report);
const until = performance.now() + seconds * 1000;
let cases = 0;
let finds = 0;

for (let i = 0; performance.now() < until; i++) {
  for (const kind of kinds) {
    const name = `${kind}:${seed + i}`;
    tell({ now: name });
    const complaints = await runCase(kind, seed + i);
    cases++;
    if (complaints.length === 0) continue;
    finds++;
    tell({ found: name, complaints });
  }
}
const heapMb = Math.round(process.memoryUsage().heapUsed / (1 << 20));
tell({ done: `${cases} cases, ${finds} finds, heap ${heapMb} MB` });
