import { u16, u32 } from "../../bytes/read.ts";

// Runs for every message.

export const HEADER_BYTES = 24;
export const REQUEST_MAGIC = 0x80;
export const RESPONSE_MAGIC = 0x81;

/**
 * A header of the binary protocol (memcached `protocol_binary.txt`, "Packet Structure"), gathered over pushes:
 *
 *      0  magic               u8
 *      1  opcode              u8
 *      2  key length          u16
 *      4  extras length       u8
 *      5  data type           u8
 *      6  vbucket id; status  u16
 *      8  total body length   u32   (extras, key and value)
 *     12  opaque              u32
 *     16  cas                 u64
 */
export class BinaryHeader {
  private readonly bytes = new Uint8Array(HEADER_BYTES);
  private filled = 0;
  magic = 0;
  opcode = 0;
  keyBytes = 0;
  extrasBytes = 0;
  status = 0;
  bodyBytes = 0;
  /** 31 bits of it: what an Exchange keeps. */
  opaque = 0;

  /** The next byte is the first of a header. */
  begin(): void {
    this.filled = 0;
  }

  /** Takes what it needs of bytes[at, end) and returns where it stopped; `isComplete` says whether all is there. */
  take(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.filled < HEADER_BYTES) {
      this.bytes[this.filled++] = bytes[at++]!;
    }
    if (this.filled === HEADER_BYTES) {
      this.read();
    }
    return at;
  }

  /** Of a request's header that is not complete; -1 where it cannot be said. */
  get shownOpcode(): number {
    const isShown = this.filled >= 2 && !this.isComplete && this.bytes[0] === REQUEST_MAGIC;
    return isShown ? this.bytes[1]! : -1;
  }

  get isComplete(): boolean {
    return this.filled === HEADER_BYTES;
  }

  /** Extras and key lie within the body. */
  get isConsistent(): boolean {
    return this.keyBytes + this.extrasBytes <= this.bodyBytes;
  }

  private read(): void {
    const bytes = this.bytes;
    this.magic = bytes[0]!;
    this.opcode = bytes[1]!;
    this.keyBytes = u16(bytes, 2);
    this.extrasBytes = bytes[4]!;
    this.status = u16(bytes, 6);
    this.bodyBytes = u32(bytes, 8);
    this.opaque = u32(bytes, 12) & 0x7fffffff;
  }
}
