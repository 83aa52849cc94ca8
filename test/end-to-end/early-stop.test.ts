import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { captureObstacle } from "../support/live.ts";

const CLI = fileURLToPath(new URL("../../bin/cli.js", import.meta.url));
const OPTIONS = ["-i", "lo", "-q", "--stats-port", "0", "--metrics-port", "0"];
/** Where the signal's handler came behind the start line, every second run lost its summary. */
const RUNS = 8;

test("a signal as early as the start line ends the run with its summary", async (t) => {
  const obstacle = captureObstacle();
  if (obstacle !== null) return t.skip(obstacle);
  for (let run = 0; run < RUNS; run++) {
    const child = spawn(process.execPath, [CLI, ...OPTIONS], { stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr === "") child.kill("SIGINT");
      stderr += text;
    });
    const [status, signal] = await once(child, "close");
    assert.deepEqual({ status, signal }, { status: 0, signal: null });
    assert.match(stderr, /^requests /m);
  }
});
