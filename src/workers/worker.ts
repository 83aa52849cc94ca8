import { parentPort, workerData } from "node:worker_threads";
import { startWorker } from "./worker-run.ts";

/** The thread of one worker: what it does is in worker-run.ts. */
if (parentPort !== null) void startWorker(workerData, parentPort);
