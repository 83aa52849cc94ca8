/** A packet behind its IP header, of the frame's bytes. */
export interface Packet {
  readonly bytes: Uint8Array;
  /** Texts without ports. */
  readonly source: string;
  readonly destination: string;
  /** The protocol's number, and where its header begins. */
  readonly protocol: number;
  readonly start: number;
  /** Behind the last byte captured that is the packet's, and behind its last one on the wire. */
  readonly end: number;
  readonly wireEnd: number;
}

/** What a line says of a packet, and where what it carries begins: the payload of TCP and UDP, else all behind IP. */
export interface Told {
  readonly text: string;
  readonly payloadStart: number;
}

/** What a line says, and what of the frame its packet carries: without what a link pads it with. */
export interface Line extends Told {
  readonly payloadEnd: number;
}
