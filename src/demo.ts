import { once } from "node:events";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { Capture } from "./demo/capture.ts";
import { sendCommands } from "./demo/client.ts";
import { freePort, startServer } from "./demo/server.ts";
import { SETCAP_COMMAND } from "./doctor/permission.ts";
import { EXIT_STATUS } from "./errors.ts";

const HOST = "127.0.0.1";
const TCPLAT = fileURLToPath(new URL("./cli.js", import.meta.url));
const STATS_PORT = 33333;
const METRICS_PORT = 13333;
const START_MS = 5000;
const PRINT_MS = 5000;
/** The most a stats document of one server can be. */
const MAX_STATS_CHARACTERS = 1 << 20;

/**
 * What `npm start` runs: a Redis and a client inside, captured live on `lo` by tcplat itself. Prints their transactions and the
 * stats port's JSON, and ends. Returns the exit status: 0, or tcplat's own (77 without permission).
 */
async function demonstrate(): Promise<number> {
  const server = await startServer();
  try {
    say(`a demonstration on lo, with ${server.description}`);
    const statsPort = await portNear(STATS_PORT);
    const metricsPort = await portNear(METRICS_PORT);
    const capture = new Capture(TCPLAT, [
      ...["-i", "lo", "tcp", "port", `${server.port}`, "-p", `redis:${server.port}`, "--log-level", "info"],
      ...["--stats-port", `${statsPort}`, "--metrics-port", `${metricsPort}`],
    ]);
    const failure = await capture.started(START_MS);
    if (failure === null) return await show(capture, server.port, statsPort, metricsPort);
    if (failure === EXIT_STATUS.permission) say(`type this, and npm start again: ${SETCAP_COMMAND}`);
    return failure === 0 ? 1 : failure;
  } finally {
    await server.close();
  }
}

async function show(capture: Capture, port: number, statsPort: number, metricsPort: number): Promise<number> {
  const sent = await sendCommands(port);
  const isComplete = await capture.printed(sent, PRINT_MS);
  if (capture.hasEnded) return (await capture.stop()) || 1;
  say(
    `${sent} requests were sent and ${capture.lines} transactions printed. The stats port (telnet ${HOST} ${statsPort}) says:`,
  );
  process.stdout.write(`${(await readStats(statsPort)).trimEnd()}\n`);
  say(`Prometheus scrapes http://${HOST}:${metricsPort}/metrics while tcplat runs. Stopping it, as Ctrl-C does:`);
  const status = await capture.stop();
  say("now for real: npm start -- -i any tcp port 6379 -p redis");
  return isComplete ? status : 1;
}

/** Whoever connects gets one JSON document and is disconnected. */
async function readStats(port: number): Promise<string> {
  const socket = connect(port, HOST).setEncoding("utf8");
  let text = "";
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.length > MAX_STATS_CHARACTERS) break;
  }
  return text;
}

/** The port itself where it is free, so that what is shown is what a user will have; else any free one. */
async function portNear(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, HOST);
  try {
    await once(server, "listening");
  } catch {
    return await freePort();
  }
  server.close();
  await once(server, "close");
  return wanted;
}

function say(message: string): void {
  process.stderr.write(`tcplat: ${message}\n`);
}

// Whoever loses patience leaves nothing behind: what was started is ended on exit.
process.once("SIGINT", () => process.exit(0));
process.once("SIGTERM", () => process.exit(0));
void demonstrate().then((status) => {
  process.exitCode = status;
});
