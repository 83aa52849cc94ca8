import type { Segment } from "../decode/segment.ts";
import { TcpFlag } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import type { Flow } from "./flow.ts";
import { beginsBefore } from "./handshake.ts";
import { HeldRoom, heldBytesOf, insertSorted, isOutOfOrder, piecesOf } from "./held-segments.ts";
import { HOLD_US, isFromBefore, isYoung, resolveTie } from "./holes.ts";
import { MAY_BE_ACKS, notePacket } from "./numbering.ts";
import {
  arrivedBefore,
  ask,
  filledHole,
  isBehindProbe,
  isSentAgain,
  noteAhead,
  noteFirstAcknowledgement,
  noteWindow,
  PLAUSIBLE_DISTANCE,
  startTiming,
  takeAhead,
} from "./observe.ts";
import { Piece } from "./receiver.ts";
import { advance, distance } from "./sequence.ts";

/** A round trip is measured so often at most: it costs as much as finding the connection. */
const TIMED_EACH_US = 10_000;
/** The shortest time after which senders send again by themselves (Linux: TCP_RTO_MIN, 200 ms, in ticks of up to 10 ms). */
const TIMEOUT_US = 190_000;
/** Held bytes (a segment counts its payload and HELD_OVERHEAD) of one connection, and of all: beyond, holes become gaps at once. */
export const MAX_HELD_PER_CONNECTION = 4 * 1024 * 1024;
const MAX_HELD_IN_ALL = 64 * 1024 * 1024;
const HELD_OVERHEAD = 512;

/**
 * Order: a segment is delivered once all bytes before it in its own direction have been, and all bytes of the other
 * direction that it acknowledges. Whatever comes too early is held. A hole that the other side has acknowledged was
 * lost by the capture, not by the network: after HOLD_US it is declared a gap. A hole not acknowledged waits for its retransmission.
 */
export class Reassembly {
  readonly piece = new Piece();
  private readonly heldRoom = new HeldRoom();
  /** Bytes held now, in all connections. */
  heldBytes = 0;
  private heldOrder = 0;
  /** Holes given up for lack of room rather than by acknowledgement. */
  forcedGaps = 0;

  /**
   * Takes a segment (not SYN, not RST) of `flow` and delivers what is in order; the capture's clock is `connection.lastUs`.
   */
  // Runs for every segment.
  accept(connection: Connection, flow: Flow, peer: Flow, segment: Segment): void {
    const length = segment.payloadLength;
    const isFin = (segment.flags & TcpFlag.fin) !== 0;
    if (!flow.isUnderWay) {
      if (beginsBefore(connection, flow, segment)) flow.next = segment.sequence;
      flow.begin(segment.sequence);
    }
    const missingPackets = notePacket(flow, segment);
    const ahead = (segment.flags & TcpFlag.ack) !== 0 ? this.acknowledge(connection, flow, peer, segment, isFin) : 0;
    if ((segment.window === 0) !== (flow.odd?.isWindowClosed === true)) noteWindow(connection, flow, segment);
    if (length === 0 && !isFin) {
      if (missingPackets > 0) flow.oddity.missingPackets += missingPackets & ~MAY_BE_ACKS;
      if (distance(segment.sequence, flow.next) > 0 && flow.held === null) noteAhead(flow, segment);
      if (peer.held !== null) {
        ask(flow, peer);
        this.schedule(connection, connection.lastUs);
      }
      return;
    }
    const offset = distance(segment.sequence, flow.next);
    if (offset === 0 && ahead <= 0 && flow.held === null) {
      if (!flow.isTimed && (segment.timeLow - flow.timedLow) >>> 0 > TIMED_EACH_US) startTiming(flow, segment);
      const { piece } = this;
      piece.bytes = segment.bytes;
      piece.start = segment.payloadStart;
      piece.end = segment.payloadStart + segment.payloadCaptured;
      piece.timeUs = segment.timeUs;
      piece.acknowledgement = segment.acknowledgement;
      piece.wasHeld = false;
      piece.resentUs = 0;
      piece.isFast = false;
      piece.missingPackets = missingPackets;
      if (flow.odd !== null) {
        piece.resentUs = takeAhead(flow.odd, segment);
        piece.missingPackets += flow.odd.missingPackets;
        flow.odd.missingPackets = 0;
      }
      this.deliver(connection, flow, length);
      if (isFin) this.finish(connection, flow);
      if (peer.held !== null) {
        this.release(connection);
        this.schedule(connection, connection.lastUs);
      }
      return;
    }
    this.acceptOutOfTurn(connection, flow, peer, segment, offset);
  }

