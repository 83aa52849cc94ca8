import type { Connection } from "../connection/connection.ts";
import type { EndReason, Piece, StreamReceiver } from "../connection/receiver.ts";
import type { DatagramSession, Protocol } from "../protocols/protocol.ts";
import { ASLEEP, type Sleeper } from "./awake.ts";
import type { ConversationContext } from "./context.ts";
import { dropOld, type EarlyAnswer } from "./early-answers.ts";
import { Origin } from "./origin.ts";
import { Pairing } from "./pairing.ts";
import { Rest } from "./rest.ts";
import { StreamPlace } from "./stream-place.ts";

/** Of conversations that have left nothing pending: all that is kept of these is their number of requests. */
const LITTLE_LEFT = new Rest();
/**
 * Datagrams have no place in a stream. What stands for their sequence number is a sum over their bytes: the captures of two hosts can be
 * joined by it.
 */
const NO_PLACE = new StreamPlace();

/** More that are over are not kept: 2 MB. */
const SPARE_CONVERSATIONS = 16_384;

/** Conversations that are over, for those that come: each lives for a second or more, which is long for V8 (see `SpareConnections`). */
export class DatagramConversations {
  private readonly context: ConversationContext;
  private readonly over: DatagramConversation[] = [];

  constructor(context: ConversationContext) {
    this.context = context;
  }

  begin(connection: Connection): DatagramConversation {
    const conversation = this.over.pop() ?? new DatagramConversation(this.context, connection, this);
    conversation.begin(connection);
    return conversation;
  }

  /** Nobody has it any longer. */
  end(conversation: DatagramConversation): void {
    if (this.over.length < SPARE_CONVERSATIONS) this.over.push(conversation);
  }
}

/**
 * What two endpoints say in datagrams. Each is whole, and its messages pair by id: nothing of what `Conversation` has to do for
 * streams is to be done here. What only messages under way need is given back as there.
 */
class DatagramConversation implements StreamReceiver, Sleeper {
  private readonly context: ConversationContext;
  private readonly all: DatagramConversations;
  private connection: Connection;
  private protocol: Protocol | null = null;
  private pairing: Pairing | null = null;
  private session: DatagramSession | null = null;
  /** Null where nothing is pending. */
  private rest: Rest | null = null;
  /** The pairing's, while it serves others. */
  private early: EarlyAnswer | null = null;
  private requests = 0;
  private hasSlept = false;
  private awakeAt = ASLEEP;

  constructor(context: ConversationContext, connection: Connection, all: DatagramConversations) {
    this.context = context;
    this.connection = connection;
    this.all = all;
  }

  /** As if it were new. */
  begin(connection: Connection): void {
    this.connection = connection;
    this.protocol = null;
    this.pairing = null;
    this.session = null;
    this.rest = null;
    this.early = null;
    this.requests = 0;
    this.hasSlept = false;
    this.awakeAt = ASLEEP;
  }

  get hasPending(): boolean {
    const holder = this.pairing ?? this.rest;
    return holder !== null && holder.unreported > 0;
  }

  // Runs for every datagram.
  data(piece: Piece): void {
    const { fromClient, bytes, start, end, cut } = piece;
    if (this.protocol === null && !this.choose(bytes, start, end)) return;
    if (this.awakeAt === ASLEEP) this.wake();
    const pairing = this.pairing!;
    const session = this.session!;
    const place = piece.sequence >>> 0;
    if (fromClient) {
      pairing.enterRequestPiece(piece, place);
      if (!session.request(bytes, start, end, end + cut)) pairing.countParserError("request");
      pairing.requestVoid();
    } else {
      pairing.enterResponsePiece(piece, place);
      if (!session.response(bytes, start, end, end + cut)) pairing.countParserError("response");
      pairing.responseVoid();
    }
    if (pairing.isOverfull) {
      pairing.isOverfull = false;
      pairing.countParserError("pending_limit");
    }
    // Most clients ask once and are never heard of again: the next one goes on with what this one used.
    if (!this.hasSlept && pairing.pendingCount === 0) this.goToSleep();
  }

  ended(reason: EndReason): void {
    if (this.pairing === null && this.hasPending) this.wake();
    this.dropEarly(Number.POSITIVE_INFINITY);
    this.pairing?.giveUpAll(reason === "idle" ? "timeout" : reason, this.connection.lastUs);
    if (this.awakeAt !== ASLEEP) this.goToSleep();
    this.all.end(this);
  }

  expire(_clockUs: number, stampUs: number): void {
    this.dropEarly(stampUs);
    const holder = this.pairing ?? this.rest;
    if (holder === null || holder.pendingCount === 0) return;
    if (this.awakeAt === ASLEEP) this.wake();
    const timeoutUs = this.context.requestTimeoutUs;
    this.pairing!.expire(stampUs - timeoutUs, stampUs);
    // A response that late would not be known to be late; but there must be an end.
    this.pairing!.forgetExpired(stampUs - 2 * timeoutUs);
  }

  /** Most are of floods of answers that nobody has asked for: no pairing is taken for that. */
  private dropEarly(nowUs: number): void {
    this.pairing?.dropEarly(nowUs);
    if (this.early === null) return;
    this.early = dropOld(this.early, nowUs, this.context.sink.service(this.connection.server, this.protocol!));
  }

  private goToSleep(): void {
    this.context.awake.leave(this.awakeAt);
    this.sleep();
  }

  sleep(): void {
    this.awakeAt = ASLEEP;
    const pairing = this.pairing;
    const session = this.session;
    if (pairing === null || session === null) return;
    if (!session.isAtRest || !pairing.isAtRest) {
      pairing.sleep();
      return;
    }
    const rest = pairing.pendingCount === 0 ? LITTLE_LEFT : new Rest();
    pairing.leave(rest, 0);
    this.rest = rest === LITTLE_LEFT ? null : rest;
    this.requests = rest.lastNumber;
    this.early = pairing.early;
    pairing.early = null;
    this.hasSlept = true;
    this.context.datagramSpares.give(this.protocol!.datagrams!, { pairing, session });
    this.pairing = null;
    this.session = null;
  }

  // Of streams only.
  gap(): void {}
  retransmitted(): void {}
  sentForNothing(): void {}
  serverFinished(): void {}

  private choose(bytes: Uint8Array, start: number, end: number): boolean {
    const { serverPort, clientPort } = this.connection;
    const { selector, servers, refused } = this.context;
    const chosen = selector.recogniseDatagram(serverPort, clientPort, bytes, start, end);
    if (chosen === null) {
      refused.unknown_udp++;
      this.connection.isIgnored = true;
      return false;
    }
    this.connection.server = servers.findOf(this.connection);
    this.protocol = chosen;
    return true;
  }

  private wake(): void {
    this.awakeAt = this.context.awake.add(this);
    if (this.pairing !== null) {
      this.pairing.wake();
      return;
    }
    const protocol = this.protocol!;
    const { datagrams } = protocol;
    const origin = new Origin(this.connection, protocol, NO_PLACE, NO_PLACE);
    const spare = this.context.datagramSpares.take(datagrams!);
    const pairing = spare?.pairing ?? new Pairing(this.context, origin, true);
    this.session = spare?.session ?? datagrams!.createSession(pairing);
    LITTLE_LEFT.lastNumber = this.requests;
    pairing.resume(origin, true, this.rest ?? LITTLE_LEFT);
    pairing.early = this.early;
    this.pairing = pairing;
    this.rest = null;
    this.early = null;
  }
}
