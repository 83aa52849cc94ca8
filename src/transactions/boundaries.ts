import type { Connection } from "../connection/connection.ts";
import type { Piece } from "../connection/receiver.ts";
import { NO_ERROR, type Protocol, type Session } from "../protocols/protocol.ts";
import { Anchor, isRequestMissing, Loss, looksLikeRequest, Proof } from "./anchor.ts";
import type { ConversationContext } from "./context.ts";
import { endHold, HeldAnswers, HOLD_ROOM } from "./held-answers.ts";
import type { Pairing } from "./pairing.ts";
import { StreamPlace } from "./stream-place.ts";
import { Flag } from "./transaction.ts";
import { UnreadStretch } from "./unread.ts";

/**
 * Where the messages of one connection begin, and when nobody knows.
 *
 * Where bytes are missing and the next message boundary cannot be known, a direction is "lost": its bytes are not
 * parsed, since a boundary found by luck pairs wrongly ever after. It is taken up again at an anchor: a client
 * segment that provably begins a request, with nothing under way (see `Anchor`). What follows rests on an assumption
 * about the client: whatever contradicts it (a response sent before its request was received, a response that nobody
 * asked for, a request sent while a response is due) ends all that is pending, and both directions are lost again.
 */
export abstract class Boundaries {
  protected readonly context: ConversationContext;
  protected readonly connection: Connection;
  protected protocol: Protocol | null = null;
  protected session: Session | null = null;
  protected pairing: Pairing | null = null;
  protected readonly anchor = new Anchor();

  // Where the streams stand.
  protected readonly client = new StreamPlace();
  protected readonly server = new StreamPlace();

  /** What the lost server sent. */
  protected unread: UnreadStretch | null = null;

  constructor(context: ConversationContext, connection: Connection) {
    this.context = context;
    this.connection = connection;
    this.anchor.hasClientHole = true;
    this.anchor.isClientLost = !connection.hasHandshake;
    this.anchor.isServerLost = !connection.hasHandshake;
    this.anchor.isMidstream = !connection.hasHandshake;
    this.anchor.wasFollowed = connection.hasHandshake;
    if (connection.hasHandshake && isRequestMissing(connection)) {
      this.anchor.isClientLost = true;
      this.anchor.clientLost();
    }
  }

  /** A client segment that acknowledges something new. */
  protected lead(piece: Piece): void {
    if (this.protocol!.pairsById === true) return;
    const { bytes, start, end, sequence, acknowledgement, timeUs } = piece;
    const pairing = this.pairing!;
    const anchor = this.anchor;
    const isLost = anchor.isClientLost || anchor.isServerLost;
    // A response that was cut off: whose it is, is known where it can be one request's only.
    const isFollowed = !anchor.isServerLost || (this.isOnlyCut && pairing.pendingCount === 1);
    const isKnown = isFollowed && !(anchor.isClientLost && anchor.hasClientHole);
    const isDue = !anchor.isServerLost && pairing.pendingCount > 0;
    // Unless the client's habits are known, this may be the middle of a value.
    const isSure = anchor.isTrusted || !anchor.hasClientHole;
    const begins = anchor.isClientLost
      ? looksLikeRequest(this.protocol!, isSure, bytes, start, end)
      : !pairing.isRequesting;
    const isHolding = pairing.held !== null;
    const lastUs = Math.max(this.client.lastUs, this.server.lastUs);
    if (isHolding) this.tellIfQuiet(timeUs, lastUs);
    if (!isLost && this.session!.isOneWay === true) {
      anchor.wasFollowed = true;
      return;
    }
    anchor.weigh(sequence, acknowledgement, isKnown, begins, isDue, pairing.hasPipelined, pairing.held);
    if (!isLost && pairing.held?.isTried) {
      if (this.countSent(timeUs, isDue) && pairing.held.prove()) this.believe(false, timeUs);
    } else if (!isLost && anchor.isAsync) {
      // It does not wait for its responses; boundaries that rest on the belief that it does are given up.
      if (anchor.isAssumed && anchor.restsOnWaits) this.giveUpAssumption(this.client.offset);
    } else if (!isLost) {
      pairing.isTentative = false;
      if (!isHolding) return;
      const isProven = pairing.held?.countWait() === true;
      if (anchor.isTrusted && (!pairing.hasPipelined || pairing.held?.isBelieved)) this.believe(true, timeUs);
      else if (isProven && pairing.held?.prove()) this.believe(false, timeUs);
      if (!pairing.hasPipelined) pairing.held?.countPause(timeUs - lastUs);
    } else if (begins && anchor.isAllRead(acknowledgement)) this.tryAlign(timeUs, sequence);
  }

