import type { Connection } from "../connection/connection.ts";
import type { EndReason, Piece, Resent, StreamReceiver } from "../connection/receiver.ts";
import { NO_ERROR, type Protocol, type Session } from "../protocols/protocol.ts";
import { Anchor, isRequestMissing, Loss, looksLikeRequest, Proof } from "./anchor.ts";
import type { Sleeper } from "./awake.ts";
import type { ConversationContext } from "./context.ts";
import { endHold, HeldAnswers, HOLD_ROOM, startHoldAnew } from "./held-answers.ts";
import { Origin } from "./origin.ts";
import { Pairing } from "./pairing.ts";
import { Rest } from "./rest.ts";
import { isTls, type Refusal } from "./selector.ts";
import { StreamPlace } from "./stream-place.ts";
import { Flag, type UnansweredReason } from "./transaction.ts";
import { UnreadStretch } from "./unread.ts";

/** Of a connection that has had no pairing yet. */
const NOTHING_LEFT = new Rest();
/** A request that waits on purpose is given up when its connection showed no sign of life for so long. */
const DEAD_US = 3_600_000_000;

/**
 * One connection's talk: feeds both streams to the protocol's parsers, and knows when that may not be done.
 *
 * Where bytes are missing and the next message boundary cannot be known, a direction is "lost": its bytes are not
 * parsed, since a boundary found by luck pairs wrongly ever after. It is taken up again at an anchor (T9): a client
 * segment that provably begins a request, with nothing under way (see `Anchor`). What follows rests on an assumption
 * about the client: whatever contradicts it (a response sent before its request was received, a response that nobody
 * asked for, a request sent while a response is due) ends all that is pending, and both directions are lost again.
 */
export class Conversation implements StreamReceiver, Sleeper {
  readonly #context: ConversationContext;
  readonly #connection: Connection;
  #protocol: Protocol | null = null;
  #session: Session | null = null;
  #isAwake = false;
  #pairing: Pairing | null = null;
  readonly #anchor = new Anchor();

  // Where the streams stand.
  readonly #client = new StreamPlace();
  readonly #server = new StreamPlace();

  /** What is kept of a pairing and a session that have been given back. */
  #rest: Rest | null = null;

  /** What the lost server sent. */
  #unread: UnreadStretch | null = null;

  constructor(context: ConversationContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    this.#anchor.hasClientHole = true;
    this.#anchor.isClientLost = !connection.hasHandshake;
    this.#anchor.isServerLost = !connection.hasHandshake;
    if (connection.hasHandshake && isRequestMissing(connection)) {
      this.#anchor.isClientLost = true;
      this.#anchor.clientLost();
    }
    const protocol = context.selector.byPort(connection.serverPort);
    if (protocol !== null && connection.hasHandshake) this.#begin(protocol);
  }

  get hasPending(): boolean {
    const holder = this.#pairing ?? this.#rest;
    return holder !== null && holder.unreported > 0;
  }

