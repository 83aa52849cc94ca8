import { u32le } from "../bytes/read.ts";
import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import type { RawOptions } from "../options.ts";
import type { RecordWriter } from "../outputs/record-writer.ts";
import { arpLine, ipv4Line, ipv6Line } from "./network.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, networkHeader } from "./network-header.ts";
import type { Line } from "./packet.ts";
import { asciiText, hexText } from "./payload-text.ts";
import { RelativeSequences } from "./relative-sequences.ts";

/** `-p raw`: a line for each packet, in tcpdump's form, and with `-A` or `-X` what is in it. */
export class PacketPrinter {
  readonly #format: RawOptions["format"];
  readonly #linkType: number;
  readonly #writer: Pick<RecordWriter, "record">;
  readonly #sequences = new RelativeSequences();
  #second = -1;
  #clock = "";

  /** `linkType`: a LINKTYPE_ value. */
  constructor({ format }: RawOptions, linkType: number, writer: Pick<RecordWriter, "record">) {
    this.#format = format;
    this.#linkType = linkType;
    this.#writer = writer;
  }

  /** Prints the frames of batch[start, end), records as in frame-source.ts. */
  print(batch: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const frameStart = at + RECORD_HEADER_BYTES;
      const frameEnd = frameStart + u32le(batch, at + 8);
      const time = this.#timeText(u32le(batch, at), u32le(batch, at + 4));
      this.#writer.record(
        `${time} ${this.#frameText(batch, frameStart, frameEnd, frameStart + u32le(batch, at + 12))}`,
      );
      at = frameEnd;
    }
  }

  #frameText(bytes: Uint8Array, start: number, end: number, originalEnd: number): string {
    const header = networkHeader(this.#linkType, bytes, start, end);
    if (header === null) return `[|link], length ${originalEnd - start}\n`;
    const told = this.#told(header.etherType, bytes, header.start, end, originalEnd);
    return `${told.text}\n${this.#contents(bytes.subarray(header.start, end), bytes.subarray(told.payloadStart, told.payloadEnd))}`;
  }

  #told(etherType: number, bytes: Uint8Array, at: number, end: number, originalEnd: number): Line {
    switch (etherType) {
      case ETHERTYPE_IPV4:
        return ipv4Line(bytes, at, end, originalEnd, this.#sequences);
      case ETHERTYPE_IPV6:
        return ipv6Line(bytes, at, end, originalEnd, this.#sequences);
      case ETHERTYPE_ARP:
        return arpLine(bytes, at, end, originalEnd);
      default: {
        const what =
          etherType === 0 ? `link-type ${this.#linkType}` : `ethertype 0x${etherType.toString(16).padStart(4, "0")}`;
        return { text: `${what}, length ${originalEnd - at}`, payloadStart: at, payloadEnd: end };
      }
    }
  }

  /** `packet` is all behind the link header, `payload` what the transport carries. */
  #contents(packet: Uint8Array, payload: Uint8Array): string {
    if (this.#format === "hex") return hexText(packet);
    return this.#format === "ascii" ? asciiText(payload) : "";
  }

  /** Local time, as tcpdump's. */
  #timeText(seconds: number, nanoseconds: number): string {
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#clock = new Date(seconds * 1000).toTimeString().slice(0, 8);
    }
    return `${this.#clock}.${String(Math.floor(nanoseconds / 1000)).padStart(6, "0")}`;
  }
}
