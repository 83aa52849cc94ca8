import { type Segment, TcpFlag } from "../decode/segment.ts";
import type { Connection } from "./connection.ts";
import { Datagrams } from "./datagrams.ts";
import { DuplicateFilter } from "./duplicates.ts";
import type { Flow } from "./flow.ts";
import { isPlausible, isSameHandshake, isUnanswered, noteReset, takeSyn } from "./handshake.ts";
import { HeldQueue } from "./held-queue.ts";
import { Lingering } from "./lingering.ts";
import { Moment, nextSweepUs } from "./moment.ts";
import { isNumberedNext, isNumberSeen } from "./numbering.ts";
import { Reassembly } from "./reassembly.ts";
import type { EndReason } from "./receiver.ts";
import { guessClientIsA, sideOf } from "./roles.ts";
import { Sample } from "./sample.ts";
import { advance } from "./sequence.ts";
import { ServerTable } from "./servers.ts";
import { SetBack } from "./set-back.ts";
import { ConnectionSlots, isFromA } from "./slots.ts";
import type { TableOptions } from "./table-options.ts";

/** The order from the longest idle connection on is right to within this. */
const TOUCH_US = 100_000;
/** Payload segments without a telling one, after which a connection's roles are given up. */
const MAX_ROLE_ATTEMPTS = 16;
/** Segments with one of these open and end connections. */
const CONTROL = TcpFlag.syn | TcpFlag.rst;

/** All connections: finds a segment's, makes and ends them, and runs their time-outs on the capture's own clock. */
export class ConnectionTable {
  readonly servers: ServerTable;
  readonly moment: Moment;
  readonly duplicates = new DuplicateFilter();
  readonly reassembly = new Reassembly();
  readonly sample = new Sample();
  /** The largest time stamp seen, µs since the epoch, below 0 before any; it goes on where the clock was set back. */
  clockUs = -0.5;
  private readonly setBack = new SetBack();
  clockRegressions = 0;
  /** Connections open now. */
  open = 0;
  openedBySyn = 0;
  openedMidstream = 0;
  /** Opened by a SYN that a reset answered. */
  refused = 0;
  /** Takes what is no TCP. */
  readonly datagrams: Datagrams;
  private evictedStreams = 0;
  /** Connections given up on because nothing told client from server. */
  rolesUnknown = 0;
  private readonly slots: ConnectionSlots;
  private readonly options: TableOptions;
  private lastId = 0;
  private readonly lingering = new Lingering();
  /** What is held is looked at when its time has come. */
  private readonly held = new HeldQueue();
  private nextTimerUs = Number.POSITIVE_INFINITY;
  private nextSweepUs = 0.5;

  constructor(options: TableOptions) {
    this.options = options;
    this.servers = options.servers ?? new ServerTable();
    this.moment = new Moment(options.counted ?? { frames: 0 });
    this.slots = new ConnectionSlots(options.seed, options.room);
    const table = this;
    this.datagrams = new Datagrams({
      slots: this.slots,
      duplicates: this.duplicates,
      sample: this.sample,
      servers: this.servers,
      options,
      get clockUs() {
        return table.clockUs;
      },
      add: (segment, hash, isDatagrams) => this.add(segment, hash, isDatagrams),
      touch: (connection) => this.touch(connection),
      drop: (connection, reason) => this.drop(connection, reason),
    });
    this.reassembly.onScheduled = (connection, untilUs) => {
      this.held.push(connection, untilUs);
      if (untilUs < this.nextTimerUs) this.nextTimerUs = untilUs;
    };
  }

  get evicted(): number {
    return this.evictedStreams + this.datagrams.evicted;
  }

  /** Takes one frame's time: every frame's, decoded or not. (A double that is passed on by itself is allocated, 8 ns a frame.) */
  // Runs for every segment.
  advanceClock(frame: { readonly timeUs: number }): void {
    const { timeUs } = frame;
    if (timeUs >= this.clockUs) {
      this.clockUs = timeUs;
      if (timeUs >= this.nextTimerUs) this.runTimers(timeUs);
    } else {
      this.clockRegressions++;
      this.passBehind(timeUs);
    }
  }

