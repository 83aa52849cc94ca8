import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { escapeControls } from "../escape.ts";
import type { StatusLine } from "./status-line.ts";

/** What is read sooner shows no progress. */
const FIRST_MS = 300;
const EVERY_MS = 200;
/** Narrower terminals wrap. */
const DEFAULT_COLUMNS = 80;

/** How far a file is read, on the status line, until it is stopped. */
export class Progress {
  readonly #status: StatusLine;
  readonly #path: string;
  readonly #frames: () => number;
  readonly #startedMs = performance.now();
  readonly #bytes: number | null;
  #timer: NodeJS.Timeout | undefined;

  /** `path`: the file, or `-`. `frames`: taken so far. */
  constructor(status: StatusLine, path: string, frames: () => number) {
    this.#status = status;
    this.#path = path;
    this.#frames = frames;
    const size = path === "-" ? undefined : statSync(path, { throwIfNoEntry: false });
    this.#bytes = size?.isFile() === true && size.size > 0 ? size.size : null;
    this.#timer = setTimeout(() => this.#show(), FIRST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#status.show("");
  }

  #show(): void {
    const line = progressLine({
      path: this.#path,
      bytes: this.#bytes,
      bytesRead: this.#bytes === null ? null : positionOf(this.#path),
      frames: this.#frames(),
      seconds: (performance.now() - this.#startedMs) / 1000,
    });
    this.#status.show(line.slice(0, (process.stderr.columns || DEFAULT_COLUMNS) - 1));
    this.#timer = setTimeout(() => this.#show(), EVERY_MS);
  }
}

/** What is known of a file that is being read; null what is not. */
export interface ProgressView {
  readonly path: string;
  readonly bytes: number | null;
  readonly bytesRead: number | null;
  readonly frames: number;
  readonly seconds: number;
}

/** `43 % of 280.0 MB, 1,200,000 frames/s, 4 s left: incident.pcap`, as far as it is known. */
export function progressLine({ path, bytes, bytesRead, frames, seconds }: ProgressView): string {
  const rate = `${Math.round(frames / seconds).toLocaleString("en")} frames/s`;
  // A terminal may show wide characters as two.
  const name = escapeControls(path).replace(/[^\x20-\x7e]/g, "?");
  if (bytes === null || bytesRead === null) return `${frames.toLocaleString("en")} frames, ${rate}: ${name}`;
  const share = Math.min(1, bytesRead / bytes);
  const parts = [`${Math.floor(share * 100)} % of ${(bytes / 1e6).toFixed(1)} MB`, rate];
  if (share > 0) parts.push(`${timeText((seconds * (1 - share)) / share)} left`);
  return `${parts.join(", ")}: ${name}`;
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * How far this process has read a file, as Linux tells it (`proc_pid_fdinfo(5)`), whoever of us reads it: of several threads the least far.
 * Null where that is not known.
 */
function positionOf(path: string): number | null {
  try {
    const real = realpathSync(path);
    const positions = readdirSync("/proc/self/fd")
      .filter((descriptor) => linkOf(descriptor) === real)
      .map((descriptor) =>
        Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1]),
      );
    return positions.length === 0 ? null : Math.min(...positions);
  } catch {
    return null;
  }
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The descriptor of the folder itself, closed meanwhile.
    return "";
  }
}