  /** Notes an acknowledgement; returns how many bytes beyond those delivered it covers (0 or less: none). */
  private acknowledge(connection: Connection, flow: Flow, peer: Flow, segment: Segment, isFin: boolean): number {
    const acknowledgement = segment.acknowledgement;
    if (peer.odd?.isSentTwice) this.judgeSentTwice(connection, flow, peer, segment);
    if (!flow.hasAcknowledged || distance(acknowledgement, flow.acknowledged) > 0) {
      if (!flow.hasAcknowledged) noteFirstAcknowledgement(flow, peer, segment);
      flow.acknowledged = acknowledgement;
      if (flow.odd?.isAsking === true && distance(acknowledgement, flow.odd.askedTo) >= 0) flow.odd.isAsking = false;
      if (peer.isTimed && distance(acknowledgement, peer.timedTo) >= 0) this.sample(connection, peer, segment);
    } else if (acknowledgement === flow.acknowledged && segment.payloadLength === 0 && !isFin) ask(flow, peer);
    if (!peer.isStarted) {
      peer.presume(acknowledgement, segment.timeLow);
      return 0;
    }
    const ahead = distance(acknowledgement, peer.next);
    if (ahead > PLAUSIBLE_DISTANCE || ahead < -PLAUSIBLE_DISTANCE) {
      this.restart(connection, peer, acknowledgement);
      flow.acknowledged = acknowledgement;
      return 0;
    }
    if (ahead <= 0) return ahead;
    // A direction that the capture never shows has nothing to wait for; where the handshake was just seen, its first segments may come a moment later.
    if (!peer.isSeen && !(connection.hasHandshake && Math.abs((segment.timeLow - peer.timedLow) | 0) < HOLD_US)) {
      // What waits for such: each behind the part that it acknowledges.
      if (flow.held !== null) this.resolve(connection, connection.lastUs, "room");
      const left = distance(acknowledgement, peer.next);
      if (left > 0) this.gap(connection, peer, left);
      return 0;
    }
    const odd = peer.oddity;
    if (odd.coveredUs === Number.POSITIVE_INFINITY || distance(odd.coveredTo, peer.next) <= 0) {
      odd.coveredTo = acknowledgement;
      odd.coveredUs = segment.timeUs;
    }
    return ahead;
  }

  /** Whether what was sent again had been there before. */
  private judgeSentTwice(connection: Connection, flow: Flow, peer: Flow, segment: Segment): void {
    const isFromClient = (peer === connection.fromA) === connection.clientIsA;
    const from = arrivedBefore(connection, isFromClient, peer.oddity, segment);
    if (from === null) return;
    // Said once of the same bytes: what they cost from then on is known by when they come (`takeAhead`).
    const isAnswerLost = flow.odd?.isAhead !== true && distance(segment.sequence, flow.next) > 0;
    connection.receiver?.sentForNothing(isFromClient, from, isAnswerLost);
  }

  /** What was timed has been acknowledged. */
  private sample(connection: Connection, peer: Flow, segment: Segment): void {
    peer.isTimed = false;
    const { path } = connection;
    const isToServer = (peer === connection.fromA) === connection.clientIsA;
    const roundTrip = isToServer ? path.toServer : path.toClient;
    const us = (segment.timeLow - peer.timedLow) | 0;
    if (roundTrip.acknowledged(us, segment.payloadLength > 0, segment.timeLow))
      this.onRoundTrip?.(connection, isToServer, us);
  }

  /** Called with a round trip of a connection, from here to the server or client and back, in µs. */
  onRoundTrip: ((connection: Connection, isToServer: boolean, us: number) => void) | null = null;

  private acceptOutOfTurn(connection: Connection, flow: Flow, peer: Flow, segment: Segment, offset: number): void {
    const clockUs = connection.lastUs;
    const length = segment.payloadLength;
    flow.isTimed = false;
    const isFin = (segment.flags & TcpFlag.fin) !== 0;
    if (offset > PLAUSIBLE_DISTANCE || offset < -PLAUSIBLE_DISTANCE) {
      this.restart(connection, flow, segment.sequence);
    } else if (offset < 0 && offset + length + (isFin ? 1 : 0) <= 0) {
      // Nothing new. One byte (or none) just before the next is a keep-alive probe (RFC 9293 §3.8.4), not data again.
      if (length === 0 || (length === 1 && offset === -1 && !isFin)) return;
      connection.server.retransmittedSegments++;
      if (length > 0) this.tellRetransmitted(connection, flow, peer, segment, length);
      return;
    }
    const hole = offset <= 0 && length > 0 ? filledHole(connection, flow, segment) : 0;
    if (offset < 0 && length > 0 && !isBehindProbe(connection, peer, segment, offset)) {
      connection.server.retransmittedSegments++;
      this.tellRetransmitted(connection, flow, peer, segment, Math.min(length, -offset));
    }
    this.hold(connection, flow, segment, clockUs);
    if (hole > 0 && flow.held !== null) {
      flow.held[0]!.resentUs = hole;
      flow.held[0]!.isFast = peer.odd?.isAsking === true && hole < TIMEOUT_US;
    }
    this.release(connection);
    this.schedule(connection, clockUs);
    if (
      heldBytesOf(connection.fromA) + heldBytesOf(connection.fromB) > MAX_HELD_PER_CONNECTION ||
      this.heldBytes > MAX_HELD_IN_ALL
    ) {
      this.forcedGaps++;
      this.resolve(connection, clockUs, "room");
    }
  }