  // Runs for every segment with payload.
  data(piece: Piece): void {
    if (!this.#isAwake) this.#wake();
    const { fromClient } = piece;
    const place = fromClient ? this.#client : this.#server;
    place.next = piece.sequence;
    if (fromClient) this.#clientData(piece);
    else this.#serverData(piece);
    place.move(piece.end - piece.start + piece.cut, piece.timeUs);
    if (!fromClient) this.#anchor.serverSent(place.next, piece.acknowledgement);
  }

  // Runs for every segment with payload.
  #clientData(piece: Piece): void {
    const { bytes, start, end, cut, timeUs } = piece;
    if (this.#session === null && !this.#choose(bytes, start, end)) return;
    if (!this.#anchor.hasClientData && isTls(bytes, start, end)) {
      this.#refuse("tls");
      return;
    }
    const pairing = this.#pairing!;
    if (this.#anchor.leads(piece.acknowledgement)) {
      if (pairing.hasKept && this.#anchor.isAllRead(piece.acknowledgement)) this.#decide(false);
      this.#lead(piece);
    }
    this.#anchor.clientSent(piece.acknowledgement);
    pairing.enterRequestPiece(piece, this.#client.offset);
    if (this.#anchor.isClientLost) {
      pairing.extendLast(timeUs);
      return;
    }
    const requests = this.#session!.requests;
    if (!requests.push(bytes, start, end) || pairing.isOverfull) {
      pairing.enterRequests(timeUs, 0, this.#client.offset + (end - start), 0);
      this.#rejectClient(pairing.isOverfull ? "pending_limit" : "request");
      return;
    }
    if (pairing.isContradicted) this.#doubt(this.#client.offset + (end - start));
    if (cut === 0 || this.#anchor.isClientLost) return;
    pairing.enterRequests(timeUs, 0, this.#client.offset + (end - start), 0);
    if (requests.gap(cut)) return;
    // Its length is known all the same: most segments hold one request.
    pairing.enterRequests(timeUs, 0, this.#client.offset + (end - start) + cut, 0);
    this.#loseClient(Flag.truncated);
  }

  // Runs for every segment with payload.
  #serverData(piece: Piece): void {
    const { bytes, start, end, cut, timeUs } = piece;
    const pairing = this.#pairing;
    if (pairing === null) return;
    if (this.#anchor.isServerLost) {
      this.#unread?.extend(timeUs);
      return;
    }
    pairing.unmatchedReason = this.#anchor.isClientLost ? this.#connection.lossReason : "no_request";
    pairing.enterResponsePiece(piece, this.#server.offset);
    if (this.#anchor.isAssumed) pairing.receivedOffset = this.#client.offsetOf(piece.acknowledgement);
    const responses = this.#session!.responses;
    if (!responses.push(bytes, start, end)) {
      pairing.countParserError("response");
      endHold(this.#pairing!, false, timeUs);
      this.#loseServer(timeUs, true);
      return;
    }
    if (pairing.isContradicted || (pairing.unmatchedSinceAligned > 0 && !this.#anchor.isClientLost))
      this.#doubt(this.#client.offset);
    if (pairing.held?.isFull) startHoldAnew(pairing, timeUs);
    if (cut === 0 || this.#anchor.isServerLost) return;
    pairing.enterResponses(timeUs, 0, this.#server.offset + (end - start), 0);
    if (responses.gap(cut)) return;
    // Where the bytes cut off begin a response, its first byte's time is known all the same.
    if (!pairing.isResponding && pairing.pendingCount > 0) pairing.responseBegins(0);
    pairing.markResponse(Flag.truncated);
    this.#loseServer(timeUs, false);
  }

  #wake(): void {
    this.#isAwake = true;
    this.#context.awake.add(this);
    if (this.#protocol === null) return;
    if (this.#pairing === null) this.#pair(this.#protocol);
    else this.#pairing.wake();
  }

  /** The pairing, woken up where it left something behind; null where nothing waits for anything. */
  #pairingOfPending(): Pairing | null {
    if (this.#pairing === null && this.hasPending) this.#wake();
    return this.#pairing;
  }

  /** Gives back what only messages under way need: 1.5 of the 2.9 KB of a connection. */
  sleep(): void {
    const pairing = this.#pairing;
    const session = this.#session;
    this.#isAwake = false;
    if (pairing === null || session === null) return;
    const standing = session.standing ?? -1;
    if (standing < 0 || !pairing.isAtRest) {
      pairing.sleep();
      session.rest?.();
      return;
    }
    this.#rest ??= new Rest();
    pairing.leave(this.#rest, standing);
    this.#context.spares.give(this.#protocol!, { pairing, session });
    this.#pairing = null;
    this.#session = null;
  }

  gap(fromClient: boolean, missing: number, next: number): void {
    if (!this.#isAwake) this.#wake();
    const pairing = this.#pairing;
    if (pairing !== null) {
      pairing.isInGap = true;
      if (fromClient) this.#clientGap(pairing, missing);
      else this.#serverGap(pairing, missing);
      pairing.isInGap = false;
    } else if (fromClient) this.#anchor.isClientLost = true;
    else this.#loseServer(this.#server.lastUs, true);
    if (fromClient) {
      this.#client.skip(missing, next);
      this.#anchor.clientLost();
    } else {
      this.#server.skip(missing, next);
      this.#anchor.serverLost(next);
    }
  }

  #clientGap(pairing: Pairing, missing: number): void {
    if (this.#anchor.isClientLost) {
      this.#anchor.hasClientHole = true;
      return;
    }
    pairing.enterRequests(this.#client.lastUs, 0, this.#client.offset, Flag.gap);
    if (!this.#session!.requests.gap(missing)) this.#loseClient(Flag.gap);
  }

  #serverGap(pairing: Pairing, missing: number): void {
    if (this.#anchor.isServerLost) {
      this.#unread?.addHole();
      return;
    }
    pairing.enterResponses(this.#server.lastUs, 0, this.#server.offset, Flag.gap);
    if (this.#session!.responses.gap(missing)) return;
    this.#loseServer(this.#server.lastUs, true);
    this.#unread?.addHole();
  }

  retransmitted(resent: Resent): void {
    const pairing = this.#pairingOfPending();
    if (pairing === null) return;
    const { fromClient, sequence, length } = resent;
    if (fromClient) {
      const from = this.#client.offsetOf(sequence);
      pairing.markRetransmitted(from, from + length, resent);
    } else pairing.markResponseRetransmitted(this.#server.offsetOf(sequence), resent);
  }

  sentForNothing(fromClient: boolean, sequence: number): void {
    if (fromClient) this.#pairing?.unmarkRetransmitted(this.#client.offsetOf(sequence));
  }

  serverFinished(): void {
    this.#settle("closed");
  }

  ended(reason: EndReason): void {
    this.#settle(reason === "idle" ? "timeout" : reason);
    this.#pairing?.requestVoid();
  }

  expire(clockUs: number): void {
    if (!this.hasPending || (this.#pairing === null && !this.#isTimeUp(clockUs))) return;
    if (!this.#isAwake) this.#wake();
    const pairing = this.#pairing!;
    if (pairing.hasKept && clockUs - this.#connection.lastUs >= this.#anchor.quietUs(pairing.longestWaitUs))
      this.#decide(true);
    this.#tellIfQuiet(clockUs, this.#connection.lastUs);
    pairing.expire(clockUs - this.#context.requestTimeoutUs, clockUs);
    if (this.#connection.lastUs + DEAD_US < clockUs) pairing.giveUpAll("timeout", clockUs);
  }

  /** There may be something to tell of what was left behind. */
  #isTimeUp(clockUs: number): boolean {
    const { queue, held, longestWaitUs } = this.#rest!;
    const { lastUs } = this.#connection;
    if (held !== null && clockUs - lastUs >= this.#anchor.quietUs(longestWaitUs)) return true;
    return lastUs + DEAD_US < clockUs || queue?.isAnyOlder(clockUs - this.#context.requestTimeoutUs) === true;
  }

  /** The server's stream is over: what is still pending has no response, or one whose end can be told now. */
  #settle(reason: UnansweredReason): void {
    const pairing = this.#pairingOfPending();
    if (pairing === null) return;
    if (pairing.hasKept) this.#decide(true);
    if (this.#anchor.isServerLost && reason === "closed") this.#completeCut(pairing);
    if (this.#hasNothingDue() && pairing.held?.isProvenBy(reason)) pairing.held.prove();
    endHold(pairing, false, this.#client.lastUs);
    const isLost = this.#anchor.isServerLost || this.#connection.isResponseMissing;
    pairing.giveUpAll(
      isLost ? "gap" : reason,
      Math.max(this.#client.lastUs, this.#server.lastUs, this.#connection.lastUs),
    );
  }

  /** Chooses the protocol by the first bytes of the client; false when nobody speaks what they are. */
  #choose(bytes: Uint8Array, start: number, end: number): boolean {
    const chosen = this.#context.selector.recognise(this.#connection.serverPort, bytes, start, end);
    if (typeof chosen === "string") {
      this.#refuse(chosen);
      return false;
    }
    this.#begin(chosen);
    return true;
  }

  #refuse(reason: Refusal): void {
    this.#context.refused[reason]++;
    if (reason === "tls") {
      this.#connection.server = this.#context.servers.find(this.#connection.serverText);
      this.#tellConnect("tls");
    }
    this.#connection.isIgnored = true;
  }

  #begin(protocol: Protocol): void {
    const server = this.#context.servers.find(this.#connection.serverText);
    this.#connection.server = server;
    this.#protocol = protocol;
    this.#pair(protocol);
    this.#tellConnect(protocol.name);
  }

  /** Makes a pairing and a session, or takes over spare ones. */
  #pair(protocol: Protocol): void {
    const { hasHandshake } = this.#connection;
    const origin = new Origin(this.#connection, protocol, this.#client, this.#server);
    const spare = this.#context.spares.take(protocol);
    const pairing = spare?.pairing ?? new Pairing(this.#context, origin, hasHandshake);
    const session = spare?.session ?? protocol.createSession(pairing);
    const rest = this.#rest ?? NOTHING_LEFT;
    pairing.resume(origin, hasHandshake, rest);
    session.resume?.(rest.standing);
    this.#pairing = pairing;
    this.#session = session;
  }

  /** How the connection was made, where that was seen. */
  #tellConnect(protocol: string): void {
    const connection = this.#connection;
    const { path } = connection;
    if (path.connectUs < 0) return;
    const { server } = connection;
    const rttUs = path.roundTripUs(connection.side);
    this.#context.sink.connected({
      connectionId: connection.id,
      client: { text: connection.clientText },
      serverEndpoint: { text: connection.serverText },
      server,
      side: connection.side,
      protocol,
      endUs: path.connectedAtUs,
      latencyUs: path.connectUs,
      synRetransmissions: path.synRetransmissions,
      rttUs: rttUs < 0 ? null : rttUs,
    });
    path.forgetHandshake();
  }

  /** A client segment that acknowledges something new. */
  #lead(piece: Piece): void {
    const { bytes, start, end, sequence, acknowledgement, timeUs } = piece;
    const pairing = this.#pairing!;
    const anchor = this.#anchor;
    const isLost = this.#anchor.isClientLost || this.#anchor.isServerLost;
    const isKnown = !this.#anchor.isServerLost && !(this.#anchor.isClientLost && this.#anchor.hasClientHole);
    const isDue = !this.#anchor.isServerLost && pairing.pendingCount > 0;
    // Unless the client's habits are known, this may be the middle of a value.
    const isSure = anchor.isTrusted || !this.#anchor.hasClientHole;
    const begins = this.#anchor.isClientLost
      ? looksLikeRequest(this.#protocol!, isSure, bytes, start, end)
      : !pairing.isRequesting;
    this.#tellIfQuiet(timeUs, Math.max(this.#client.lastUs, this.#server.lastUs));
    anchor.weigh(sequence, acknowledgement, isKnown, begins, isDue, pairing.hasPipelined);
    if (!isLost && anchor.isAsync) {
      // It does not wait for its responses; boundaries that rest on the belief that it does are given up.
      if (this.#anchor.isAssumed && this.#anchor.restsOnWaits) this.#giveUpAssumption(this.#client.offset);
    } else if (!isLost) {
      pairing.isTentative = false;
      if (anchor.isTrusted) endHold(pairing, true, timeUs);
      else if (pairing.held?.countWait() && pairing.held.prove()) endHold(pairing, false, timeUs);
    } else if (begins && anchor.isAllRead(acknowledgement)) this.#tryAlign(timeUs, sequence);
  }

  /** `clientEnd`: where the client's bytes read so far end. */
  #giveUpAssumption(clientEnd: number): void {
    this.#pairing!.enterRequests(this.#client.lastUs, 0, clientEnd, 0);
    endHold(this.#pairing!, false, this.#client.lastUs);
    this.#loseClient(Flag.gap);
    this.#loseServer(this.#server.lastUs, true);
    this.#pairing!.giveUpAll("gap", this.#client.lastUs);
  }

  /** A response came that nobody had asked for, or too early: boundaries that rest on an anchor are given up. */
  #doubt(clientEnd: number): void {
    const pairing = this.#pairing!;
    if (pairing.isContradicted) this.#anchor.distrust();
    else if (this.#anchor.isAssumed) this.#anchor.isAsync = true;
    pairing.unmatchedSinceAligned = 0;
    pairing.isContradicted = false;
    if (this.#anchor.isAssumed) this.#giveUpAssumption(clientEnd);
  }

  /** What is missing, for `Anchor.proof`. */
  get #loss(): Loss {
    if (this.#anchor.isClientLost && this.#anchor.hasClientHole)
      return this.#anchor.isServerLost ? Loss.both : Loss.client;
    return this.#anchor.isClientLost || !this.#connection.hasHandshake ? Loss.before : Loss.none;
  }

  #tryAlign(timeUs: number, sequence: number): void {
    const pairing = this.#pairing!;
    if (!this.#anchor.isServerLost && pairing.pendingCount > 0) return;
    const isFirst = this.#anchor.isFirst(sequence);
    // A response half read is one that the client has not waited for.
    if (!this.#anchor.isServerLost && pairing.isResponding) return;
    const lastUs = Math.max(this.#client.lastUs, this.#server.lastUs);
    const proof = isFirst
      ? Proof.likely
      : this.#anchor.proof(sequence, timeUs, lastUs, pairing.longestWaitUs, this.#loss);
    if (proof === Proof.none) return;
    if (this.#anchor.isServerLost) {
      this.#completeCut(pairing);
      pairing.giveUpAll("gap", timeUs);
    }
    pairing.requestVoid();
    pairing.unmatchedSinceAligned = 0;
    pairing.isOverfull = false;
    this.#session!.requests.resync();
    this.#session!.responses.resync();
    this.#anchor.isClientLost = false;
    this.#anchor.isServerLost = false;
    this.#anchor.isAssumed = true;
    this.#anchor.restsOnWaits = proof !== Proof.quiet;
    pairing.isTentative = true;
    if (!isFirst) pairing.countResync();
    if (proof !== Proof.trusted && this.#context.pool.used < HOLD_ROOM) pairing.held ??= new HeldAnswers(isFirst);
  }

  /** Tells what is held where nobody has spoken for so long that what would contradict it had come. */
  #tellIfQuiet(nowUs: number, lastUs: number): void {
    const pairing = this.#pairing!;
    if (pairing.held === null || !this.#hasNothingDue()) return;
    if (nowUs - lastUs < this.#anchor.quietUs(pairing.longestWaitUs)) return;
    this.#anchor.restsOnWaits = false;
    if (pairing.held.prove()) endHold(pairing, false, nowUs);
  }

  /** Both directions can be followed, and no response is due. */
  #hasNothingDue(): boolean {
    const isLost = this.#anchor.isClientLost || this.#anchor.isServerLost || this.#connection.isResponseMissing;
    return !isLost && this.#pairing!.pendingCount === 0;
  }

  /** Has the session tell whose the responses are that it keeps; not where more of them may be lost. */
  #decide(isLast: boolean): void {
    if (!this.#anchor.isServerLost) this.#session?.decide?.(isLast);
  }

  /** All that the lost server sent is known to end here, at a boundary. */
  #completeCut(pairing: Pairing): void {
    if (this.#anchor.isAsync || this.#session?.responses.mayPush === true) return;
    const errorId = this.#session?.responses.cutError?.() ?? NO_ERROR;
    this.#unread?.complete(pairing, this.#anchor.isClientLost, this.#server.offset, errorId);
  }

  /** The client's bytes are not the protocol's, or there is no room for its requests. */
  #rejectClient(reason: string): void {
    this.#pairing!.countParserError(reason);
    endHold(this.#pairing!, false, this.#client.lastUs);
    // A request broken in the middle is one all the same: the server answers it with an error, and hangs up.
    if (!this.#anchor.isAssumed) this.#session!.requests.cutOff?.();
    this.#pairing!.requestVoid();
    this.#anchor.isClientLost = true;
  }

  /** The next request's first byte cannot be known; the one being read ends, as far as can be told, here. */
  #loseClient(flag: number): void {
    const pairing = this.#pairing!;
    this.#anchor.hasClientHole = flag === Flag.gap;
    if (this.#anchor.hasClientHole) pairing.held?.carry();
    pairing.markDraft(flag);
    this.#session!.requests.cutOff?.();
    pairing.requestVoid();
    this.#anchor.isClientLost = true;
  }

  #loseServer(timeUs: number, hasHole: boolean): void {
    this.#anchor.isServerLost = true;
    this.#pairing?.held?.carry();
    this.#unread ??= new UnreadStretch();
    this.#unread.begin(timeUs, hasHole);
  }
}
