import type { Segment } from "../decode/segment.ts";
import { addressText, endpointText } from "./address.ts";
import { Flow } from "./flow.ts";
import { Path, type Side } from "./path.ts";
import type { StreamReceiver } from "./receiver.ts";
import { distance } from "./sequence.ts";
import type { Server } from "./server.ts";

/** The first three words of two IPv6 addresses, endpoint A's and B's. */
export type HighWords = readonly [number, number, number, number, number, number];

/** Of a segment, where it comes from and goes to. */
export type Ends = Readonly<
  Pick<
    Segment,
    "ipVersion" | `source${0 | 1 | 2 | 3}` | "sourcePort" | `destination${0 | 1 | 2 | 3}` | "destinationPort"
  >
>;

const NO_PATH = new Path();
const NO_FLOW = new Flow();
const NO_WORDS: HighWords = [0, 0, 0, 0, 0, 0];

/** One bit each of what is true of a connection: with 100,000 of them every word is 0.8 MB. */
const Bit = { handshake: 1, ended: 2, ignored: 4, outside: 8, leaving: 16, sampled: 32, datagrams: 64 } as const;

/**
 * One TCP connection, both directions. Endpoint A is the one that sent the first segment seen; which of the two is
 * the client is known once `clientIsA` is not null. Once it is gone from the table, the object may serve another one (`open`):
 * then it has another id.
 */
export class Connection {
  /** From 1, in the order of first segments. */
  id: number;
  /** Slot in the table; -1 once removed. */
  slot = -1;
  hash = 0;
  /** Null for IPv4, whose addresses are one word each. */
  highWords: HighWords | null;
  /** The last words of the addresses. */
  a3: number;
  b3: number;
  aPort: number;
  bPort: number;
  /** Null while nobody knows (no handshake, unknown ports, no telling bytes yet). */
  clientIsA: boolean | null = null;
  /** Of TCP; what exchanges datagrams, or has ended, has one in common with all others, of which nothing is known. */
  path: Path;
  readonly fromA: Flow;
  readonly fromB: Flow;
  /** The capture's clock at its last segment, and (modulo 2^32) when it was last moved to the end of the order. */
  lastUs = 0.5;
  orderedLow = 0;
  /** The frame at which it was moved there. */
  orderedFrame = 0;
  /** Payload segments seen while the roles were unknown. */
  roleAttempts = 0;
  receiver: StreamReceiver | null = null;
  server: Server;
  side: Side = "transit";
  /** When held segments are to be given up waiting for, on the capture's clock; null while none are. */
  holdUntilUs: number | null = null;
  private bits = 0;

  /** Between the ends that this segment goes from and to. */
  constructor(id: number, s: Ends, server: Server, isDatagrams = false) {
    this.id = id;
    this.path = isDatagrams ? NO_PATH : new Path();
    this.fromA = isDatagrams ? NO_FLOW : new Flow();
    this.fromB = isDatagrams ? NO_FLOW : new Flow();
    if (isDatagrams) this.bits = Bit.datagrams;
    this.highWords = highWordsOf(s);
    this.a3 = s.source3;
    this.b3 = s.destination3;
    this.aPort = s.sourcePort;
    this.bPort = s.destinationPort;
    this.server = server;
  }

  /** What is gone becomes another connection of its kind, as if it were new. */
  open(id: number, s: Ends, server: Server): void {
    this.id = id;
    this.hash = 0;
    this.highWords = highWordsOf(s);
    this.a3 = s.source3;
    this.b3 = s.destination3;
    this.aPort = s.sourcePort;
    this.bPort = s.destinationPort;
    this.clientIsA = null;
    if (!this.isDatagrams) {
      this.path = new Path();
      this.fromA.reset();
      this.fromB.reset();
    }
    this.lastUs = 0.5;
    this.orderedLow = 0;
    this.orderedFrame = 0;
    this.roleAttempts = 0;
    this.receiver = null;
    this.server = server;
    this.side = "transit";
    this.holdUntilUs = null;
    this.bits &= Bit.datagrams;
  }

  /** It has ended: what was known of its path takes as much memory as a third of what is still needed. */
  forgetPath(): void {
    this.path = NO_PATH;
  }

