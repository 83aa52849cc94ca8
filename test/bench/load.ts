import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** What redis-benchmark reached. */
export interface Load {
  /** Requests a second, SET and GET together. */
  readonly rate: number;
}

/** Whoever is asked for the server's configuration, once for each run. */
export const QUESTIONS = 2;

/** Runs redis-benchmark's SET and GET at full speed: 50 connections, `requests` of each. */
export async function benchmark(port: number, requests: number, words: readonly string[] = []): Promise<Load> {
  const fixed = ["-p", `${port}`, "-t", "set,get", "-n", `${requests}`, "-q"];
  const child = spawn("redis-benchmark", [...fixed, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  const [status] = await once(child, "close");
  const rates = [...output.matchAll(/(?:SET|GET): ([\d.]+) requests per second/g)].map(([, rate]) => Number(rate));
  if (status !== 0 || rates.length !== 2) throw new Error(`redis-benchmark ended with ${status}: ${output}`);
  return { rate: 2 / (1 / rates[0]! + 1 / rates[1]!) };
}

/** Connections that ask one thing at a time. */
export class Asker {
  readonly #idle: Socket[] = [];
  readonly #all: Socket[] = [];

  static async connect(connections: number, port: number, host = "127.0.0.1"): Promise<Asker> {
    const asker = new Asker();
    for (let made = 0; made < connections; made++) await asker.#open(port, host);
    return asker;
  }

  async #open(port: number, host: string): Promise<void> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, "connect");
    socket.on("data", () => this.#idle.push(socket));
    this.#all.push(socket);
    this.#idle.push(socket);
  }

  /** Asks on an idle connection; false when there is none. */
  ask(request: string): boolean {
    const socket = this.#idle.shift();
    socket?.write(request, "latin1");
    return socket !== undefined;
  }

  /** Resolves once every connection has its answer. */
  async answered(): Promise<void> {
    while (this.#idle.length < this.#all.length) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  close(): void {
    for (const socket of this.#all) socket.destroy();
  }
}

/** Asks at a steady rate, in steps of a millisecond or more, for so many milliseconds. */
export async function paced(port: number, rate: number, durationMs: number): Promise<void> {
  const asker = await Asker.connect(50, port);
  const startedAt = performance.now();
  let asked = 0;
  for (;;) {
    const now = performance.now() - startedAt;
    if (now > durationMs) break;
    for (const due = Math.floor((now * rate) / 1000); asked < due; asked++) {
      if (
        !asker.ask(
          asked % 2 === 0 ? "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\nabc\r\n" : "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n",
        )
      )
        break;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await asker.answered();
  asker.close();
}
