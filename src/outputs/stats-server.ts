import type { Socket } from "node:net";
import { createServer } from "node:net";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { cached } from "./document-cache.ts";
import type { Listening } from "./listen.ts";
import { listen } from "./listen.ts";
import { statsDocument } from "./stats-document.ts";

/** More at once are disconnected unserved. */
const READER_CAPACITY = 16;
/** A reader has this long to take the document. */
const READ_MS = 3000;
/** Once all is sent, a reader that does not hang up is disconnected after this. */
const LINGER_MS = 200;
/** Input is thrown away; a reader that sends more than this is disconnected. */
const INPUT_BYTES = 65_536;

export interface StatsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly snapshot: () => Snapshot;
}

/** The stats port: whoever connects gets the document and is disconnected, whatever they send or fail to read. */
export async function startStatsServer(options: StatsServerOptions): Promise<Listening> {
  const document = cached(() => Buffer.from(statsDocument(options.snapshot())));
  const readers = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on("error", () => {}); // a reader that vanished is no news
    if (readers.size >= READER_CAPACITY) {
      socket.destroy();
      return;
    }
    readers.add(socket);
    socket.on("close", () => readers.delete(socket));
    serve(socket, document());
  });
  const port = await listen(server, { ...options, portOption: "--stats-port", hostOption: "--stats-host" });
  const close = (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const reader of readers) reader.destroy();
    return closed;
  };
  return { port, close };
}

function serve(socket: Socket, document: Buffer): void {
  const deadline = setTimeout(() => socket.destroy(), READ_MS);
  socket.on("close", () => clearTimeout(deadline));
  socket.on("finish", () => {
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.on("close", () => clearTimeout(linger));
  });
  let input = 0;
  socket.on("data", (bytes) => {
    input += bytes.length;
    if (input > INPUT_BYTES) socket.destroy();
  });
  socket.end(document);
}