  /** The client, of which it was tried whether it was at rest, sends again. Whether that is enough. */
  private countSent(timeUs: number, isDue: boolean): boolean {
    const toServerUs = Math.max(0, this.connection.path.toServer.us);
    const { comesToRest, isMidstream, untilRest } = this.anchor;
    // What was seen of a connection that is older than the capture may have been believed too soon.
    const isKnown = comesToRest && !isMidstream;
    return this.pairing!.held!.countSent(!isDue, timeUs - this.server.lastUs, toServerUs, isKnown, untilRest);
  }

  /**
   * Whether a direction that is lost can be read on from this segment: where ids tell who belongs to whom, each by itself, as soon as
   * a message is known to begin.
   */
  protected takesUp(fromClient: boolean, { bytes, start, end }: Piece): boolean {
    if (this.protocol!.pairsById !== true) return false;
    const { anchor } = this;
    const pairing = this.pairing!;
    const parser = fromClient ? this.session!.requests : this.session!.responses;
    if (parser.begins?.(bytes, start, end) !== true) return false;
    if (fromClient) {
      pairing.requestVoid();
      pairing.isOverfull = false;
    } else pairing.responseVoid();
    // A connection older than the capture is taken up for the first time, each direction by itself: nothing was lost.
    if (anchor.wasFollowed) pairing.countResync();
    parser.resync();
    if (fromClient) {
      anchor.isClientLost = false;
      anchor.isAssumed = true;
    } else anchor.isServerLost = false;
    if (!anchor.isClientLost && !anchor.isServerLost) anchor.wasFollowed = true;
    return true;
  }

  /** `clientEnd`: where the client's bytes read so far end. */
  private giveUpAssumption(clientEnd: number): void {
    this.pairing!.enterRequests(this.client.lastUs, 0, clientEnd, 0);
    endHold(this.pairing!, false, this.client.lastUs);
    this.loseClient(Flag.gap);
    this.loseServer(this.server.lastUs, true);
    this.pairing!.giveUpAll("gap", this.client.lastUs);
  }

  /** Looks at the responses that ended in what was read last. */
  // Runs for every segment with payload.
  protected doubtIfUnasked(pairing: Pairing): void {
    if (pairing.isContradicted || (pairing.unmatchedSinceAligned > 0 && !this.anchor.isClientLost))
      this.doubt(this.client.offset);
  }

  /** A response came that nobody had asked for, or too early: boundaries that rest on an anchor are given up. */
  protected doubt(clientEnd: number): void {
    const pairing = this.pairing!;
    // While all is held, it was only tried whether the client was at rest.
    if (pairing.held === null) this.anchor.distrustRests();
    else if (pairing.held.isTried) this.anchor.noteVain(pairing.held.answers.length + pairing.pendingCount);
    if (pairing.isContradicted) this.anchor.distrust();
    else if (this.anchor.isAssumed) this.anchor.isAsync = true;
    pairing.unmatchedSinceAligned = 0;
    pairing.isContradicted = false;
    if (this.anchor.isAssumed) this.giveUpAssumption(clientEnd);
  }