  /** Takes one segment. */
  // Runs for every segment.
  accept(segment: Segment): void {
    const slots = this.slots;
    const hash = slots.hashOf(segment);
    const found = slots.find(segment, hash);
    if (found === null || !found.isFollowed || (segment.flags & CONTROL) !== 0) {
      this.acceptOther(found, segment, hash);
      return;
    }
    const fromA = slots.foundFromA;
    const flow = fromA ? found.fromA : found.fromB;
    if (!isNumberedNext(flow, segment) && this.isCopy(found, flow, segment)) return;
    this.acceptFollowed(found, fromA, segment);
  }

  /** A segment of a connection that is followed, and no copy. */
  // Runs for every segment.
  private acceptFollowed(connection: Connection, fromA: boolean, segment: Segment): void {
    this.touch(connection);
    if (connection.path.isConnecting && fromA === connection.clientIsA) connection.path.connected(segment);
    if (segment.payloadLength > 0 && connection.receiver === null && !this.prepare(connection, segment, fromA)) return;
    const flow = fromA ? connection.fromA : connection.fromB;
    const peer = fromA ? connection.fromB : connection.fromA;
    this.reassembly.accept(connection, flow, peer, segment);
    if (flow.isFinished && peer.isFinished) this.end(connection, "closed");
    else if (connection.isLeaving) this.leave(connection);
  }

  /** A segment that opens or ends a connection, or of one that nobody follows: its numbers are not followed. */
  private acceptOther(found: Connection | null, segment: Segment, hash: number): void {
    if (found?.isEnded && segment.payloadLength > 1 && !isPlausible(found, segment)) {
      this.replace(found); // Another one, whose SYN was not seen.
      found = null;
    }
    const fromA = found === null || this.slots.foundFromA;
    const isControl = (segment.flags & CONTROL) !== 0;
    const flow = found === null || isControl ? null : fromA ? found.fromA : found.fromB;
    if (flow === null ? this.duplicates.isDuplicate(segment) : this.isCopy(found!, flow, segment)) return;
    if (isControl) {
      this.acceptControl(found, segment, hash);
      return;
    }
    const connection = found ?? this.openMidstream(segment, hash);
    if (connection === null || connection.isEnded) return;
    if (connection.isIgnored) this.acceptIgnored(connection, fromA, segment);
    else this.acceptFollowed(connection, fromA, segment);
  }

  /** Whether this packet was seen a moment ago; remembers it otherwise. */
  private isCopy(connection: Connection, flow: Flow, segment: Segment): boolean {
    if (!isNumberSeen(connection, flow, segment)) return this.duplicates.isDuplicate(segment);
    this.duplicates.duplicates++;
    return true;
  }

  /** Analyses this share of the connections from now on, (0..1]. The others leave, each once nothing is pending on it. */
  sampleOnly(ratio: number): void {
    const { sample } = this;
    sample.set(ratio, this.clockUs);
    for (const connection of this) {
      if (!sample.holds(connection.hash)) this.leave(connection);
      else if (connection.isOutside) this.forget(connection);
      else sample.keep(connection);
    }
  }

  /** It goes where nothing is pending on it. */
  private leave(connection: Connection): void {
    if (connection.isIgnored || !this.sample.release(connection, this.clockUs)) return;
    this.reassembly.forget(connection);
    // While it was leaving, the sample may have grown over it.
    if (this.sample.holds(connection.hash)) this.forget(connection);
    else this.sample.exclude(connection);
  }

  /** It is in the sample again, and nothing is known of its streams: the next payload opens it, midstream. */
  private forget(connection: Connection): void {
    connection.isEnded = true;
    this.open--;
    this.options.onEnded?.(connection);
    this.slots.remove(connection);
  }

  /**
   * Runs what is due by `clockUs`, where no frame has come to do so (an idle interface). Never moves backwards; where the host's clock was
   * set back, time passes with it all the same.
   */
  advanceIdle(clockUs: number): void {
    if (clockUs > this.clockUs) this.advanceClock({ timeUs: clockUs });
    else this.passBehind(clockUs);
  }

  /** Far behind the clock, which was set back. `stampUs`: what a frame is, or would be, stamped with. */
  private passBehind(stampUs: number): void {
    this.clockUs += this.setBack.passed(stampUs, this.clockUs);
    if (this.clockUs >= this.nextTimerUs) this.runTimers(stampUs);
  }

