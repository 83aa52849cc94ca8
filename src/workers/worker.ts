import { parentPort, workerData } from "node:worker_threads";
import { settleV8 } from "../v8.ts";

settleV8();

/** The thread of one worker: what it does is in worker-run.ts. */
const port = parentPort;
if (port !== null) void import("./worker-run.ts").then(({ startWorker }) => startWorker(workerData, port));
