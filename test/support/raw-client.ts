import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Where the reply that begins at `at` ends, or -1 while it is not whole. */
export type ReplyEnd = (bytes: Buffer, at: number) => number;

/** What a client saw of one request. */
export interface Measured {
  /** From before the write of the request to the arrival of its whole reply, microseconds. */
  readonly us: number;
  readonly reply: string;
}

/**
 * The longest that a capture may call what took `us` by this process' clock: two clocks are read, and NTP makes one of them quicker by
 * up to 500 ppm (adjtimex(2)).
 */
export function atMostUs(us: number): number {
  return us + 20 + us * 500e-6;
}

/** A client on a raw socket that measures each of its requests with a clock of its own. */
export class RawClient {
  /** `127.0.0.1:51137`, as tcplat writes it. */
  readonly endpoint: string;
  readonly socket: Socket;
  readonly #replyEnd: ReplyEnd;
  #received = Buffer.alloc(0);
  readonly #waiting: { readonly sentAt: number; readonly resolve: (measured: Measured) => void }[] = [];

  private constructor(socket: Socket, replyEnd: ReplyEnd) {
    this.socket = socket;
    this.#replyEnd = replyEnd;
    const { localAddress, localPort, localFamily } = socket;
    this.endpoint = localFamily === "IPv6" ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
  }

  static async connect(port: number, replyEnd: ReplyEnd, host = "127.0.0.1"): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket, replyEnd);
  }

  /** Sends bytes that hold `requests` requests, in one write, and resolves with what came back for each. */
  async send(bytes: string | Uint8Array, requests = 1): Promise<Measured[]> {
    const sentAt = performance.now();
    const replies = Array.from(
      { length: requests },
      () => new Promise<Measured>((resolve) => this.#waiting.push({ sentAt, resolve })),
    );
    this.socket.write(bytes);
    return await Promise.all(replies);
  }

  /** Sends one request; resolves with its reply. */
  async ask(bytes: string | Uint8Array): Promise<Measured> {
    return (await this.send(bytes))[0]!;
  }

  /** Resolves once the connection is closed on both sides. */
  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, "close");
    this.socket.end();
    await closed;
  }

  #take(chunk: Buffer): void {
    const now = performance.now();
    this.#received = Buffer.concat([this.#received, chunk]);
    let at = 0;
    while (this.#waiting.length > 0) {
      const end = this.#replyEnd(this.#received, at);
      if (end < 0) break;
      const { sentAt, resolve } = this.#waiting.shift()!;
      resolve({ us: (now - sentAt) * 1000, reply: this.#received.toString("latin1", at, end) });
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }
}

/** A command as clients send it: an array of bulk strings (RESP). */
export function resp(...words: readonly (string | number)[]): string {
  const bulk = words.map(String).map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${bulk.join("")}`;
}

/** The end of a RESP2 or RESP3 reply. */
export function respReplyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return -1;
  const type = String.fromCharCode(bytes[at]!);
  const length = Number(bytes.toString("latin1", at + 1, lineEnd));
  let end = lineEnd + 2;
  if ("$=!".includes(type)) {
    if (length < 0) return end;
    return end + length + 2 <= bytes.length ? end + length + 2 : -1;
  }
  if (!"*~>%".includes(type)) return end;
  const elements = type === "%" ? length * 2 : length;
  for (let i = 0; i < elements && end >= 0; i++) end = respReplyEnd(bytes, end);
  return end;
}

/** The end of a reply of memcached's text and meta protocols (protocol.txt). */
export function memcachedReplyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return -1;
  const words = bytes.toString("latin1", at, lineEnd).split(" ");
  const next = lineEnd + 2;
  if (words[0] === "VA") return withBlock(bytes, next, Number(words[1]));
  if (words[0] === "VALUE") {
    const end = withBlock(bytes, next, Number(words[3]));
    return end < 0 ? -1 : memcachedReplyEnd(bytes, end);
  }
  if (words[0] === "STAT") return memcachedReplyEnd(bytes, next);
  return next;
}

function withBlock(bytes: Buffer, at: number, length: number): number {
  return at + length + 2 <= bytes.length ? at + length + 2 : -1;
}
