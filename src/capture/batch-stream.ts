import { RECORD_HEADER_BYTES } from "./frame-source.ts";
import type { Libpcap, Pointer } from "./libpcap-binding.ts";

/**
 * One batch's memory. Only touched pages cost anything: with ordinary frames that is BATCH_BYTES and a little.
 * The rest is room for one call's worst case.
 */
const BATCH_CAPACITY_BYTES = 16 << 20;

/** A batch is full enough here: the next stages find it in the processor's cache. */
const BATCH_BYTES = 256 << 10;

/**
 * glibc's FSETLOCKING_BYCALLER (`stdio_ext.h`): a stream that one thread at a time uses needs no lock. Without it on both
 * sides files are read at 15.5 instead of 9.1 million frames a second (test/bench/capture-file.ts).
 */
export const LOCKED_BY_CALLER = 2;

/** Magic number of a capture file with nanoseconds (`pcap-savefile(5)`). */
const MAGIC_NANOSECONDS = 0xa1b23c4d;

/**
 * The one trick: libpcap's own `pcap_dump` is the callback of `pcap_dispatch`, and its dumper writes to a memory stream over
 * our buffer. One foreign call brings many frames, each behind its record header. See native-notes/libpcap.md.
 */
export class BatchStream {
  /** Referenced here for as long as C writes to it. */
  readonly buffer: Buffer;
  /** LINKTYPE_ value, as libpcap would write it to a file. */
  readonly linkType: number;
  /** What the last `pcap_dispatch` returned: frames, or a negative status. */
  result = 0;
  /** Frames asked of the last `pcap_dispatch`: a file that brings fewer is at its end. */
  asked = 0;
  /** Frames asked of one call: so few that even the longest possible ones fit. */
  readonly framesPerCall: number;

  readonly #libpcap: Libpcap;
  readonly #handle: Pointer;
  readonly #stream: Pointer;
  readonly #dumper: Pointer;
  readonly #hasNanoseconds: boolean;
  /** Frames asked of the next call: of such as came last so many make a batch. */
  #frames: number;

  /**
   * `buffer`: from allocateBatch; `maxFrameBytes`: no frame of this handle is captured longer.
   * Throws Error with libpcap's words.
   */
  constructor(libpcap: Libpcap, handle: Pointer, buffer: Buffer, maxFrameBytes: number) {
    this.buffer = buffer;
    this.#libpcap = libpcap;
    this.#handle = handle;
    this.framesPerCall = Math.floor((BATCH_CAPACITY_BYTES - BATCH_BYTES) / (RECORD_HEADER_BYTES + maxFrameBytes));
    if (this.framesPerCall < 1) throw new Error(`frames of ${maxFrameBytes} bytes are too long`);
    this.#frames = this.framesPerCall;
    this.#stream = libpcap.openMemoryStream(this.buffer, BATCH_CAPACITY_BYTES, "w");
    if (this.#stream === null) throw new Error("no memory for a batch of frames");
    libpcap.setLocking?.(this.#stream, LOCKED_BY_CALLER);
    this.#dumper = libpcap.openDumper(handle, this.#stream);
    if (this.#dumper === null) {
      libpcap.closeStream(this.#stream);
      throw new Error(libpcap.errorText(handle));
    }
    libpcap.flushDumper(this.#dumper);
    libpcap.rewind(this.#stream);
    // pcap-savefile(5): magic u32, version, zone, accuracy, snaplen, link type u32 at 20, of which 16 bits are the type.
    this.#hasNanoseconds = this.buffer.readUInt32LE(0) === MAGIC_NANOSECONDS;
    this.linkType = this.buffer.readUInt16LE(20);
  }

  /** Fills the buffer from 0 and returns the bytes; sets `result`. Frames before a fault are in the buffer. */
  fill(): number {
    const { dispatch, dumperPosition, dumpCallback } = this.#libpcap;
    let bytes = 0;
    do {
      const before = bytes;
      this.asked = this.#frames;
      this.result = dispatch(this.#handle, this.asked, dumpCallback, this.#dumper);
      bytes = dumperPosition(this.#dumper);
      if (this.result > 0) this.#expect((bytes - before) / this.result);
    } while (this.result >= this.asked && bytes < BATCH_BYTES);
    return this.#finish(bytes);
  }

  /** The next frames are taken to be as long: of 64 KB each, all that a call may bring would be 16 MB, too many for any cache. */
  #expect(frameBytes: number): void {
    this.#frames = Math.min(this.framesPerCall, Math.ceil(BATCH_BYTES / frameBytes));
  }

  /** As `fill`, with one call for at most `frames` on another thread: the event loop goes on while it waits. */
  fillAsync(frames: number): Promise<number> {
    const { dispatch, dumperPosition, dumpCallback } = this.#libpcap;
    const count = Math.min(frames, this.framesPerCall);
    this.asked = count;
    return new Promise((resolve, reject) => {
      dispatch.async(this.#handle, count, dumpCallback, this.#dumper, (error, result) => {
        if (error !== null && error !== undefined) {
          reject(error);
          return;
        }
        this.result = result;
        resolve(this.#finish(dumperPosition(this.#dumper)));
      });
    });
  }

  /** Closes the dumper and its stream; not the capture handle. */
  close(): void {
    this.#libpcap.closeDumper(this.#dumper);
  }

  #finish(bytes: number): number {
    if (bytes === 0) return 0;
    this.#libpcap.flushDumper(this.#dumper);
    this.#libpcap.rewind(this.#stream);
    if (!this.#hasNanoseconds) microsecondsToNanoseconds(this.buffer, bytes);
    return bytes;
  }
}

/** Memory for one stream's batches: outside V8's heap, so that it never moves. */
export function allocateBatch(): Buffer {
  return Buffer.allocUnsafeSlow(BATCH_CAPACITY_BYTES);
}

/** Rewrites the records of a batch whose source knows only microseconds (macOS, live), in place. */
export function microsecondsToNanoseconds(batch: Buffer, bytes: number): void {
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes; ) {
    batch.writeUInt32LE(batch.readUInt32LE(at + 4) * 1000, at + 4);
    at += RECORD_HEADER_BYTES + batch.readUInt32LE(at + 8);
  }
}
