import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** A real server that a test started. */
export interface RealServer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it by its pid; resolves once it is gone. */
  stop(): Promise<void>;
}

/** How a real server is started. */
export interface ServerOptions {
  /** More words for its command line. */
  readonly words?: readonly string[];
  /** The network namespace it lives in, and its address there. */
  readonly namespace?: string;
  readonly host?: string;
}

const READY_MS = 60_000;

/** Why a test that needs this program must be skipped, or null. */
export function missingProgram(...names: readonly string[]): string | null {
  const missing = names.filter((name) => spawnSync("which", [name], { stdio: "ignore" }).status !== 0);
  return missing.length === 0 ? null : `${missing.join(" and ")} is not installed`;
}

/** A TCP port of 127.0.0.1 that nobody listens on, below Linux's ephemeral range, so that no client takes it meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port === port));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** redis-server with DEBUG allowed, and nothing written to disk but a replica's dump in its own folder. */
export async function startRedis(options: ServerOptions = {}): Promise<RealServer> {
  const { folder, remove } = temporaryFolder();
  const host = options.host ?? "127.0.0.1";
  const port = await freePort();
  const fixed = ["--port", `${port}`, "--bind", host, "--dir", folder, "--save", "", "--enable-debug-command", "yes"];
  const words = [...fixed, "--protected-mode", "no", "--daemonize", "no", ...(options.words ?? [])];
  return await startServer({ program: "redis-server", words, host, port, options, ready: /Ready to accept/, remove });
}

/** memcached, as nobody where the tests run as root. */
export async function startMemcached(options: ServerOptions = {}): Promise<RealServer> {
  const host = options.host ?? "127.0.0.1";
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const udp = options.words?.includes("-U") === true ? [] : ["-U", "0"];
  const words = ["-l", host, "-p", `${port}`, ...udp, ...user, ...(options.words ?? [])];
  return await startServer({ program: "memcached", words, host, port, options, ready: null, remove: () => {} });
}

/** A DNS server that knows `*.example.test`, and refuses everything else. */
export async function startDnsmasq(options: ServerOptions = {}): Promise<RealServer> {
  const host = options.host ?? "127.0.0.1";
  const port = await freePort();
  const alone = ["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-hosts", "--no-resolv"];
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  const words = [...alone, ...user, `--port=${port}`, `--listen-address=${host}`, "--bind-interfaces"];
  words.push("--address=/example.test/192.0.2.7", ...(options.words ?? []));
  return await startServer({ program: "dnsmasq", words, host, port, options, ready: null, remove: () => {} });
}

/** librdkafka's mock cluster of one broker, inside a kcat that consumes the topic `boot`; it chooses its port, and says so. */
export async function startKafka(): Promise<RealServer> {
  const mock = ["-X", "test.mock.num.brokers=1", "-X", "debug=mock"];
  const child = spawnIn(undefined, "kcat", ["-C", "-t", "boot", "-b", "127.0.0.1:1", ...mock]);
  let output = "";
  child.stdout?.resume();
  child.stderr?.on("data", (chunk) => (output += output.length < 100_000 ? String(chunk) : ""));
  const port = () => /bootstrap\.servers=127\.0\.0\.1:(\d+)/.exec(output)?.[1];
  try {
    await until("kcat's broker listens", () => port() !== undefined || hasEnded(child), READY_MS);
    if (hasEnded(child)) throw new Error(`kcat ended: ${output}`);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { host: "127.0.0.1", port: Number(port()), pid: child.pid!, stop: () => stopServer(child, () => {}) };
}

/** A Prometheus that scrapes one target twice a second, with its data in a folder of its own. */
export async function startPrometheus(target: string): Promise<RealServer> {
  const { folder, remove } = temporaryFolder();
  const config = join(folder, "prometheus.yml");
  const scrape = `scrape_configs:\n  - job_name: tcplat\n    static_configs:\n      - targets: ["${target}"]\n`;
  writeFileSync(config, `global:\n  scrape_interval: 500ms\n  scrape_timeout: 500ms\n${scrape}`);
  const port = await freePort();
  const words = [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`];
  words.push(`--web.listen-address=127.0.0.1:${port}`);
  const ready = /Server is ready to receive web requests/;
  return await startServer({ program: "prometheus", words, host: "127.0.0.1", port, options: {}, ready, remove });
}

/** A program that becomes a server. */
export interface Start {
  readonly program: string;
  readonly words: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly options: ServerOptions;
  /** What it prints once it listens; null: it is tried by connecting. */
  readonly ready: RegExp | null;
  readonly remove: () => void;
}

/** Starts a program and waits until it listens. */
export async function startServer(start: Start): Promise<RealServer> {
  const { program, words, host, port, options, ready, remove } = start;
  const child = spawnIn(options.namespace, program, words);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += String(chunk)));
  try {
    if (ready === null) await untilAccepts(host, port, child);
    else await until(`${program} listens`, () => ready.test(output) || hasEnded(child), READY_MS);
    if (hasEnded(child)) throw new Error(`${program} ended: ${output}`);
  } catch (error) {
    child.kill("SIGKILL");
    remove();
    throw error;
  }
  return { host, port, pid: child.pid!, stop: () => stopServer(child, remove) };
}

async function untilAccepts(host: string, port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!hasEnded(child)) {
    if (await accepts(host, port)) return;
    if (performance.now() > deadline) throw new Error(`nobody listens on ${host}:${port}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function stopServer(child: ChildProcess, remove: () => void): Promise<void> {
  if (!hasEnded(child)) {
    const gone = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(timer);
  }
  remove();
}

/** Whether a child process has ended. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Starts a program, in a network namespace where one is named; it ends with this process at the latest. */
export function spawnIn(namespace: string | undefined, program: string, words: readonly string[]): ChildProcess {
  const command = namespace === undefined ? [program, ...words] : ["ip", "netns", "exec", namespace, program, ...words];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  child.on("error", () => {});
  const end = () => void child.kill("SIGKILL");
  process.on("exit", end);
  child.on("exit", () => process.off("exit", end));
  return child;
}

/** A folder for one test's files. */
export function temporaryFolder(): { readonly folder: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "tcplat-e2e-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
