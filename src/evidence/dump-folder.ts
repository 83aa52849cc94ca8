import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TcplatError } from "../errors.ts";
import { milliseconds } from "../outputs/plain-text.ts";
import { idText } from "../transactions/names.ts";
import { Slowest } from "./slowest.ts";

/** Frames hold what people store, and passwords: for the owner alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** A request, as far as its file is named after it. */
export interface Named {
  /** When its response ended, µs since the epoch. */
  readonly endUs: number;
  readonly latencyUs: number;
  readonly connectionId: number;
  readonly requestNumber: number;
}

/** `2020-03-08T192306.258761Z_203.400ms_17-204.pcap`: a listing sorts by time, and shows how slow each was. */
export function dumpName(request: Named): string {
  const { endUs, latencyUs } = request;
  const second = new Date(Math.floor(endUs / 1e6) * 1000).toISOString().slice(0, 19).replaceAll(":", "");
  const fraction = String(endUs % 1e6).padStart(6, "0");
  return `${second}.${fraction}Z_${milliseconds(latencyUs)}ms_${idText(request)}.pcap`;
}

/** How often the folder is looked into again, where a request is not slow enough for those files that were there the last time. */
const LOOK_MS = 10_000;

const NAME = /^\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z_(\d+)\.(\d{3})ms_\d+-\d+\.pcap$/;

/** A file of ours. */
interface Dump {
  readonly name: string;
  readonly latencyUs: number;
}

/** The folder of `--dump-slow`: the files of the slowest requests, at most so many, those of earlier runs among them. */
export class DumpFolder {
  readonly path: string;
  readonly #files: Slowest<Dump>;
  /** Names of this run's own files. */
  readonly #own = new Set<string>();
  /** Names of files of earlier runs that are too many. */
  #surplus: string[] = [];
  #takenAway = 0;
  #nextLookMs = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  /** Does nothing yet: see `open`. */
  constructor(path: string, capacity: number, now = (): number => performance.now()) {
    this.path = path;
    this.#now = now;
    this.#files = new Slowest(capacity);
  }

  /** Makes the folder where there is none, and sure that it can be written. Throws TcplatError "file". */
  open(): this {
    const { path } = this;
    try {
      makeFolder(path);
      const probe = join(path, `.probe.${process.pid}`);
      writeFileSync(probe, "", { mode: FILE_MODE });
      rmSync(probe);
      const present = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
      for (const name of present.map((entry) => entry.name).sort()) this.#takeUp(name);
    } catch (error) {
      throw new TcplatError("file", `the folder ${path} of --dump-slow cannot be written: ${reasonOf(error)}`);
    }
    return this;
  }

  /** How many files of this run are there. */
  get files(): number {
    return this.#own.size;
  }

  /** How many files of this run somebody else has moved away or removed, as far as was seen. */
  get takenAway(): number {
    return this.#takenAway;
  }

  /** Whether a request as slow as this is to have a file. */
  wants(latencyUs: number): boolean {
    if (this.#files.wants(latencyUs)) return true;
    const nowMs = this.#now();
    if (nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = nowMs + LOOK_MS;
    this.look();
    return this.#files.wants(latencyUs);
  }

  /** Sees which files are still there: who runs for a year has its files fetched, or cleaned away, and they make room. */
  look(): void {
    let names: ReadonlySet<string>;
    try {
      names = new Set(readdirSync(this.path));
    } catch (error) {
      // Where the folder itself is gone, nothing is there; whoever writes says so.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) return;
      names = new Set();
    }
    this.#files.retain(names);
    for (const name of this.#own) {
      if (names.has(name)) continue;
      this.#own.delete(name);
      this.#takenAway++;
    }
  }

  /** Writes a file, whole or not at all, in place of the least slow one where there are enough. Rejects with the system's error. */
  async write(name: string, latencyUs: number, parts: readonly Uint8Array[]): Promise<void> {
    const temporary = join(this.path, `.${name}.${process.pid}`);
    try {
      await rm(temporary, { force: true });
      // Exclusive: follows no link that somebody else has put there.
      const file = await open(temporary, "wx", FILE_MODE);
      try {
        for (const part of parts) await file.writeFile(part);
      } finally {
        await file.close();
      }
      await rename(temporary, join(this.path, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#own.add(name);
    const gone = [...this.#surplus, ...this.#files.add({ name, latencyUs }).map((file) => file.name)];
    this.#surplus = [];
    for (const each of gone) {
      this.#own.delete(each);
      await rm(join(this.path, each), { force: true });
    }
  }

  #takeUp(name: string): void {
    const [, ms, thousandths] = NAME.exec(name) ?? [];
    if (ms === undefined) return;
    const latencyUs = Number(ms) * 1000 + Number(thousandths);
    if (!this.#files.wants(latencyUs)) this.#surplus.push(name);
    else this.#surplus.push(...this.#files.add({ name, latencyUs }).map((file) => file.name));
  }
}

/** As mkdirSync's `recursive`, which never returns where a folder takes no other and says ENOENT, as those of /proc do. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    // Another run may have made it meanwhile.
    if (!existsSync(path)) throw error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
