import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crowd } from "../support/crowd.ts";
import { cacheFolder } from "./captures.ts";

/** The capture file of a crowd. Kept. */
export function crowdFile(connections: number, rounds: number): string {
  const file = join(cacheFolder(), `crowd-${connections}-${rounds}.pcap`);
  if (existsSync(file)) return file;
  const descriptor = openSync(`${file}.part`, "w");
  for (const piece of crowd(connections, rounds)) writeSync(descriptor, piece);
  closeSync(descriptor);
  renameSync(`${file}.part`, file);
  return file;
}