  /** The capture is over: delivers what can be, and ends every connection. */
  finish(): void {
    this.moment.end();
    for (const connection of [...this.slots]) {
      this.moment.enterSweep(connection.orderedFrame);
      if (!connection.isEnded) this.end(connection, "end");
    }
  }

  *[Symbol.iterator](): Generator<Connection> {
    for (const connection of this.slots) if (!connection.isEnded) yield connection;
  }

  /** Notes that the connection is alive. Its place among the others is moved at most once in TOUCH_US: 10 ns a segment. */
  // Runs for every segment.
  private touch(connection: Connection): void {
    connection.lastUs = this.clockUs;
    const nowLow = this.clockUs | 0;
    if ((nowLow - connection.orderedLow) >>> 0 < TOUCH_US) return;
    connection.orderedLow = nowLow;
    connection.orderedFrame = this.moment.frame;
    this.slots.touch(connection);
  }

  /** SYN and RST: the segments that open and end connections. */
  private acceptControl(found: Connection | null, segment: Segment, hash: number): void {
    if ((segment.flags & TcpFlag.rst) !== 0) {
      if (found === null || found.isEnded || !isPlausible(found, segment)) return;
      if (isUnanswered(found)) this.refused++;
      noteReset(found, segment);
      this.end(found, "reset");
      return;
    }
    const isAnswer = (segment.flags & TcpFlag.ack) !== 0;
    let connection = found;
    if (connection !== null && !isSameHandshake(connection, segment, isAnswer, this.clockUs)) {
      this.replace(connection);
      connection = null;
    }
    if (connection?.isEnded) return;
    if (connection === null) {
      connection = this.add(segment, hash);
      this.openedBySyn++;
    }
    this.touch(connection);
    this.shakeHands(connection, segment, isAnswer);
  }

  /** RFC 9293 §3.5: the SYN takes one sequence number; who sends it without an ACK is the client. */
  private shakeHands(connection: Connection, segment: Segment, isAnswer: boolean): void {
    const fromA = isFromA(connection, segment);
    const flow = fromA ? connection.fromA : connection.fromB;
    const peer = fromA ? connection.fromB : connection.fromA;
    if (isAnswer) connection.path.synAck(segment.timeLow);
    else connection.path.syn(segment.timeLow);
    if (flow.hasSyn) {
      this.servers.known(connection.serverText).retransmittedSegments++;
      return;
    }
    takeSyn(connection, segment, fromA, isAnswer);
    // Data on a SYN (TCP Fast Open, RFC 7413): should the server not take it, it is sent again, and known by then.
    if (segment.payloadLength > 0 && !isAnswer) {
      segment.sequence = advance(segment.sequence, 1);
      if (connection.isIgnored) return;
      if (connection.receiver !== null || this.prepare(connection, segment, fromA))
        this.reassembly.accept(connection, flow, peer, segment);
    }
  }

  /** A connection whose handshake was not seen begins with its first payload; bare ACKs of one that is gone do not count. */
  private openMidstream(segment: Segment, hash: number): Connection | null {
    // A keep-alive probe carries at most one byte.
    if (segment.payloadLength <= 1) return null;
    this.openedMidstream++;
    return this.add(segment, hash);
  }

  /** Before the first payload is delivered: roles, side, receiver. False when the payload is of no use. */
  private prepare(connection: Connection, segment: Segment, fromA: boolean): boolean {
    if (connection.clientIsA === null) {
      connection.clientIsA = guessClientIsA(connection, this.options.hints, this.servers, fromA, segment);
      if (connection.clientIsA === null) {
        if (++connection.roleAttempts >= MAX_ROLE_ATTEMPTS) {
          connection.isIgnored = true;
          this.rolesUnknown++;
        }
        return false;
      }
    }
    connection.side = this.options.side ?? sideOf(connection, this.options.localAddresses);
    connection.receiver = this.options.attach(connection);
    connection.isIgnored = connection.receiver === null;
    return !connection.isIgnored;
  }

