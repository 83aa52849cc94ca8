/** TCP flag bits (RFC 9293 §3.1). */
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/**
 * One TCP segment, or UDP datagram, of one frame. A single record, overwritten by every decoded frame: copy what must outlive it.
 *
 * 32-bit values (addresses, sequence numbers) are kept as signed integers: on 64-bit V8 those are never boxed.
 * Compare sequence numbers through connection/sequence.ts only.
 */
export class Segment {
  /** Datagrams are decoded, too. */
  wantsDatagrams = false;
  /** The last one decoded was a datagram: its numbers, flags and window say nothing of a stream. */
  isDatagram = false;
  /** The frame's own time stamp, whole microseconds since the epoch. */
  timeUs = 0.5;
  /** The same, modulo 2^32, as a signed integer. */
  timeLow = 0;
  ipVersion = 4;
  /** The address in four words; an IPv4 address is word 3 alone. */
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  sourcePort = 0;
  destinationPort = 0;
  /** IPv4's identification; 0 for IPv6. */
  ipId = 0;
  /** Of a datagram, a sum over its first bytes: two that differ are not one that was captured twice. */
  sequence = 0;
  acknowledgement = 0;
  flags = 0;
  window = 0;
  checksum = 0;
  /** The batch that holds the frame. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where its TCP (or UDP) header begins. */
  headerStart = 0;
  payloadStart = 0;
  /** Payload bytes on the wire, by the IP header. */
  payloadLength = 0;
  /** Payload bytes captured, from payloadStart: fewer than payloadLength where the snaplen cut. */
  payloadCaptured = 0;
}