  /** Copies a segment's new bytes into the held list: sorted, and without bytes that are held already. */
  private hold(connection: Connection, flow: Flow, segment: Segment, clockUs: number): void {
    const pieces = piecesOf(this.heldRoom, flow, segment, ++this.heldOrder, clockUs);
    if (pieces.length === 0) {
      connection.server.retransmittedSegments++;
      return;
    }
    const { oddity } = flow;
    oddity.held ??= [];
    for (const piece of pieces) {
      this.account(flow, piece.length + HELD_OVERHEAD);
      insertSorted(oddity.held, piece);
    }
  }

  /** Delivers every held segment whose turn has come, in both directions. */
  release(connection: Connection): void {
    let progressed = true;
    while (progressed) {
      progressed = this.releaseFlow(connection, connection.fromA, connection.fromB);
      if (this.releaseFlow(connection, connection.fromB, connection.fromA)) progressed = true;
    }
  }

  private releaseFlow(connection: Connection, flow: Flow, peer: Flow): boolean {
    let progressed = false;
    while (flow.held !== null) {
      const head = flow.held[0]!;
      const offset = distance(head.sequence, flow.next);
      if (offset > 0 || (peer.isStarted && distance(head.acknowledgement, peer.next) > 0)) break;
      this.dropHead(flow);
      progressed = true;
      const skip = -offset;
      if (
        skip < head.length ||
        (skip === head.length && head.length > 0 && head.isFin) ||
        (head.length === 0 && head.isFin && skip === 0)
      ) {
        const { piece } = this;
        piece.bytes = head.bytes;
        piece.start = Math.min(head.start + skip, head.end);
        piece.end = head.end;
        piece.timeUs = head.timeUs;
        piece.acknowledgement = head.acknowledgement;
        piece.wasHeld = isOutOfOrder(flow.oddity, head);
        if (piece.wasHeld) connection.server.outOfOrderSegments++;
        piece.resentUs = head.resentUs;
        piece.isFast = head.isFast;
        piece.missingPackets = 0;
        this.deliver(connection, flow, head.length - skip);
        if (head.isFin) this.finish(connection, flow);
      }
      this.heldRoom.giveBack(head);
    }
    return progressed;
  }

  private dropHead(flow: Flow): void {
    const head = flow.held!.shift()!;
    this.account(flow, -(head.length + HELD_OVERHEAD));
    if (flow.held!.length === 0) flow.oddity.held = null;
  }

  private account(flow: Flow, bytes: number): void {
    flow.oddity.heldBytes += bytes;
    this.heldBytes += bytes;
  }

  // Runs for every segment with payload.
  private deliver(connection: Connection, flow: Flow, length: number): void {
    const { piece } = this;
    const sequence = flow.next;
    flow.next = advance(sequence, length);
    const { odd } = flow;
    if (odd !== null && piece.timeUs > odd.coveredUs && isSentAgain(flow, odd, piece.timeUs)) {
      piece.timeUs = odd.coveredUs;
      piece.wasHeld = true;
      piece.resentUs = 0;
    }
    const receiver = connection.receiver;
    if (receiver === null || length === 0) return;
    piece.fromClient = (flow === connection.fromA) === connection.clientIsA;
    piece.cut = length - (piece.end - piece.start);
    piece.sequence = sequence;
    receiver.data(piece);
  }

  /** The FIN takes one sequence number (RFC 9293 §3.4). */
  private finish(connection: Connection, flow: Flow): void {
    flow.next = advance(flow.next, 1);
    flow.isFinished = true;
    const isServer = (flow === connection.fromA) !== connection.clientIsA;
    if (isServer && connection.clientIsA !== null) connection.receiver?.serverFinished();
  }

