import type { Connection } from "../connection/connection.ts";
import type { EndReason, Piece, Resent, StreamReceiver } from "../connection/receiver.ts";
import { advance } from "../connection/sequence.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { ASLEEP, type Sleeper } from "./awake.ts";
import { Boundaries } from "./boundaries.ts";
import { tellConnect } from "./connect.ts";
import type { ConversationContext } from "./context.ts";
import { endHold } from "./held-answers.ts";
import { Opening } from "./opening.ts";
import { Origin } from "./origin.ts";
import { Pairing } from "./pairing.ts";
import { proxyHeaderBytes, UNSEEN_END } from "./proxy-header.ts";
import { Rest } from "./rest.ts";
import { isTls, type Refusal } from "./selector.ts";
import { Flag, type UnansweredReason } from "./transaction.ts";

/** Of a connection that has had no pairing yet. */
const NOTHING_LEFT = new Rest();
/** A request that waits on purpose is given up when its connection showed no sign of life for so long, or for `--request-timeout`. */
const DEAD_US = 3_600_000_000;

/**
 * One connection's talk: feeds both streams to the protocol's parsers while their boundaries are known (`Boundaries`), and
 * gives back what only messages under way need while nobody speaks.
 */
export class Conversation extends Boundaries implements StreamReceiver, Sleeper {
  private awakeAt = ASLEEP;
  /** What is kept of a pairing and a session that have been given back. */
  private rest: Rest | null = null;
  /** The client's first bytes, as long as nobody can tell what they are. */
  private opening: Opening | null = null;

  constructor(context: ConversationContext, connection: Connection) {
    super(context, connection);
    const protocol = context.selector.byPort(connection.serverPort);
    if (protocol !== null && connection.hasHandshake) this.begin(protocol);
  }

  get hasPending(): boolean {
    const holder = this.pairing ?? this.rest;
    return holder !== null && holder.unreported > 0;
  }

  // Runs for every segment with payload.
  data(piece: Piece): void {
    if (piece.fromClient && !this.anchor.hasClientData && this.isProxyHeader(piece)) return;
    if (this.protocol === null && this.isWaiting(piece)) return;
    if (this.awakeAt === ASLEEP) this.wake();
    const { fromClient } = piece;
    const place = fromClient ? this.client : this.server;
    place.next = piece.sequence;
    if (fromClient) this.clientData(piece);
    else this.serverData(piece);
    place.move(piece.end - piece.start + piece.cut, piece.timeUs);
    if (!fromClient) this.anchor.serverSent(place.next, piece.acknowledgement);
  }

  /** Passes the header that a proxy has put in front of the client's first bytes; true where nothing is behind it. */
  private isProxyHeader(piece: Piece): boolean {
    const { client } = this;
    if (client.offset > 0 || !this.connection.hasHandshake) return false;
    const { bytes, start, end, cut, sequence } = piece;
    const length = proxyHeaderBytes(bytes, start, end, cut);
    if (length === 0) return false;
    const whole = end - start + cut;
    client.next = sequence;
    // A request may begin in what was cut, too.
    if (length === UNSEEN_END) this.gap(true, whole, advance(sequence, whole));
    else client.move(length, piece.timeUs);
    piece.start = Math.min(start + length, end);
    piece.sequence = client.next;
    return length === UNSEEN_END || length === whole;
  }

  // Runs for every segment with payload.
  private clientData(piece: Piece): void {
    const { bytes, start, end, cut, timeUs } = piece;
    if (this.session === null && !this.choose(bytes, start, end)) return;
    if (!this.anchor.hasClientData && this.isRefused(bytes, start, end)) return;
    const pairing = this.pairing!;
    if (this.anchor.leads(piece.acknowledgement)) {
      if (pairing.hasKept && this.anchor.isAllRead(piece.acknowledgement)) this.decide(false);
      this.lead(piece);
    }
    this.anchor.clientSent(piece.acknowledgement);
    pairing.enterRequestPiece(piece, this.client.offset);
    if (this.anchor.isClientLost && !this.takesUp(true, piece)) {
      if (this.anchor.isLastCut) pairing.extendLast(timeUs);
      return;
    }
    const requests = this.session!.requests;
    if (!requests.push(bytes, start, end) || pairing.isOverfull) {
      pairing.enterRequests(timeUs, 0, this.client.offset + (end - start), 0);
      this.rejectClient(pairing.isOverfull ? "pending_limit" : "request");
      return;
    }
    if (pairing.isContradicted) this.doubt(this.client.offset + (end - start));
    if (cut === 0 || this.anchor.isClientLost) return;
    pairing.enterRequests(timeUs, 0, this.client.offset + (end - start), 0);
    if (requests.gap(cut)) return;
    // Its length is known all the same: most segments hold one request.
    pairing.enterRequests(timeUs, 0, this.client.offset + (end - start) + cut, 0);
    this.loseClient(Flag.truncated);
  }

