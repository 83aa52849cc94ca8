import { closeSync, fstatSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { u32le } from "../bytes/read.ts";
import { TcplatError } from "../errors.ts";
import type { WriteOptions } from "../options.ts";
import { RECORD_HEADER_BYTES } from "./frame-source.ts";
import { isSameFile } from "./same-file.ts";
import { formatTime } from "./strftime.ts";

const FILE_HEADER_BYTES = 24;
const STDOUT = 1;
/** How long a full pipe is given before the next try. */
const RETRY_MS = 2;

/**
 * `-w`: the source's records as they are, behind a file header with the nanosecond magic number, rotated and named as by
 * tcpdump (`tcpdump(1)`, -C, -G, -W), on the frames' clock. Every write reaches the kernel at once.
 */
export class FrameWriter {
  /** The file that is being written; "" before the first frame with -G, whose name the first frame's time decides. */
  currentFile = "";

  readonly #options: WriteOptions;
  readonly #header: Uint8Array;
  readonly #isRotating: boolean;
  readonly #digits: number;
  readonly #source: string | null;
  #descriptor = -1;
  #fileBytes = 0;
  #sizeIndex = 0;
  #periodStart = -1;
  #periods = 0;
  #isDone = false;

  /** `linkType` is a LINKTYPE_ value; `source` the file that is read (`-`: standard input). Throws TcplatError "file" when the file cannot be made. */
  constructor(options: WriteOptions, linkType: number, snaplen: number, source: string | null = null) {
    this.#options = options;
    this.#source = source;
    this.#header = fileHeader(linkType, snaplen);
    this.#isRotating = options.file !== "-" && (options.rotateBytes !== null || options.rotateSeconds !== null);
    // tcpdump: enough digits for COUNT - 1, and none for one file or without -C.
    const isRing = options.rotateBytes !== null && options.fileCount !== null && options.fileCount > 1;
    this.#digits = isRing ? String((options.fileCount ?? 1) - 1).length : 0;
    if (options.file === "-") {
      this.#descriptor = STDOUT;
      this.currentFile = "standard output";
      this.#put(this.#header, 0, FILE_HEADER_BYTES);
    } else if (options.rotateSeconds === null) {
      this.#open("file");
    }
  }

  /**
   * Writes the records in batch[start, end), which must be whole. Returns false once no more will be written: -W files of
   * -G are complete, or standard output was closed; the capture should end. Throws TcplatError "running" on a disk error.
   */
  write(batch: Uint8Array, start: number, end: number): boolean {
    if (this.#isDone) return false;
    if (!this.#isRotating) this.#put(batch, start, end);
    else this.#writeRotating(batch, start, end);
    return !this.#isDone;
  }

  /**
   * Where in batch[start, end), which must be whole records, the last frame ends that `write` would take: before `end` only where -G and
   * -W are complete in it.
   */
  lastEnd(batch: Uint8Array, start: number, end: number): number {
    const { rotateBytes, rotateSeconds, fileCount } = this.#options;
    if (!this.#isRotating || rotateSeconds === null || rotateBytes !== null || fileCount === null) return end;
    let periods = this.#periods;
    let periodStart = this.#periodStart;
    for (let at = start; at < end; at += RECORD_HEADER_BYTES + u32le(batch, at + 8)) {
      const seconds = u32le(batch, at);
      if (periodStart >= 0) {
        if (seconds - periodStart < rotateSeconds) continue;
        if (++periods >= fileCount) return at;
      }
      periodStart = seconds;
    }
    return end;
  }

  /** For SIGHUP: goes on in a new file if somebody has moved or removed the present one. */
  reopen(): void {
    if (this.#descriptor <= STDOUT) return;
    const present = fstatSync(this.#descriptor);
    const named = statSync(this.currentFile, { throwIfNoEntry: false });
    if (named !== undefined && named.ino === present.ino && named.dev === present.dev) return;
    const old = this.#descriptor;
    const oldBytes = this.#fileBytes;
    try {
      this.#openNamed(this.currentFile, "running");
    } catch (error) {
      // Better where it was moved to than nowhere.
      this.#descriptor = old;
      this.#fileBytes = oldBytes;
      this.#isDone = false;
      throw error;
    }
    closeSync(old);
  }

  /** All frames have been written before; with -G and no frame at all, makes the empty file. */
  close(): void {
    if (this.#descriptor < 0 && !this.#isDone) {
      this.#periodStart = Math.floor(Date.now() / 1000);
      this.#open("running");
    }
    this.#isDone = true;
    this.#close();
  }

  #writeRotating(batch: Uint8Array, start: number, end: number): void {
    let sliceStart = start;
    for (let at = start; at < end; ) {
      const next = at + RECORD_HEADER_BYTES + u32le(batch, at + 8);
      if (this.#mustRotate(u32le(batch, at), at - sliceStart)) {
        this.#put(batch, sliceStart, at);
        sliceStart = at;
        this.#rotate(u32le(batch, at));
        if (this.#isDone) return;
      }
      at = next;
    }
    this.#put(batch, sliceStart, end);
  }

  #mustRotate(seconds: number, pendingBytes: number): boolean {
    return this.#isPeriodOver(seconds) || this.#isFull(pendingBytes);
  }

  #isPeriodOver(seconds: number): boolean {
    const { rotateSeconds } = this.#options;
    return rotateSeconds !== null && (this.#periodStart < 0 || seconds - this.#periodStart >= rotateSeconds);
  }

  #isFull(pendingBytes: number): boolean {
    const { rotateBytes } = this.#options;
    return rotateBytes !== null && this.#fileBytes + pendingBytes > rotateBytes;
  }

  #rotate(seconds: number): void {
    if (this.#isPeriodOver(seconds)) this.#startPeriod(seconds);
    else this.#startNextSize();
    if (this.#isDone) return;
    this.#close();
    this.#open("running");
  }

  /** -G: -W ends after COUNT files, unless -C makes it name files only. */
  #startPeriod(seconds: number): void {
    const { rotateBytes, fileCount } = this.#options;
    if (this.#periodStart >= 0) this.#periods++;
    this.#isDone = rotateBytes === null && fileCount !== null && this.#periods >= fileCount;
    this.#periodStart = seconds;
    this.#sizeIndex = 0;
  }

  /** -C: with -W the files form a ring. */
  #startNextSize(): void {
    const { fileCount } = this.#options;
    this.#sizeIndex++;
    if (fileCount !== null && this.#sizeIndex >= fileCount) this.#sizeIndex = 0;
  }

  #open(code: "file" | "running"): void {
    const { file, rotateSeconds } = this.#options;
    const stem = rotateSeconds === null ? file : formatTime(file, this.#periodStart);
    const isNumbered = this.#sizeIndex > 0 || this.#digits > 0;
    this.#openNamed(isNumbered ? stem + String(this.#sizeIndex).padStart(this.#digits, "0") : stem, code);
  }

  #openNamed(name: string, code: "file" | "running"): void {
    this.currentFile = name;
    if (this.#source !== null && isSameFile(name, this.#source)) {
      throw new TcplatError(
        code,
        `-w would overwrite the file that -r reads, which ${name} is, too: write to another one`,
      );
    }
    try {
      this.#descriptor = openSync(name, "w");
    } catch (error) {
      throw new TcplatError(code, `${name} cannot be written: ${reasonOf(error)}`);
    }
    this.#fileBytes = 0;
    this.#put(this.#header, 0, FILE_HEADER_BYTES);
  }

  #put(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      try {
        at += writeSync(this.#descriptor, bytes, at, end - at);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : "";
        if (code === "EAGAIN") {
          pause();
        } else if (code === "EPIPE" && this.#descriptor === STDOUT) {
          this.#isDone = true;
          return;
        } else {
          this.#fail(error, bytes === this.#header ? 0 : wholeBytes(bytes, start, at));
        }
      }
    }
    this.#fileBytes += end - start;
  }

  /** Cuts the half-written frame away, so that what is in the file stays readable: `written` bytes more than before are whole frames. */
  #fail(error: unknown, written: number): never {
    const file = this.currentFile;
    if (this.#descriptor !== STDOUT) {
      try {
        ftruncateSync(this.#descriptor, this.#fileBytes + written);
      } catch {
        // A pipe or device has no length to restore; the first error is the one to report.
      }
    }
    this.#isDone = true;
    this.#close();
    throw new TcplatError("running", `${file} cannot be written: ${reasonOf(error)}`);
  }

  #close(): void {
    if (this.#descriptor > STDOUT) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** How many of bytes[start, end) are whole records: the last may be cut. */
function wholeBytes(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + RECORD_HEADER_BYTES <= end) {
    const next = at + RECORD_HEADER_BYTES + u32le(bytes, at + 8);
    if (next > end) break;
    at = next;
  }
  return at - start;
}

/** The header of a file of such records (`pcap-savefile(5)`): magic of nanoseconds, version 2.4, zone, accuracy, snaplen, LINKTYPE_. */
export function fileHeader(linkType: number, snaplen: number): Uint8Array {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snaplen, 16);
  header.writeUInt32LE(linkType, 20);
  return header;
}

/** Standard output may be a pipe somebody made non-blocking; nothing else can be done until its reader takes some. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
