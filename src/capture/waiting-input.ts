import { createReadStream, fstatSync, open } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

/**
 * Opens what may make its reader wait; `path`: "-" for standard input. A named pipe is watched by the event loop, as Node does with standard input:
 * read as a file is, one of Node's threads would wait for its writer, and the process's end for that thread.
 */
export async function openInput(path: string): Promise<Readable> {
  if (path === "-") return process.stdin;
  const fd = await promisify(open)(path, "r");
  return fstatSync(fd).isFIFO() ? new Socket({ fd, readable: true, writable: false }) : createReadStream(path, { fd });
}