  // Runs for every segment with payload.
  private serverData(piece: Piece): void {
    const { bytes, start, end, cut, timeUs } = piece;
    const pairing = this.pairing;
    if (pairing === null) return;
    if (this.anchor.isAssumed && !this.anchor.hasServerData && this.connection.hasRequestsBefore) this.doubtStart();
    if (this.anchor.isServerLost && !this.takesUp(false, piece)) {
      this.unread?.extend(timeUs, this.client.offsetOf(piece.acknowledgement));
      return;
    }
    pairing.unmatchedReason = this.mayMissRequests ? this.connection.lossReason : "no_request";
    pairing.enterResponsePiece(piece, this.server.offset);
    if (this.anchor.isAssumed) pairing.receivedOffset = this.client.offsetOf(piece.acknowledgement);
    const responses = this.session!.responses;
    if (!responses.push(bytes, start, end)) {
      pairing.countParserError("response");
      endHold(this.pairing!, false, timeUs);
      this.loseServer(timeUs, true);
      return;
    }
    this.doubtIfUnasked(pairing);
    if (pairing.hasLeft) this.connection.isIgnored = true;
    if (pairing.held?.isFull) this.holdAnew(pairing.held, timeUs);
    if (cut === 0 || this.anchor.isServerLost) return;
    pairing.enterResponses(timeUs, 0, this.server.offset + (end - start), 0);
    const due = pairing.pendingCount;
    if (responses.gap(cut)) {
      this.doubtIfUnasked(pairing);
      if (pairing.hasLeft) this.connection.isIgnored = true;
      return;
    }
    // Where the bytes cut off begin a response, its first byte's time is known all the same; its place, where none ended before it.
    if (!pairing.isResponding && pairing.pendingCount > 0) {
      if (pairing.pendingCount === due) pairing.responseBegins(0);
      else pairing.responseBeginsUnseen();
    }
    pairing.markResponse(Flag.truncated);
    this.loseServer(timeUs, false);
    this.unread?.cut(this.client.offsetOf(piece.acknowledgement));
  }

  private wake(): void {
    this.awakeAt = this.context.awake.add(this);
    if (this.protocol === null) return;
    if (this.pairing === null) this.pair(this.protocol);
    else this.pairing.wake();
  }

  /** The pairing, woken up where it left something behind; null where nothing waits for anything. */
  private pairingOfPending(): Pairing | null {
    if (this.pairing === null && this.hasPending) this.wake();
    return this.pairing;
  }

  /** Gives back what only messages under way need: 1 of the 2 KB of a connection. */
  sleep(): void {
    const pairing = this.pairing;
    const session = this.session;
    this.awakeAt = ASLEEP;
    if (pairing === null || session === null) return;
    const standing = session.standing ?? -1;
    if (standing < 0 || !pairing.isAtRest) {
      pairing.sleep();
      session.rest?.();
      return;
    }
    this.rest ??= new Rest();
    pairing.leave(this.rest, standing);
    this.context.spares.give(this.protocol!, { pairing, session });
    this.pairing = null;
    this.session = null;
  }

  gap(fromClient: boolean, missing: number, next: number): void {
    if (this.opening !== null) {
      this.giveUpOpening();
      return;
    }
    if (this.awakeAt === ASLEEP) this.wake();
    const pairing = this.pairing;
    if (pairing !== null) {
      pairing.isInGap = true;
      if (fromClient) this.clientGap(pairing, missing);
      else this.serverGap(pairing, missing);
      pairing.isInGap = false;
    } else if (fromClient) this.anchor.isClientLost = true;
    else this.loseServer(this.server.lastUs, true);
    if (fromClient) {
      this.client.skip(missing, next);
      this.anchor.clientLost();
    } else {
      this.server.skip(missing, next);
      this.anchor.serverLost(next);
    }
  }