  private tellRetransmitted(connection: Connection, flow: Flow, peer: Flow, segment: Segment, length: number): void {
    const { sequence, timeUs } = segment;
    const end = advance(sequence, length);
    const isNeeded = !peer.hasAcknowledged || distance(peer.acknowledged, end) < 0;
    const { oddity } = flow;
    oddity.isSentTwice = true;
    if (isNeeded) {
      oddity.sentTwiceFrom = sequence;
      oddity.sentTwiceTo = end;
      oddity.sentTwiceUs = timeUs;
    }
    const fromClient = (flow === connection.fromA) === connection.clientIsA;
    const isFast = peer.odd?.isAsking === true;
    connection.receiver?.retransmitted({ fromClient, sequence, length, timeUs, isNeeded, isFast });
  }

  private gap(connection: Connection, flow: Flow, missing: number): void {
    flow.next = advance(flow.next, missing);
    if (!isFromBefore(connection, flow)) {
      connection.server.gaps++;
      connection.server.gapBytes += missing;
    }
    connection.receiver?.gap((flow === connection.fromA) === connection.clientIsA, missing, flow.next);
  }

  /** The stream jumped to where it cannot be: another connection with the same ports, unseen until now. */
  private restart(connection: Connection, flow: Flow, sequence: number): void {
    this.forget(connection);
    flow.next = sequence;
    if (!flow.hasSyn) flow.initial = sequence;
    if (flow.odd !== null) flow.odd.coveredUs = Number.POSITIVE_INFINITY;
    connection.server.gaps++;
    connection.receiver?.gap((flow === connection.fromA) === connection.clientIsA, 1, sequence);
  }

  /** Sees to it that held segments are looked at again once the oldest has waited long enough. */
  private schedule(connection: Connection, clockUs: number): void {
    if (connection.holdUntilUs === null && (connection.fromA.held !== null || connection.fromB.held !== null)) {
      const untilUs = clockUs + HOLD_US;
      connection.holdUntilUs = untilUs;
      this.onScheduled?.(connection, untilUs);
    }
  }

  /** Called when a connection's `holdUntilUs` has been set. */
  onScheduled: ((connection: Connection, untilUs: number) => void) | null = null;

  /**
   * Declares gaps where a hole has been acknowledged and has waited HOLD_US, and delivers what follows. Where "room" is needed,
   * every hole in front of held bytes; where all is "over", but for those of the server that nobody has acknowledged: these
   * bytes were lost on their way, and their response never came.
   */
  resolve(connection: Connection, clockUs: number, why: "due" | "over" | "room"): void {
    const { fromA, fromB } = connection;
    connection.holdUntilUs = null;
    for (;;) {
      const a = this.resolveFlow(connection, fromA, fromB, clockUs, why);
      const b = this.resolveFlow(connection, fromB, fromA, clockUs, why);
      if (!a && !b && !resolveTie(connection, clockUs, why !== "due")) break;
      this.release(connection);
    }
    // What has waited long enough waits for an acknowledgement now, and is looked at when one comes.
    if (why !== "over" && (isYoung(fromA, clockUs) || isYoung(fromB, clockUs))) this.schedule(connection, clockUs);
  }

  /** Declares one gap, if the flow's first held segment waits for one that is due. */
  private resolveFlow(connection: Connection, flow: Flow, peer: Flow, clockUs: number, why: string): boolean {
    const head = flow.held?.[0];
    if (head === undefined) return false;
    if (why === "due" && clockUs < head.heldAtUs + HOLD_US) return false;
    const hole = distance(head.sequence, flow.next);
    if (hole > 0) {
      const isPassed = why === "room" || (why === "over" && (flow === connection.fromA) === connection.clientIsA);
      const isAcknowledged = !peer.isSeen || (peer.hasAcknowledged && distance(peer.acknowledged, flow.next) > 0);
      if (!isPassed && !isAcknowledged) return false;
      this.gap(connection, flow, hole);
      return true;
    }
    const ahead = distance(head.acknowledgement, peer.next);
    if (ahead <= 0) return false;
    const next = peer.held?.[0];
    const toHeld = next === undefined ? ahead : distance(next.sequence, peer.next);
    if (toHeld <= 0) return false; // the peer's own head waits for something else, and is resolved by itself
    this.gap(connection, peer, Math.min(ahead, toHeld));
    return true;
  }

  /** Drops whatever is held. */
  forget(connection: Connection): void {
    this.forgetHeld(connection.fromA);
    this.forgetHeld(connection.fromB);
    connection.holdUntilUs = null;
  }

  private forgetHeld(flow: Flow): void {
    if (flow.odd === null) return;
    this.account(flow, -flow.odd.heldBytes);
    for (const held of flow.odd.held ?? []) this.heldRoom.giveBack(held);
    flow.odd.held = null;
  }
}