  /** The roles come from a handshake that was seen. */
  get hasHandshake(): boolean {
    return (this.bits & Bit.handshake) !== 0;
  }

  set hasHandshake(is: boolean) {
    this.bits = is ? this.bits | Bit.handshake : this.bits & ~Bit.handshake;
  }

  /** Ended; kept for a moment so that late segments do not look like a new connection. */
  get isEnded(): boolean {
    return (this.bits & Bit.ended) !== 0;
  }

  set isEnded(is: boolean) {
    this.bits = is ? this.bits | Bit.ended : this.bits & ~Bit.ended;
  }

  /** Nobody wants its bytes (another protocol, TLS, or roles that could not be told). */
  get isIgnored(): boolean {
    return (this.bits & Bit.ignored) !== 0;
  }

  set isIgnored(is: boolean) {
    this.bits = is ? this.bits | Bit.ignored : this.bits & ~Bit.ignored;
  }

  /** Neither ended nor ignored. */
  get isFollowed(): boolean {
    return (this.bits & (Bit.ended | Bit.ignored)) === 0;
  }

  /** Ignored because it is outside the sample (`--max-cpu`). */
  get isOutside(): boolean {
    return (this.bits & Bit.outside) !== 0;
  }

  set isOutside(is: boolean) {
    this.bits = is ? this.bits | Bit.outside : this.bits & ~Bit.outside;
  }

  /** Goes outside the sample as soon as nothing is pending on it. */
  get isLeaving(): boolean {
    return (this.bits & Bit.leaving) !== 0;
  }

  set isLeaving(is: boolean) {
    this.bits = is ? this.bits | Bit.leaving : this.bits & ~Bit.leaving;
  }

  /** Two endpoints that exchange datagrams: no TCP. */
  get isDatagrams(): boolean {
    return (this.bits & Bit.datagrams) !== 0;
  }

  /** Why bytes of the client are missing, should there be any. */
  get lossReason(): "gap" | "sampled" {
    return (this.bits & Bit.sampled) === 0 ? "gap" : "sampled";
  }

  set lossReason(reason: "gap" | "sampled") {
    this.bits = reason === "sampled" ? this.bits | Bit.sampled : this.bits & ~Bit.sampled;
  }

  get ipVersion(): number {
    return this.highWords === null ? 4 : 6;
  }

  get aAddress(): string {
    const [a0, a1, a2] = this.highWords ?? NO_WORDS;
    return addressText(this.ipVersion, a0, a1, a2, this.a3);
  }

  get bAddress(): string {
    const [, , , b0, b1, b2] = this.highWords ?? NO_WORDS;
    return addressText(this.ipVersion, b0, b1, b2, this.b3);
  }

  /** Endpoint A as lines and records write it. */
  get aText(): string {
    return endpointText(this.aAddress, this.aPort);
  }

  get bText(): string {
    return endpointText(this.bAddress, this.bPort);
  }

  get clientText(): string {
    return this.clientIsA === false ? this.bText : this.aText;
  }

  get serverText(): string {
    return this.clientIsA === false ? this.aText : this.bText;
  }

  get clientPort(): number {
    return this.clientIsA === false ? this.bPort : this.aPort;
  }

  get serverPort(): number {
    return this.clientIsA === false ? this.aPort : this.bPort;
  }

  /** The client had sent something that the server had not received yet when its first segment was captured. */
  get hasRequestsBefore(): boolean {
    return (this.clientIsA === false ? this.fromB : this.fromA).hasUnreceived;
  }

  /** The client has acknowledged bytes that were never captured. */
  get isResponseMissing(): boolean {
    const [client, server] = this.clientIsA === false ? [this.fromB, this.fromA] : [this.fromA, this.fromB];
    if (!client.hasAcknowledged || !server.isStarted || server.isFinished) return false;
    return distance(client.acknowledged, server.next) > 0;
  }
}

function highWordsOf(s: Ends): HighWords | null {
  if (s.ipVersion === 4) return null;
  return [s.source0, s.source1, s.source2, s.destination0, s.destination1, s.destination2];
}
