import type { Connection } from "../connection/connection.ts";
import type { EndReason, StreamReceiver } from "../connection/receiver.ts";
import { NO_ERROR, type Protocol, Recognition, type Session } from "../protocols/protocol.ts";
import { Anchor } from "./anchor.ts";
import type { Sleeper } from "./awake.ts";
import type { ConversationContext } from "./context.ts";
import { HeldAnswers, HOLD_ROOM } from "./held-answers.ts";
import { Origin } from "./origin.ts";
import { Pairing } from "./pairing.ts";
import { isTls, type Refusal } from "./selector.ts";
import { StreamPlace } from "./stream-place.ts";
import { Flag, type UnansweredReason } from "./transaction.ts";
import { UnreadStretch } from "./unread.ts";

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
  #isClientLost: boolean;
  #isServerLost: boolean;
  readonly #anchor = new Anchor();
  /** The boundaries rest on an anchor, not on the beginning of the connection. */
  #isAssumed = false;
  #hasClientData = false;

  // Where the streams stand.
  readonly #client = new StreamPlace();
  readonly #server = new StreamPlace();

  /** What the lost server sent. */
  #unread: UnreadStretch | null = null;

  constructor(context: ConversationContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    this.#isClientLost = !connection.hasHandshake;
    this.#isServerLost = !connection.hasHandshake;
    const protocol = context.selector.byPort(connection.serverPort);
    if (protocol !== null && connection.hasHandshake) this.#begin(protocol);
  }

  get hasPending(): boolean {
    return (this.#pairing?.unreported ?? 0) > 0;
  }

  // Runs for every segment with payload.
  data(
    fromClient: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    wasHeld: boolean,
  ): void {
    const flags = wasHeld ? Flag.outOfOrder : 0;
    if (!this.#isAwake) this.#wake();
    const place = fromClient ? this.#client : this.#server;
    place.next = sequence;
    if (fromClient) this.#clientData(bytes, start, end, cut, timeUs, sequence, acknowledgement, flags);
    else this.#serverData(bytes, start, end, cut, timeUs, acknowledgement, flags);
    place.move(end - start + cut, timeUs);
    if (fromClient) this.#hasClientData = true;
    else this.#anchor.serverSent(place.next, acknowledgement, timeUs);
  }

  // Runs for every segment with payload.
  #clientData(
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
    flags: number,
  ): void {
    if (this.#session === null && !this.#choose(bytes, start, end)) return;
    if (!this.#hasClientData && isTls(bytes, start, end)) {
      this.#refuse("tls");
      return;
    }
    const pairing = this.#pairing!;
    if (this.#anchor.leads(acknowledgement)) this.#lead(bytes, start, end, timeUs, sequence, acknowledgement);
    this.#anchor.clientSent(acknowledgement, timeUs);
    pairing.enterRequests(timeUs, start, this.#client.offset, flags);
    if (this.#isClientLost) {
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
    if (cut === 0 || this.#isClientLost) return;
    pairing.enterRequests(timeUs, 0, this.#client.offset + (end - start), 0);
    if (requests.gap(cut)) return;
    // Its length is known all the same: most segments hold one request.
    pairing.enterRequests(timeUs, 0, this.#client.offset + (end - start) + cut, 0);
    this.#loseClient(Flag.truncated);
  }

  // Runs for every segment with payload.
  #serverData(
    bytes: Uint8Array,
    start: number,
    end: number,
    cut: number,
    timeUs: number,
    acknowledgement: number,
    flags: number,
  ): void {
    const pairing = this.#pairing;
    if (pairing === null) return;
    if (this.#isServerLost) {
      this.#unread?.extend(timeUs);
      return;
    }
    pairing.unmatchedReason = this.#isClientLost ? this.#connection.lossReason : "no_request";
    pairing.enterResponses(timeUs, start, this.#server.offset, flags);
    if (this.#isAssumed) pairing.receivedOffset = this.#client.offsetOf(acknowledgement);
    const responses = this.#session!.responses;
    if (!responses.push(bytes, start, end)) {
      this.#pairing!.countParserError("response");
      this.#loseServer(timeUs, true);
      return;
    }
    if (pairing.isContradicted || (pairing.unmatchedSinceAligned > 0 && !this.#isClientLost))
      this.#doubt(this.#client.offset);
    if (cut === 0 || this.#isServerLost) return;
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
    this.#pairing?.wake();
    if (this.#protocol !== null && this.#pairing !== null)
      this.#session ??= this.#protocol.createSession(this.#pairing);
  }

  /** Gives back what only a message being read needs: 0.9 of the 2.6 KB of a connection. */
  sleep(): void {
    this.#isAwake = false;
    this.#pairing?.sleep();
    if (this.#session?.rest?.() === true) this.#session = null;
  }

  gap(fromClient: boolean, missing: number, next: number): void {
    const pairing = this.#pairing;
    if (!this.#isAwake) this.#wake();
    if (pairing !== null) {
      pairing.isInGap = true;
      if (fromClient) this.#clientGap(pairing, missing);
      else this.#serverGap(pairing, missing);
      pairing.isInGap = false;
    } else if (fromClient) this.#isClientLost = true;
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
    if (this.#isClientLost) return;
    pairing.enterRequests(this.#client.lastUs, 0, this.#client.offset, Flag.gap);
    if (!this.#session!.requests.gap(missing)) this.#loseClient(Flag.gap);
  }

  #serverGap(pairing: Pairing, missing: number): void {
    if (this.#isServerLost) {
      this.#unread?.addHole();
      return;
    }
    pairing.enterResponses(this.#server.lastUs, 0, this.#server.offset, Flag.gap);
    if (this.#session!.responses.gap(missing)) return;
    this.#loseServer(this.#server.lastUs, true);
    this.#unread?.addHole();
  }

  retransmitted(fromClient: boolean, sequence: number, length: number): void {
    const pairing = this.#pairing;
    if (pairing === null) return;
    if (fromClient) {
      const from = this.#client.offsetOf(sequence);
      pairing.markRetransmitted(from, from + length);
    } else {
      pairing.markResponseRetransmitted(this.#server.offsetOf(sequence));
    }
  }

  serverFinished(): void {
    this.#settle("closed");
  }

  ended(reason: EndReason): void {
    this.#settle(reason === "idle" ? "timeout" : reason);
    this.#pairing?.requestVoid();
  }

  expire(clockUs: number): void {
    const pairing = this.#pairing;
    if (pairing === null || pairing.unreported === 0) return;
    if (pairing.held?.isQuiet(clockUs, this.#connection.lastUs)) pairing.endHold(true, clockUs);
    pairing.expire(clockUs - this.#context.requestTimeoutUs, clockUs);
    if (this.#connection.lastUs + DEAD_US < clockUs) pairing.giveUpAll("timeout", clockUs);
  }

  /** The server's stream is over: what is still pending has no response, or one whose end can be told now. */
  #settle(reason: UnansweredReason): void {
    const pairing = this.#pairing;
    if (pairing === null) return;
    if (this.#isServerLost && reason === "closed") this.#completeCut(pairing);
    pairing.endHold(pairing.pendingCount === 0 || !pairing.hasPipelined, this.#client.lastUs);
    const isLost = this.#isServerLost || this.#connection.isResponseMissing;
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
    this.#connection.isIgnored = true;
  }

  #begin(protocol: Protocol): void {
    const server = this.#context.servers.find(this.#connection.serverText);
    this.#connection.server = server;
    this.#protocol = protocol;
    const origin = new Origin(this.#connection, server, protocol, this.#client, this.#server);
    this.#pairing = new Pairing(this.#context, origin, this.#connection.hasHandshake);
    this.#session = protocol.createSession(this.#pairing);
  }

  /** A client segment that acknowledges something new. */
  #lead(
    bytes: Uint8Array,
    start: number,
    end: number,
    timeUs: number,
    sequence: number,
    acknowledgement: number,
  ): void {
    const pairing = this.#pairing!;
    const anchor = this.#anchor;
    const isLost = this.#isClientLost || this.#isServerLost;
    const isDue = !this.#isServerLost && pairing.pendingCount > 0;
    anchor.weigh(sequence, acknowledgement, !isLost, isDue, pairing.hasPipelined);
    if (!isLost && anchor.isAsync) this.#noteAsync();
    else if (!isLost) {
      pairing.isTentative = false;
      if (pairing.held?.countWait()) pairing.endHold(true, timeUs);
    } else if (anchor.isAllRead(acknowledgement)) this.#tryAlign(bytes, start, end, timeUs, sequence);
  }

  /** This client does not wait for its responses; boundaries that rest on the belief that it does are given up. */
  #noteAsync(): void {
    this.#anchor.isAsync = true;
    if (this.#isAssumed) this.#giveUpAssumption(this.#client.offset);
  }

  /** `clientEnd`: where the client's bytes read so far end. */
  #giveUpAssumption(clientEnd: number): void {
    this.#pairing!.enterRequests(this.#client.lastUs, 0, clientEnd, 0);
    this.#pairing!.endHold(false, this.#client.lastUs);
    this.#loseClient(Flag.gap);
    this.#loseServer(this.#server.lastUs, true);
    this.#pairing!.giveUpAll("gap", this.#client.lastUs);
  }

  /** A response came that nobody had asked for, or too early: boundaries that rest on an anchor are given up. */
  #doubt(clientEnd: number): void {
    const pairing = this.#pairing!;
    if (pairing.isContradicted) this.#anchor.distrust();
    else if (this.#isAssumed) this.#anchor.isAsync = true;
    pairing.unmatchedSinceAligned = 0;
    pairing.isContradicted = false;
    if (this.#isAssumed) this.#giveUpAssumption(clientEnd);
  }

  #tryAlign(bytes: Uint8Array, start: number, end: number, timeUs: number, sequence: number): void {
    const pairing = this.#pairing!;
    if (!this.#isServerLost && pairing.pendingCount > 0) return;
    const isFirst = this.#anchor.isFirst(sequence);
    const isKnown = !this.#isClientLost && this.#connection.hasHandshake;
    if (!isFirst && !this.#anchor.isProven(sequence, timeUs, pairing.longestWaitUs, isKnown)) return;
    if (this.#isClientLost) {
      const verdict = this.#protocol!.recogniseRequest(bytes, start, end);
      if (verdict < Recognition.possible) return;
      // Nothing of the client was seen before: this may be the middle of a value, and only looks tell.
      if (isFirst && verdict !== Recognition.certain && this.#protocol!.hasTellingResponses !== true) return;
    } else if (pairing.isRequesting) return;
    if (this.#isServerLost) {
      this.#completeCut(pairing);
      pairing.giveUpAll("gap", timeUs);
    }
    pairing.requestVoid();
    pairing.unmatchedSinceAligned = 0;
    pairing.isOverfull = false;
    this.#session!.requests.resync();
    this.#session!.responses.resync();
    this.#isClientLost = false;
    this.#isServerLost = false;
    this.#isAssumed = true;
    pairing.isTentative = true;
    if (!isFirst) pairing.countResync();
    else if (this.#context.pool.used < HOLD_ROOM) pairing.held = new HeldAnswers();
  }

  /**
   * All that the lost server sent is known to end here, at a boundary. A single pending request whose response had
   * begun ends with the last byte; and where all that was not seen stood in one segment, its time is everybody's.
   */
  #completeCut(pairing: Pairing): void {
    if (this.#unread === null) return;
    const { lastUs, isOneSegment, hasHole } = this.#unread;
    if (this.#anchor.isAsync || hasHole || pairing.pendingCount === 0) return;
    if (pairing.pendingCount === 1 && pairing.isResponding && (isOneSegment || !this.#isClientLost))
      pairing.answerCut(lastUs, this.#server.offset, this.#session?.responses.cutError?.() ?? NO_ERROR);
    else if (isOneSegment) pairing.answerAllAt(lastUs, Flag.truncated);
  }

  /** The client's bytes are not the protocol's, or there is no room for its requests. */
  #rejectClient(reason: string): void {
    this.#pairing!.countParserError(reason);
    // A request broken in the middle is one all the same: the server answers it with an error, and hangs up.
    if (!this.#isAssumed) this.#session!.requests.cutOff?.();
    this.#pairing!.requestVoid();
    this.#isClientLost = true;
  }

  /** The next request's first byte cannot be known; the one being read ends, as far as can be told, here. */
  #loseClient(flag: number): void {
    const pairing = this.#pairing!;
    pairing.markDraft(flag);
    this.#session!.requests.cutOff?.();
    pairing.requestVoid();
    this.#isClientLost = true;
  }

  #loseServer(timeUs: number, hasHole: boolean): void {
    this.#isServerLost = true;
    this.#unread ??= new UnreadStretch();
    this.#unread.begin(timeUs, hasHole);
  }
}