  private clientGap(pairing: Pairing, missing: number): void {
    if (this.anchor.isClientLost) {
      this.anchor.hasClientHole = true;
      return;
    }
    pairing.enterRequests(this.client.lastUs, 0, this.client.offset, Flag.gap);
    if (!this.session!.requests.gap(missing)) this.loseClient(Flag.gap);
  }

  private serverGap(pairing: Pairing, missing: number): void {
    if (this.anchor.isServerLost) {
      this.unread?.addHole();
      return;
    }
    pairing.enterResponses(this.server.lastUs, 0, this.server.offset, Flag.gap);
    if (this.session!.responses.gap(missing)) {
      this.doubtIfUnasked(pairing);
      if (pairing.hasLeft) this.connection.isIgnored = true;
      return;
    }
    this.loseServer(this.server.lastUs, true);
    this.unread?.addHole();
  }

  retransmitted(resent: Resent): void {
    const pairing = this.pairingOfPending();
    if (pairing === null) return;
    const { fromClient, sequence, length } = resent;
    if (fromClient) {
      const from = this.client.offsetOf(sequence);
      pairing.markRetransmitted(from, from + length, resent);
    } else pairing.markResponseRetransmitted(this.server.offsetOf(sequence), resent);
  }

  sentForNothing(fromClient: boolean, sequence: number, isAnswerLost: boolean): void {
    if (fromClient) this.pairing?.unmarkRetransmitted(this.client.offsetOf(sequence), isAnswerLost);
  }

  serverFinished(): void {
    const { session, server } = this;
    if (session?.responses.ends !== undefined && !this.anchor.isServerLost) {
      this.pairing!.enterResponses(server.lastUs, 0, server.offset, 0);
      session.responses.ends();
    }
    this.settle("closed");
  }

  ended(reason: EndReason): void {
    if (this.opening !== null) this.giveUpOpening();
    const unanswered = reason === "idle" ? "timeout" : reason;
    this.settle(unanswered);
    this.pairing?.leaveUnfinished(unanswered);
    if (this.awakeAt === ASLEEP) return;
    this.context.awake.leave(this.awakeAt);
    this.sleep();
  }

  expire(clockUs: number, stampUs = clockUs): void {
    const beforeUs = stampUs - this.context.requestTimeoutUs;
    if (!this.hasPending || (this.pairing === null && !this.isTimeUp(clockUs, beforeUs))) return;
    if (this.awakeAt === ASLEEP) this.wake();
    const pairing = this.pairing!;
    if (pairing.hasKept && clockUs - this.connection.lastUs >= this.anchor.quietUs(pairing.longestWaitUs))
      this.decide(true);
    this.tellIfQuiet(clockUs, this.connection.lastUs);
    const forgotten = pairing.expire(beforeUs, stampUs);
    if (forgotten > 0) this.session!.passed?.(forgotten);
    if (this.isDead(clockUs)) pairing.giveUpAll("timeout", stampUs);
  }

  /** There may be something to tell of what was left behind. */
  private isTimeUp(clockUs: number, beforeUs: number): boolean {
    const { queue, held, longestWaitUs } = this.rest!;
    const { lastUs } = this.connection;
    if (held !== null && this.anchor.isQuiet(clockUs - lastUs, longestWaitUs, held)) return true;
    return this.isDead(clockUs) || queue?.isAnyOlder(beforeUs) === true;
  }

  private isDead(clockUs: number): boolean {
    return this.connection.lastUs + Math.max(DEAD_US, this.context.requestTimeoutUs) < clockUs;
  }

  /** The server's stream is over: what is still pending has no response, or one whose end can be told now. */
  private settle(reason: UnansweredReason): void {
    const pairing = this.pairingOfPending();
    if (pairing === null) return;
    if (pairing.hasKept) this.decide(true);
    if (this.anchor.isServerLost && reason === "closed") this.completeCut(pairing);
    const isOver = reason === "closed" && this.isOnlyCut && pairing.pendingCount === 0;
    const hasNothingDue = isOver || this.hasNothingDue();
    // What is evicted speaks on: of a client that was seen to send ahead, a response to what was asked before may still come.
    const speaksOn = reason === "evicted" && (pairing.hasPipelined || this.anchor.isAsync);
    if (hasNothingDue && !speaksOn && pairing.held?.isProvenBy(reason)) pairing.held.prove();
    // Whether these are due at all, was being tried.
    const isTrial = pairing.held?.isTried === true;
    endHold(pairing, hasNothingDue && this.anchor.isTrusted, this.client.lastUs);
    const isLost = isTrial || this.anchor.isServerLost || this.connection.isResponseMissing;
    const lastUs = Math.max(this.client.lastUs, this.server.lastUs, this.connection.lastUs);
    pairing.giveUpAll(isLost ? "gap" : reason, lastUs);
  }

