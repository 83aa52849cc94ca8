import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A Redis for the demonstration, on a free port of 127.0.0.1. */
export interface DemoServer {
  readonly port: number;
  /** What it is, for the line that announces it. */
  readonly description: string;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const START_MS = 3000;
/** How long the embedded server takes for an EVAL. */
const SLOW_MS = 40;

/** The redis-server of this machine, or where there is none a small server of our own. */
export async function startServer(): Promise<DemoServer> {
  return (await startRedis(await freePort())) ?? (await startEmbedded());
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Null where no redis-server is installed, or it does not answer in time. */
async function startRedis(port: number): Promise<DemoServer | null> {
  const words = ["--port", `${port}`, "--bind", HOST, "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const child = spawn("redis-server", words, { stdio: "ignore" });
  const gone = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const endWithUs = () => child.kill();
  process.once("exit", endWithUs);
  void gone.then(() => process.off("exit", endWithUs));
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && child.pid !== undefined && child.exitCode === null) {
    if (await canConnect(port)) return redis(child, gone, port);
    await delay(20);
  }
  child.kill();
  return null;
}

function redis(child: ChildProcess, gone: Promise<void>, port: number): DemoServer {
  const close = async () => {
    child.kill("SIGTERM");
    await gone;
  };
  return { port, description: `this machine's redis-server, started on port ${port} for the occasion`, close };
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The few commands `client.ts` sends, answered as Redis does. */
export async function startEmbedded(): Promise<DemoServer> {
  const sockets = new Set<Socket>();
  const values = new Map<string, string>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    void serve(socket, values).catch(() => socket.destroy());
  }).listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { port, description: `a small RESP server of our own on port ${port} (no redis-server is installed)`, close };
}

/** Answers one command after the other, as Redis does: what comes meanwhile waits. */
async function serve(socket: Socket, values: Map<string, string>): Promise<void> {
  let input = "";
  for await (const chunk of socket) {
    input += String(chunk);
    for (let request = takeRequest(input); request !== null; request = takeRequest(input)) {
      input = input.slice(request.length);
      if (request.words[0] === "EVAL") await delay(SLOW_MS);
      socket.write(reply(request.words, values));
    }
  }
}

/** The first whole request: an array of bulk strings (RESP specification, "Sending commands to a Redis server"). */
function takeRequest(input: string): { readonly words: readonly string[]; readonly length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(input);
  if (head === null) return null;
  const words: string[] = [];
  let at = head[0].length;
  for (let count = Number(head[1]); count > 0; count--) {
    const [prefix = "", length = "0"] = /^\$(\d+)\r\n/.exec(input.slice(at)) ?? [];
    const end = at + prefix.length + Number(length);
    if (prefix === "" || input.length < end + 2) return null;
    words.push(input.slice(at + prefix.length, end));
    at = end + 2;
  }
  return { words, length: at };
}

function reply([command = "", key = "", value = ""]: readonly string[], values: Map<string, string>): string {
  switch (command) {
    case "SET":
      values.set(key, value);
      return "+OK\r\n";
    case "GET": {
      const found = values.get(key);
      return found === undefined ? "$-1\r\n" : `$${found.length}\r\n${found}\r\n`;
    }
    case "INCR":
      return "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    case "LPUSH":
      return ":1\r\n";
    case "EVAL":
      return "$4\r\ndone\r\n";
    default:
      return `-ERR unknown command '${command}'\r\n`;
  }
}