  private add(s: Segment, hash: number, isDatagrams = false): Connection {
    if (this.slots.isFull) this.makeRoom();
    const connection = this.slots.spares.take(++this.lastId, s, this.servers.other, isDatagrams);
    connection.lastUs = this.clockUs;
    connection.orderedLow = this.clockUs | 0;
    connection.orderedFrame = this.moment.frame;
    this.slots.add(connection, hash);
    this.options.onOpened?.(connection);
    if (!this.sample.holds(hash)) this.sample.exclude(connection);
    this.open++;
    if (this.nextTimerUs === Number.POSITIVE_INFINITY) this.nextTimerUs = this.nextSweepUs = nextSweepUs(this.clockUs);
    return connection;
  }

  /** Takes the place of a connection that has ended, or of the one idle for longest. */
  private makeRoom(): void {
    const ended = this.lingering.takeFirst();
    if (ended !== undefined) {
      this.slots.remove(ended);
      return;
    }
    const oldest = this.slots.oldest();
    if (oldest === null) return;
    this.evictedStreams++;
    this.drop(oldest, "evicted");
  }

  private drop(connection: Connection, reason: EndReason): void {
    this.finishConnection(connection, reason);
    this.slots.remove(connection);
  }

  /** A new connection has the same addresses and ports. */
  private replace(connection: Connection): void {
    if (connection.isEnded) this.lingering.replaced(connection);
    else this.finishConnection(connection, "closed");
    this.slots.remove(connection);
  }

  /** Ends a connection, which lingers in the table. */
  private end(connection: Connection, reason: EndReason): void {
    this.finishConnection(connection, reason);
    connection.lastUs = this.clockUs;
    this.lingering.add(connection);
  }

  /** Ends a connection; what is held is delivered first, its holes declared. */
  private finishConnection(connection: Connection, reason: EndReason): void {
    if (connection.receiver !== null) {
      if (connection.holdUntilUs !== null) {
        this.reassembly.resolve(connection, this.clockUs, "over");
      }
      // What ends it may carry no payload, or be no segment at all: what is pending has waited until now.
      connection.lastUs = this.clockUs;
      connection.receiver.ended(reason);
    }
    this.reassembly.forget(connection);
    connection.receiver = null;
    connection.forgetPath();
    connection.isEnded = true;
    this.open--;
    this.options.onEnded?.(connection);
  }

  private acceptIgnored(connection: Connection, fromA: boolean, segment: Segment): void {
    this.touch(connection);
    if (connection.isOutside) this.sample.segmentsOutside++;
    if ((segment.flags & TcpFlag.fin) === 0) return;
    (fromA ? connection.fromA : connection.fromB).isFinished = true;
    if (connection.fromA.isFinished && connection.fromB.isFinished) this.end(connection, "closed");
  }

  /** `stampUs`: what frames are stamped with now, far behind the clock where it was set back. */
  private runTimers(stampUs: number): void {
    const clockUs = this.clockUs;
    for (const connection of this.held.takeDue(clockUs)) {
      this.moment.enterHeld(connection.orderedFrame);
      this.reassembly.resolve(connection, clockUs, "due");
    }
    this.nextTimerUs = this.held.nextUs;
    if (clockUs >= this.nextSweepUs) this.sweep(clockUs, stampUs);
    this.moment.enterTurn();
    if (this.slots.size > 0) this.nextTimerUs = Math.min(this.nextTimerUs, this.nextSweepUs);
  }

  /** Once a second: forgets ended and idle connections, and lets the others report requests that took too long. */
  private sweep(clockUs: number, stampUs: number): void {
    this.nextSweepUs = nextSweepUs(clockUs);
    for (let due = this.lingering.takeDue(clockUs); due !== undefined; due = this.lingering.takeDue(clockUs))
      this.slots.remove(due);
    for (const connection of this.slots) {
      if (connection.isEnded) continue;
      this.moment.enterSweep(connection.orderedFrame);
      const receiver = connection.receiver;
      if (receiver !== null) receiver.expire(clockUs, stampUs);
      if (connection.isLeaving) {
        this.leave(connection);
        continue;
      }
      const idleUs = connection.isDatagrams ? this.datagrams.idleUs : this.options.idleTimeoutUs;
      if (connection.lastUs + idleUs > clockUs || receiver?.hasPending) continue;
      // Not remembered: should it speak again, it is taken up again at once.
      this.drop(connection, "idle");
    }
  }
}