  /** Chooses the protocol by the first bytes of the client; false when nobody speaks what they are. */
  private choose(bytes: Uint8Array, start: number, end: number): boolean {
    const chosen = this.context.selector.recognise(this.connection.serverPort, bytes, start, end);
    if (typeof chosen === "string") {
      this.refuse(chosen);
      return false;
    }
    this.begin(chosen);
    return true;
  }

  /** Whether the protocol is not known yet: what the client said is kept until more of it, or the server's answer, tells. */
  private isWaiting(piece: Piece): boolean {
    const { bytes, start, end } = piece;
    const { selector } = this.context;
    if (!piece.fromClient) {
      if (this.opening === null) return false;
      // Servers that greet are of mail and files (POP3's AUTH looks like Redis'): no answer makes them one of ours.
      const hasGreeted = this.server.offset > 0;
      const answered = hasGreeted ? null : selector.recogniseAnswered(this.opening.bytes, bytes, start, end);
      if (answered === null) this.giveUpOpening();
      else this.beginOpened(answered);
      return answered === null;
    }
    const earlier = this.opening;
    if (earlier === null && (!this.connection.hasHandshake || this.anchor.isClientLost || piece.cut > 0)) return false;
    const all = earlier === null ? bytes.subarray(start, end) : earlier.with(piece);
    const chosen = selector.recognise(this.connection.serverPort, all, 0, all.length);
    if (typeof chosen !== "string") {
      this.beginOpened(chosen);
      return false;
    }
    const isOpen = chosen !== "tls" && piece.cut === 0 && selector.mayBeKnown(all, 0, all.length);
    const opening = earlier ?? new Opening(this.context.openings);
    if (isOpen && opening.keep(piece, all)) this.opening = opening;
    else if (earlier === null) return false;
    else this.giveUpOpening();
    return true;
  }

  /** It is known now: what was kept is read as if it came now, with the times it came at. */
  private beginOpened(protocol: Protocol): void {
    const opening = this.opening;
    this.opening = null;
    this.begin(protocol);
    opening?.release();
    for (const piece of opening?.pieces ?? []) this.data(piece);
  }

  private giveUpOpening(): void {
    this.opening?.release();
    this.opening = null;
    this.refuse("unknown_protocol");
  }

  /** The client's first bytes are TLS, or, where none before them are missing, another protocol's. */
  private isRefused(bytes: Uint8Array, start: number, end: number): boolean {
    const { selector } = this.context;
    const { serverPort } = this.connection;
    if (isTls(bytes, start, end)) this.refuse("tls");
    else if (!this.anchor.isClientLost && selector.isAnothers(this.protocol!, serverPort, bytes, start, end))
      this.refuse("unknown_protocol");
    else return false;
    return true;
  }

  private refuse(reason: Refusal): void {
    this.context.refused[reason]++;
    if (reason === "tls") {
      this.connection.server = this.context.servers.findOf(this.connection);
      tellConnect(this.context, this.connection, "tls");
    }
    this.connection.isIgnored = true;
  }

  private begin(protocol: Protocol): void {
    this.connection.server = this.context.servers.findOf(this.connection);
    this.protocol = protocol;
    this.pair(protocol);
    tellConnect(this.context, this.connection, protocol.name);
  }

  /** Makes a pairing and a session, or takes over spare ones. */
  private pair(protocol: Protocol): void {
    const { hasHandshake } = this.connection;
    const origin = new Origin(this.connection, protocol, this.client, this.server);
    const spare = this.context.spares.take(protocol);
    const pairing = spare?.pairing ?? new Pairing(this.context, origin, hasHandshake);
    const session = spare?.session ?? protocol.createSession(pairing);
    const rest = this.rest ?? NOTHING_LEFT;
    pairing.resume(origin, hasHandshake, rest);
    session.resume?.(rest.standing);
    this.pairing = pairing;
    this.session = session;
  }
}
