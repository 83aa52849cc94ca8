import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HOST = "127.0.0.1";
const FAST_PAIRS = 5;
const PIPELINE_DEPTH = 8;
/** Turns of an empty loop in Lua: tens of milliseconds of work for Redis, during which nobody else is served. */
const SLOW_SCRIPT = "local x = 0 for i = 1, 5000000 do x = x + i end return 'done'";

/** Sends some fast commands, an error, a slow one and a pipeline; resolves with how many requests were sent, all answered. */
export async function sendCommands(port: number): Promise<number> {
  const client = await Client.open(port);
  try {
    for (let i = 1; i <= FAST_PAIRS; i++) {
      await client.send([["SET", `user:${i}`, "x".repeat(i * 100)]]);
      await client.send([["GET", `user:${i}`]]);
    }
    await client.send([["LPUSH", "queue", "job"]]);
    await client.send([["INCR", "queue"]]);
    await client.send([["EVAL", SLOW_SCRIPT, "0"]]);
    await client.send(Array.from({ length: PIPELINE_DEPTH }, (_, i) => ["GET", `user:${(i % FAST_PAIRS) + 1}`]));
    return client.sent;
  } finally {
    client.close();
  }
}

/** A client that knows just enough RESP2 to tell when its answers are there. */
class Client {
  /** Requests sent so far. */
  sent = 0;
  readonly #socket: Socket;
  #input = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
  }

  static async open(port: number): Promise<Client> {
    const socket = connect(port, HOST);
    await once(socket, "connect");
    return new Client(socket);
  }

  /** Sends requests in one piece and waits for all their answers. */
  async send(requests: readonly (readonly string[])[]): Promise<void> {
    this.#socket.write(requests.map(encode).join(""));
    this.sent += requests.length;
    for (let due = requests.length; due > 0; ) {
      const length = replyLength(this.#input);
      if (length > 0) {
        this.#input = this.#input.slice(length);
        due--;
      } else {
        const [chunk] = await once(this.#socket, "data");
        this.#input += String(chunk);
      }
    }
  }

  close(): void {
    this.#socket.end();
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** Characters of the first whole reply (a line, or a bulk string), 0 while it is not all there. */
function replyLength(input: string): number {
  const [line = ""] = /^.*?\r\n/s.exec(input) ?? [];
  const bodyBytes = line.startsWith("$") ? Number(line.slice(1)) : -1;
  const length = bodyBytes < 0 ? line.length : line.length + bodyBytes + 2;
  return input.length >= length ? length : 0;
}
