// npm run fuzz: cases one after the other in a worker, so that one that hangs can be named. See scripts/fuzz.mjs.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { KINDS, runCase } from "./kinds.ts";

/** A case that takes this long will never end. */
const HANG_MS = 30_000;
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string" },
    kind: { type: "string", multiple: true },
    case: { type: "string" },
  },
});

/** What the worker tells: the case that it begins, how far it is, or what it found. */
export interface Report {
  readonly now?: string;
  readonly found?: string;
  readonly complaints?: readonly string[];
  readonly done?: string;
}

/** What the worker is given. */
export interface Order {
  readonly seconds: number;
  readonly seed: number;
  readonly kinds: readonly string[];
}

function known(kind: string): string {
  if (KINDS[kind] === undefined) throw new Error(`there is no kind ${kind}: ${Object.keys(KINDS).join(", ")}`);
  return kind;
}

async function repeat(name: string): Promise<number> {
  const [kind = "", seed] = name.split(":");
  const complaints = await runCase(known(kind), Number(seed));
  console.log(complaints.length === 0 ? `${name}: nothing is wrong` : `${name}:\n  ${complaints.join("\n  ")}`);
  return complaints.length === 0 ? 0 : 1;
}

function search(order: Order): Promise<number> {
  console.log(`fuzzing ${order.kinds.join(", ")} for ${order.seconds} s from seed ${order.seed}`);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: order });
    let finds = 0;
    let now = "";
    const hung = (): void => {
      console.log(`HANGS  npm run fuzz -- --case ${now}`);
      resolve(1);
      void worker.terminate();
    };
    let watch = setTimeout(hung, HANG_MS);
    worker.on("message", (report: Report) => {
      clearTimeout(watch);
      watch = setTimeout(hung, HANG_MS);
      if (report.now !== undefined) now = report.now;
      if (report.found !== undefined) {
        finds++;
        console.log(`FOUND  npm run fuzz -- --case ${report.found}\n  ${report.complaints?.slice(0, 5).join("\n  ")}`);
      }
      if (report.done !== undefined) console.log(report.done);
    });
    worker.on("error", reject);
    worker.on("exit", () => {
      clearTimeout(watch);
      resolve(finds === 0 ? 0 : 1);
    });
  });
}

process.exitCode =
  values.case !== undefined
    ? await repeat(values.case)
    : await search({
        seconds: Number(values.seconds),
        seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
        kinds: (values.kind ?? Object.keys(KINDS)).map(known),
      });
