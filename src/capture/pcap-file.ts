import { closeSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { u32le } from "../bytes/read.ts";
import { viewOf } from "../bytes/view.ts";
import { TcplatError } from "../errors.ts";
import { type CaptureDrops, END_OF_FRAMES, type FrameSource, RECORD_HEADER_BYTES } from "./frame-source.ts";

/** libpcap refuses longer frames in a file, whatever its header says (`pcap-int.h`, MAXIMUM_SNAPLEN). */
export const MAX_FRAME_BYTES = 262_144;

/** LINKTYPE_ values whose frames may hold megabytes and no IP: DBUS, USBPCAP, EBHSCR. */
export const HUGE_LINK_TYPES: readonly number[] = [231, 249, 279];

/**
 * `pcap-savefile(5)`:
 *
 *     0  magic number   u32       6  minor version 4  u16      16  snaplen    u32
 *     4  major version 2  u16     8  zone, accuracy   u32 u32  20  link type  u16 (and FCS bits)
 */
const FILE_HEADER_BYTES = 24;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const VERSION_2_4 = 0x0004_0002;

/** A batch stays in the processor's cache: 128 KiB to 512 KiB read a file equally fast, 4 MiB a fifth slower. */
const BATCH_BYTES = 256 << 10;

const NO_DROPS: CaptureDrops = { kernel: 0, interface: 0, engine: 0 };

/** What the header of a capture file says, of those kinds that are read without libpcap. */
interface Header {
  readonly hasNanoseconds: boolean;
  readonly linkType: number;
  readonly snaplen: number;
}

/**
 * Frames of the capture file that nearly all are: pcap 2.4, little-endian, without a filter to apply. Its records are a batch's
 * already, so it is read straight into the batch: 17 ns a frame, where libpcap's read, copy and dump take 60
 * (test/bench/capture-file.ts). All other files go through libpcap.
 */
export class PcapFileSource implements FrameSource {
  readonly name: string;
  readonly engine = "libpcap";
  readonly isLive = false;
  readonly clock = "file";
  readonly linkType: number;
  readonly snaplen: number;
  readonly layout = "records";
  readonly batchStart = 0;
  readonly batch: Buffer = Buffer.allocUnsafeSlow(BATCH_BYTES + RECORD_HEADER_BYTES + MAX_FRAME_BYTES);
  readonly isUp = true;
  warning: string | null = null;

  private readonly words = viewOf(this.batch);
  private readonly hasNanoseconds: boolean;
  private descriptor: number;
  /** Bytes in the batch: up to whole they are whole records, told by the last read. */
  private filled = 0;
  private whole = 0;
  private fault: TcplatError | null = null;
  private isAtEnd = false;

  /** Takes the descriptor over, which stands behind the header. */
  constructor(name: string, descriptor: number, header: Header) {
    this.name = name;
    this.linkType = header.linkType;
    this.snaplen = header.snaplen;
    this.hasNanoseconds = header.hasNanoseconds;
    this.descriptor = descriptor;
  }

  read(): number {
    if (this.fault !== null) throw this.fault;
    this.dropTold();
    while (this.whole === 0 && !this.isAtEnd && this.fault === null) {
      const bytes = this.readMore();
      if (bytes === 0) this.end();
      this.filled += bytes;
      this.findWhole();
    }
    if (this.whole > 0) return this.whole;
    if (this.fault !== null) throw this.fault;
    return END_OF_FRAMES;
  }

  async waitForFrames(): Promise<void> {}

  wake(): void {}

  drops(): CaptureDrops {
    return NO_DROPS;
  }

  close(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    this.isAtEnd = true;
  }

  /** The record that was not whole goes to the front, to be read on. */
  private dropTold(): void {
    this.batch.copyWithin(0, this.whole, this.filled);
    this.filled -= this.whole;
    this.whole = 0;
  }

  private readMore(): number {
    try {
      return readSync(this.descriptor, this.batch, this.filled, BATCH_BYTES, null);
    } catch (error) {
      this.break(error instanceof Error ? error.message : String(error));
      return 0;
    }
  }

  /** Finds where the last whole record ends, and makes nanoseconds of their microseconds. */
  // Runs for every frame.
  private findWhole(): void {
    const { words } = this;
    const last = this.filled - RECORD_HEADER_BYTES;
    let at = 0;
    while (at <= last) {
      const captured = words.getUint32(at + 8, true);
      if (captured > MAX_FRAME_BYTES) {
        this.break(`invalid captured length ${captured}, longer than ${MAX_FRAME_BYTES}`);
        break;
      }
      const next = at + RECORD_HEADER_BYTES + captured;
      if (next > this.filled) break;
      if (!this.hasNanoseconds) words.setInt32(at + 4, Math.imul(words.getInt32(at + 4, true), 1000), true);
      at = next;
    }
    this.whole = at;
  }

  private end(): void {
    this.isAtEnd = true;
    if (this.filled > 0 && this.fault === null) {
      this.warning = `${this.name} ends in the middle of a frame (${this.filled} bytes of it): all frames before it were read`;
    }
  }

  private break(reason: string): void {
    this.fault = new TcplatError("running", `${this.name} cannot be read further: ${reason}`);
  }
}

/** Opens a regular file, or returns null for one that libpcap has to read, or refuse. */
export function openPcapFile(path: string): PcapFileSource | null {
  if (endianness() !== "LE") return null;
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch {
    return null;
  }
  const header = readHeaderOf(descriptor);
  if (header !== null) return new PcapFileSource(path, descriptor, header);
  closeSync(descriptor);
  return null;
}

/** Null where libpcap has to say what is wrong, too. */
function readHeaderOf(descriptor: number): Header | null {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  try {
    return readSync(descriptor, bytes) === FILE_HEADER_BYTES ? readHeader(bytes) : null;
  } catch {
    return null;
  }
}

function readHeader(bytes: Buffer): Header | null {
  const magic = u32le(bytes, 0);
  if (magic !== MAGIC_MICROSECONDS && magic !== MAGIC_NANOSECONDS) return null;
  if (u32le(bytes, 4) !== VERSION_2_4) return null;
  const linkType = bytes.readUInt16LE(20);
  if (HUGE_LINK_TYPES.includes(linkType)) return null;
  const snaplen = u32le(bytes, 16);
  return {
    hasNanoseconds: magic === MAGIC_NANOSECONDS,
    linkType,
    snaplen: snaplen === 0 || snaplen > MAX_FRAME_BYTES ? MAX_FRAME_BYTES : snaplen,
  };
}
