import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "../support/servers.ts";
import { benchmark, QUESTIONS } from "./load.ts";
import { sleep } from "./measure.ts";
import { capturing, needCapture, SETTLE_MS } from "./programs.ts";
import { Skipped } from "./rows.ts";

/** A capture file of a redis-benchmark. */
export interface Recording {
  readonly file: string;
  /** The server's. */
  readonly port: number;
  readonly bytes: number;
  readonly requests: number;
}

interface Plan {
  /** Of SET and of GET each. */
  readonly requests: number;
  readonly words: readonly string[];
}

const PLANS = {
  /** 1.6 million frames. */
  unpipelined: { requests: 400_000, words: [] },
  /** 8,000,002 commands. */
  pipelined: { requests: 4_000_000, words: ["-P", "16"] },
  /** Values of 4 KB: 500 MB. */
  values: { requests: 60_000, words: ["-d", "4096"] },
  /** A connection for each of 300,000 requests, as of a client that keeps none. */
  churn: { requests: 150_000, words: ["-k", "0"] },
} as const satisfies Record<string, Plan>;

export type RecordingName = keyof typeof PLANS;

const ATTEMPTS = 5;

/** The folder that keeps captures from one bench to the next: 1.1 GB under the system's temporary folder, ours alone. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), `tcplat-bench-${process.getuid?.() ?? "user"}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid()))
    throw new Error(`${folder} is not ours`);
  return folder;
}

/** The capture of that name: recorded by tcpdump the first time, with nothing dropped, and in the page cache. */
export async function recording(name: RecordingName): Promise<Recording> {
  const found = find(name) ?? (await record(name));
  readThrough(found.file);
  return found;
}

function find(name: RecordingName): Recording | null {
  const folder = cacheFolder();
  for (const entry of readdirSync(folder)) {
    const port = new RegExp(`^${name}-(\\d+)\\.pcap$`).exec(entry)?.[1];
    if (port === undefined) continue;
    const file = join(folder, entry);
    return { file, port: Number(port), bytes: statSync(file).size, requests: PLANS[name].requests * 2 + QUESTIONS };
  }
  return null;
}

async function record(name: RecordingName): Promise<Recording> {
  needCapture("tcpdump", "redis-server", "redis-benchmark");
  const { requests, words } = PLANS[name];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    process.stderr.write(`bench: recording ${name}\n`);
    const redis = await startRedis();
    const file = join(cacheFolder(), `${name}-${redis.port}.pcap`);
    try {
      const filter = ["tcp", "port", `${redis.port}`];
      // A larger buffer takes seconds to set up, and what passes meanwhile is lost.
      const tcpdump = await capturing([
        "tcpdump",
        "-Z",
        "root",
        "-i",
        "lo",
        "-B",
        "65536",
        "-s",
        "0",
        "-w",
        `${file}.part`,
        ...filter,
      ]);
      await benchmark(redis.port, requests, words);
      await sleep(SETTLE_MS);
      const { stderr } = await tcpdump.stop();
      if (!/^0 packets dropped by kernel/m.test(stderr)) continue;
      renameSync(`${file}.part`, file);
      return find(name)!;
    } finally {
      rmSync(`${file}.part`, { force: true });
      await redis.stop();
    }
  }
  throw new Skipped(`tcpdump dropped frames in each of ${ATTEMPTS} attempts to record ${name}`);
}

function readThrough(file: string): void {
  const chunk = Buffer.alloc(1 << 20);
  const descriptor = openSync(file, "r");
  while (readSync(descriptor, chunk) > 0);
  closeSync(descriptor);
}
