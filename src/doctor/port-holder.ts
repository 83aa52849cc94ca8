import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { escapeControls } from "../escape.ts";
import { readOrEmpty } from "./system.ts";

/** A TCP socket bound to a port. */
interface BoundSocket {
  readonly inode: string;
  readonly isListening: boolean;
}

/** Look at so many open files at most: a busy host has millions. */
const MAX_DESCRIPTORS = 200_000;

/**
 * Who holds a TCP port of this host, as far as this user may know: `redis-server (pid 12)`, with "an outgoing connection of"
 * before it where nobody listens; "" where nothing is known.
 */
export function lookupPortHolder(port: number): string {
  const tables = `${readOrEmpty("/proc/net/tcp")}\n${readOrEmpty("/proc/net/tcp6")}`;
  const sockets = parseSocketTable(tables, port);
  const socket = sockets.find((each) => each.isListening) ?? sockets[0];
  if (socket === undefined) return "";
  const process = findProcess(socket.inode);
  if (process === "") return socket.isListening ? "" : "an outgoing connection";
  return socket.isListening ? process : `an outgoing connection of ${process}`;
}

/** The sockets bound to `port` in a text like `/proc/net/tcp` (`proc(5)`: sl, local, remote, state, …, inode as the tenth). */
export function parseSocketTable(table: string, port: number): readonly BoundSocket[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[9] !== undefined)
    .map((fields) => ({ inode: fields[9] ?? "", isListening: fields[3] === "0A" }));
}

function findProcess(inode: string): string {
  const wanted = `socket:[${inode}]`;
  let looked = 0;
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of entries(`/proc/${pid}/fd`)) {
      if (looked++ > MAX_DESCRIPTORS) return "";
      if (isLink(`/proc/${pid}/fd/${descriptor}`, wanted)) return `${commandOf(pid)} (pid ${pid})`;
    }
  }
  return "";
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isLink(path: string, target: string): boolean {
  try {
    return readlinkSync(path) === target;
  } catch {
    return false;
  }
}

function commandOf(pid: string): string {
  try {
    return escapeControls(readFileSync(`/proc/${pid}/comm`, "utf8").trim());
  } catch {
    return "a process";
  }
}
