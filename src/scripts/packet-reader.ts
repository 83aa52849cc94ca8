import { u32le } from "../bytes/read.ts";
import { addressText } from "../connection/address.ts";
import { Decoder } from "../decode/decoder.ts";

/** Addresses whose text is kept. */
const TEXTS_KEPT = 4096;
/** FIN, SYN, RST, PSH and ACK: what tcpkit's scripts know of the flags, and compare with `==`. */
const FLAGS = 31;

/** A TCP segment or a UDP datagram of a frame, for scripts. One record, overwritten by every `read`. */
export class PacketFields {
  isTcp = false;
  seconds = 0;
  microseconds = 0;
  source = "";
  destination = "";
  sourcePort = 0;
  destinationPort = 0;
  /** 32 bits, without a sign. These four are 0 for UDP. */
  sequence = 0;
  acknowledgement = 0;
  flags = 0;
  window = 0;
  /** The captured payload is batch[payloadStart, payloadStart + payloadBytes). */
  payloadStart = 0;
  payloadBytes = 0;
  /** Its bytes on the wire. */
  wireBytes = 0;
}

/** Reads the packets out of a batch's records, for scripts: unlike the analysis, every copy of a frame, and all of UDP. */
export class PacketReader {
  readonly packet = new PacketFields();
  /** Index behind the last record read. */
  next = 0;
  readonly #decoder: Decoder;
  readonly #texts = new Map<number, string>();

  /** `linkType`: a LINKTYPE_ value. */
  constructor(linkType: number) {
    this.#decoder = new Decoder(linkType, true);
  }

  /** Reads the record at `at`. True when `packet` now holds what was in it; false when that is neither TCP nor UDP, or not whole. */
  read(batch: Uint8Array, at: number): boolean {
    const isPacket = this.#decoder.decode(batch, at);
    this.next = this.#decoder.next;
    if (!isPacket) return false;
    const { packet } = this;
    const { segment } = this.#decoder;
    const { ipVersion } = segment;
    const isTcp = !segment.isDatagram;
    packet.seconds = u32le(batch, at);
    packet.microseconds = Math.floor(u32le(batch, at + 4) / 1000);
    packet.isTcp = isTcp;
    packet.source = this.#text(ipVersion, segment.source0, segment.source1, segment.source2, segment.source3);
    packet.destination = this.#text(
      ipVersion,
      segment.destination0,
      segment.destination1,
      segment.destination2,
      segment.destination3,
    );
    packet.sourcePort = segment.sourcePort;
    packet.destinationPort = segment.destinationPort;
    // Of a datagram, the decoder's sequence number is something else.
    packet.sequence = isTcp ? segment.sequence >>> 0 : 0;
    packet.acknowledgement = segment.acknowledgement >>> 0;
    packet.flags = segment.flags & FLAGS;
    packet.window = segment.window;
    packet.payloadStart = segment.payloadStart;
    packet.payloadBytes = segment.payloadCaptured;
    packet.wireBytes = segment.payloadLength;
    return true;
  }

  #text(ipVersion: number, word0: number, word1: number, word2: number, word3: number): string {
    if (ipVersion !== 4) return addressText(ipVersion, word0, word1, word2, word3);
    let text = this.#texts.get(word3);
    if (text !== undefined) return text;
    if (this.#texts.size >= TEXTS_KEPT) this.#texts.clear();
    text = addressText(4, 0, 0, 0, word3);
    this.#texts.set(word3, text);
    return text;
  }
}