  /** There is no room for more that is not proven. */
  protected holdAnew(held: HeldAnswers, nowUs: number): void {
    const pairing = this.pairing!;
    if (!held.isTried) {
      endHold(pairing, false, nowUs);
      pairing.held = new HeldAnswers(false);
      return;
    }
    this.anchor.noteVain(held.answers.length + pairing.pendingCount);
    this.giveUpAssumption(this.client.offset);
  }

  /** Requests from before the capture wait, too: what the server sends first is for them. */
  protected doubtStart(): void {
    if (this.protocol!.pairsById === true) return;
    this.pairing!.isContradicted = true;
    this.doubt(this.client.offset);
  }

  /** What is missing, for `Anchor.proof`. */
  private get loss(): Loss {
    if (this.anchor.isClientLost && this.anchor.hasClientHole)
      return this.anchor.isServerLost ? Loss.both : Loss.client;
    return this.anchor.isClientLost || !this.connection.hasHandshake ? Loss.before : Loss.none;
  }

  private tryAlign(timeUs: number, sequence: number): void {
    const pairing = this.pairing!;
    if (!this.anchor.isServerLost && pairing.pendingCount > 0) return;
    const isFirst = this.anchor.isFirst(sequence);
    // A response half read is one that the client has not waited for.
    if (!this.anchor.isServerLost && pairing.isResponding) return;
    const lastUs = Math.max(this.client.lastUs, this.server.lastUs);
    const proof = isFirst
      ? Proof.likely
      : this.anchor.proof(sequence, timeUs, lastUs, pairing.longestWaitUs, this.loss);
    if (proof === Proof.none) return;
    if (proof === Proof.tried && !(this.canHold && this.anchor.takesOccasion())) return;
    const { isOnlyCut } = this;
    const hasHole = this.anchor.isClientLost && this.anchor.hasClientHole;
    if (proof === Proof.trusted) this.believe(true, timeUs);
    if (this.anchor.isServerLost) {
      // That what was cut had ended is shown by what comes next, however sure it is that the client waits.
      this.hold(isFirst);
      this.completeCut(pairing);
      pairing.giveUpAll("gap", timeUs);
    }
    const isSilent = isOnlyCut && this.anchor.isSilent(sequence, timeUs, lastUs, pairing.longestWaitUs);
    if (isSilent && pairing.held?.prove()) this.believe(false, timeUs);
    this.findHidden(pairing);
    pairing.requestVoid();
    pairing.unmatchedSinceAligned = 0;
    pairing.isOverfull = false;
    // What a client said that could be followed (MULTI) still holds.
    if (this.anchor.isClientLost) this.session!.requests.resync();
    this.session!.responses.resync();
    this.anchor.isClientLost = false;
    this.anchor.isServerLost = false;
    this.anchor.isAssumed = true;
    this.anchor.restsOnWaits = proof !== Proof.quiet && proof !== Proof.tried;
    pairing.isTentative = proof !== Proof.tried;
    if (this.anchor.wasFollowed) pairing.countResync();
    // One that sends several requests may have had another one under way, just this once, where bytes of it are missing.
    if (proof !== Proof.trusted || (pairing.hasPipelined && hasHole)) this.hold(isFirst);
    if (pairing.held === null) this.anchor.wasFollowed = true;
    else if (proof === Proof.tried) pairing.held.isTried = true;
  }

  /** Nothing has contradicted what is held, and nothing can any more. */
  private believe(isTrusted: boolean, nowUs: number): void {
    this.anchor.wasFollowed = true;
    endHold(this.pairing!, isTrusted, nowUs);
  }

  /** What is paired is not told from here on, until it is proven. */
  private hold(isFirst: boolean): void {
    if (this.canHold) this.pairing!.held ??= new HeldAnswers(isFirst);
  }

  private get canHold(): boolean {
    return this.pairing!.held !== null || this.context.pool.used < HOLD_ROOM;
  }

