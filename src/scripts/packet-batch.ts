import { PACKET_HEADER_BYTES } from "./lua-prelude.ts";
import type { PacketFields, PacketReader } from "./packet-reader.ts";

/** A batch is handed over once it has so many bytes; the largest frame of the largest snaplen still fits. */
const FULL_BYTES = 131_072;
const CAPACITY_BYTES = 524_288;

/** Packets on their way to Lua, one behind the other, as lua-prelude.ts reads them; numbers are big-endian. */
export class PacketBatch {
  readonly #bytes = Buffer.allocUnsafeSlow(CAPACITY_BYTES);
  #length = 0;
  /** The frame in the slice of each packet. */
  frames: number[] = [];

  get isFull(): boolean {
    return this.#length >= FULL_BYTES;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Its bytes, until the next `clear`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.frames = [];
  }

  /** Takes the packet that `reader` has read of `frame` in `batch`. */
  add(reader: PacketReader, batch: Uint8Array, frame: number): void {
    const { packet } = reader;
    const bytes = this.#bytes;
    let at = this.#putHeader(packet);
    at += bytes.write(packet.source, at, "latin1");
    at += bytes.write(packet.destination, at, "latin1");
    bytes.set(batch.subarray(packet.payloadStart, packet.payloadStart + packet.payloadBytes), at);
    this.#length = at + packet.payloadBytes;
    this.frames.push(frame);
  }

  #putHeader(packet: PacketFields): number {
    const bytes = this.#bytes;
    let at = bytes.writeUInt32BE(packet.seconds, this.#length);
    at = bytes.writeUIntBE(packet.microseconds, at, 3);
    at = bytes.writeUInt16BE(packet.sourcePort, at);
    at = bytes.writeUInt16BE(packet.destinationPort, at);
    at = bytes.writeUInt32BE(packet.sequence, at);
    at = bytes.writeUInt32BE(packet.acknowledgement, at);
    at = bytes.writeUInt8(packet.isTcp ? 1 : 0, at);
    at = bytes.writeUInt8(packet.flags, at);
    at = bytes.writeUInt16BE(packet.window, at);
    at = bytes.writeUIntBE(packet.payloadBytes, at, 3);
    at = bytes.writeUInt8(packet.source.length, at);
    at = bytes.writeUInt8(packet.destination.length, at);
    if (at - this.#length !== PACKET_HEADER_BYTES) throw new Error("a packet's header is not what Lua reads");
    return at;
  }
}
