import { parentPort, workerData } from "node:worker_threads";
import { startScripts } from "./script-run.ts";

/** The thread of the scripts: what it does is in script-run.ts. */
if (parentPort !== null) void startScripts(workerData, parentPort);