  /** Where a response too many came: behind a request that was cut off stood another, in the same segment. */
  private findHidden(pairing: Pairing): void {
    if (pairing.unmatchedSinceAligned === 0 || !this.anchor.isClientLost || this.anchor.hasClientHole) return;
    pairing.hasPipelined = true;
    pairing.held?.carry();
  }

  /** Tells what is held where nobody has spoken for so long that what would contradict it had come. */
  protected tellIfQuiet(nowUs: number, lastUs: number): void {
    const pairing = this.pairing!;
    if (pairing.held === null || !this.hasNothingDue()) return;
    if (!this.anchor.isQuiet(nowUs - lastUs, pairing.longestWaitUs, pairing.held)) return;
    this.anchor.restsOnWaits = false;
    if (pairing.held.prove()) this.believe(false, nowUs);
  }

  /**
   * Where a direction cannot be followed, it is since the snaplen has cut bytes off, and nothing is missing: one response more may hide in
   * these only where the client was seen to have several requests under way.
   */
  protected get isOnlyCut(): boolean {
    const { anchor } = this;
    const { hasPipelined, unmatchedSinceAligned } = this.pairing!;
    if (hasPipelined || unmatchedSinceAligned > 0 || (anchor.isClientLost && anchor.hasClientHole)) return false;
    return !anchor.isServerLost || this.unread?.hasHole === false;
  }

  /** The client cannot be followed, or could not before where that is never made good. */
  protected get mayMissRequests(): boolean {
    return this.anchor.isClientLost || (this.anchor.isAssumed && this.protocol!.pairsById === true);
  }

  /** Both directions can be followed, and no response is due. */
  protected hasNothingDue(): boolean {
    const isLost = this.anchor.isClientLost || this.anchor.isServerLost || this.connection.isResponseMissing;
    return !isLost && this.pairing!.pendingCount === 0;
  }

  /** Has the session tell whose the responses are that it keeps; not where more of them may be lost. */
  protected decide(isLast: boolean): void {
    if (!this.anchor.isServerLost) this.session?.decide?.(isLast);
  }

  /** All that the lost server sent is known to end here, at a boundary. */
  protected completeCut(pairing: Pairing): void {
    if (this.anchor.isAsync || this.session?.responses.mayPush === true) return;
    const errorId = this.session?.responses.cutError?.() ?? NO_ERROR;
    if (this.protocol?.pairsById === true)
      this.unread?.completeById(pairing, this.mayMissRequests, this.server.offset, errorId);
    else this.unread?.complete(pairing, this.anchor.isClientLost, this.server.offset, errorId);
  }

  /** The client's bytes are not the protocol's, or there is no room for its requests. */
  protected rejectClient(reason: string): void {
    this.pairing!.countParserError(reason);
    endHold(this.pairing!, false, this.client.lastUs);
    // A request broken in the middle is one all the same: the server answers it with an error, and hangs up.
    this.anchor.isLastCut = false;
    if (!this.anchor.isAssumed) this.session!.requests.cutOff?.();
    this.pairing!.requestVoid();
    this.anchor.isClientLost = true;
  }

  /** The next request's first byte cannot be known; the one being read ends, as far as can be told, here. */
  protected loseClient(flag: number): void {
    const pairing = this.pairing!;
    this.anchor.hasClientHole = flag === Flag.gap;
    if (this.anchor.hasClientHole) pairing.held?.carry();
    pairing.markDraft(flag);
    const told = pairing.pendingCount;
    this.session!.requests.cutOff?.();
    this.anchor.isLastCut = pairing.pendingCount > told;
    pairing.requestVoid();
    this.anchor.isClientLost = true;
  }

  protected loseServer(timeUs: number, hasHole: boolean): void {
    if (this.protocol?.pairsById === true) this.pairing?.losesResponses();
    this.anchor.isServerLost = true;
    this.pairing?.held?.carry();
    this.unread ??= new UnreadStretch();
    this.unread.begin(timeUs, hasHole);
  }
}
