import {
  type CaptureDrops,
  END_OF_FRAMES,
  type FrameSource,
  RECORD_HEADER_BYTES,
} from "../../src/capture/frame-source.ts";
import { TcpFlag } from "../../src/decode/segment.ts";
import { BEGIN_US } from "../support/segments.ts";

const BATCH_BYTES = 1 << 20;
/** Ethernet 14, IPv4 20, TCP 20. */
const HEADER_BYTES = 54;
const LARGEST_RECORD = RECORD_HEADER_BYTES + HEADER_BYTES + 65_495;

/** The ends of a made connection: IPv4 addresses as numbers. */
export interface Ends {
  readonly client: number;
  readonly clientPort: number;
  readonly server: number;
  readonly serverPort: number;
}

/** What a segment may say beyond its bytes. */
export interface SegmentFields {
  readonly flags?: number;
  /** Payload bytes on the wire; more than are given are filled up with what the batch happens to hold. */
  readonly length?: number;
  /** Payload bytes captured at most. */
  readonly snaplen?: number;
}

/**
 * Writes frames into one reused batch: a scenario of hundreds of megabytes costs no memory that the pipeline would be blamed
 * for. Time goes on by `stepUs` a frame.
 */
export class Wire {
  readonly batch = new Uint8Array(BATCH_BYTES);
  length = 0;
  frames = 0;
  stepUs = 1;
  nowUs = BEGIN_US;
  readonly #view = new DataView(this.batch.buffer);
  #ipId = 0;

  /** One frame from the client or the server. Sequence numbers are taken modulo 2^32. */
  send(
    ends: Ends,
    fromClient: boolean,
    sequence: number,
    acknowledgement: number,
    payload: Uint8Array,
    fields: SegmentFields = {},
  ): void {
    const { batch } = this;
    const view = this.#view;
    const length = fields.length ?? payload.length;
    const captured = Math.min(length, fields.snaplen ?? length);
    const at = this.length;
    const ip = at + RECORD_HEADER_BYTES + 14;
    const tcp = ip + 20;
    view.setUint32(at, Math.floor(this.nowUs / 1e6), true);
    view.setUint32(at + 4, (this.nowUs % 1e6) * 1000, true);
    view.setUint32(at + 8, HEADER_BYTES + captured, true);
    view.setUint32(at + 12, HEADER_BYTES + length, true);
    view.setUint16(ip - 2, 0x0800);
    view.setUint16(ip, 0x4500);
    view.setUint16(ip + 2, 40 + length);
    this.#ipId = (this.#ipId % 0xffff) + 1;
    view.setUint16(ip + 4, this.#ipId);
    view.setUint16(ip + 6, 0x4000);
    view.setUint16(ip + 8, 0x4006);
    view.setUint32(ip + 12, fromClient ? ends.client : ends.server);
    view.setUint32(ip + 16, fromClient ? ends.server : ends.client);
    view.setUint16(tcp, fromClient ? ends.clientPort : ends.serverPort);
    view.setUint16(tcp + 2, fromClient ? ends.serverPort : ends.clientPort);
    view.setUint32(tcp + 4, sequence >>> 0);
    view.setUint32(tcp + 8, acknowledgement >>> 0);
    view.setUint8(tcp + 12, 0x50);
    view.setUint8(tcp + 13, fields.flags ?? TcpFlag.ack);
    view.setUint16(tcp + 14, 512);
    batch.set(payload.length > captured ? payload.subarray(0, captured) : payload, tcp + 20);
    this.length = tcp + 20 + captured;
    this.frames++;
    this.nowUs += this.stepUs;
  }

  /** The same of a UDP datagram. */
  sendDatagram(ends: Ends, fromClient: boolean, payload: Uint8Array): void {
    const { length: at } = this;
    const ip = at + RECORD_HEADER_BYTES + 14;
    this.send(ends, fromClient, 0, 0, NOTHING);
    const view = this.#view;
    const bytes = 34 + 8 + payload.length;
    view.setUint32(at + 8, bytes, true);
    view.setUint32(at + 12, bytes, true);
    view.setUint16(ip + 2, 28 + payload.length);
    view.setUint8(ip + 9, 17);
    view.setUint16(ip + 24, 8 + payload.length);
    view.setUint16(ip + 26, 0);
    this.batch.set(payload, ip + 28);
    this.length = ip + 28 + payload.length;
  }

  get isFull(): boolean {
    return this.length + LARGEST_RECORD > BATCH_BYTES;
  }
}

/** What a scenario does: it sends a frame, at most, between two yields. */
export type Scenario = (wire: Wire) => Generator<void>;

/** Frames made while they are read. */
export class GeneratedSource implements FrameSource {
  readonly name = "memory";
  readonly engine = "libpcap";
  readonly isLive = false;
  readonly clock = "file";
  readonly linkType = 1;
  readonly snaplen = 65535;
  readonly isUp = true;
  readonly warning = null;
  readonly #wire = new Wire();
  readonly #frames: Generator<void>;

  constructor(scenario: Scenario) {
    this.#frames = scenario(this.#wire);
  }

  readonly layout = "records";
  readonly batchStart = 0;
  get batch(): Uint8Array {
    return this.#wire.batch;
  }

  read(): number {
    const wire = this.#wire;
    wire.length = 0;
    while (!wire.isFull) if (this.#frames.next().done === true) break;
    return wire.length === 0 ? END_OF_FRAMES : wire.length;
  }

  waitForFrames(): Promise<void> {
    return Promise.resolve();
  }

  wake(): void {}

  drops(): CaptureDrops {
    return { kernel: 0, interface: 0, engine: 0 };
  }

  close(): void {
    this.#frames.return(undefined);
  }
}

/** Connection number `n` of a client that uses one port after the other, then another address. */
export function endsOf(n: number, server = 0x0a_ff_00_01, serverPort = 6379): Ends {
  return { client: 0x0a_00_00_01 + Math.floor(n / 60_000), clientPort: 1024 + (n % 60_000), server, serverPort };
}

export const NOTHING = new Uint8Array(0);

/** SYN, SYN-ACK, ACK; both sides' data begins with sequence number 1. */
export function* handshake(wire: Wire, ends: Ends): Generator<void> {
  wire.send(ends, true, 0, 0, NOTHING, { flags: TcpFlag.syn });
  yield;
  wire.send(ends, false, 0, 1, NOTHING, { flags: TcpFlag.syn | TcpFlag.ack });
  yield;
  wire.send(ends, true, 1, 1, NOTHING);
  yield;
}
