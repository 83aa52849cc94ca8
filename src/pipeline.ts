import { Aggregate, type TransactionOutput } from "./aggregate/aggregate.ts";
import type { Snapshot, StageCounters } from "./aggregate/snapshot.ts";
import type { AggregateState } from "./aggregate/state.ts";
import type { FrameSource } from "./capture/frame-source.ts";
import { localAddresses } from "./capture/local-addresses.ts";
import { endpointText } from "./connection/address.ts";
import type { Connection } from "./connection/connection.ts";
import { ConnectionTable } from "./connection/connection-table.ts";
import { type IncompleteConnections, noteIncomplete } from "./connection/incomplete.ts";
import type { StreamReceiver } from "./connection/receiver.ts";
import type { RoleHints } from "./connection/roles.ts";
import { ConnectionRoom } from "./connection/room.ts";
import { type ServerDirectory, ServerTable } from "./connection/servers.ts";
import { SKIP_REASONS } from "./decode/counters.ts";
import { Decoder } from "./decode/decoder.ts";
import type { Segment } from "./decode/segment.ts";
import { FrameGlance, SharedOut, shareOfSegment } from "./decode/share.ts";
import type { Options } from "./options.ts";
import { PROTOCOLS } from "./protocols/registry.ts";
import { Awake } from "./transactions/awake.ts";
import type { ConversationContext } from "./transactions/context.ts";
import { Conversation } from "./transactions/conversation.ts";
import { DatagramConversations } from "./transactions/datagram-conversation.ts";
import { Here } from "./transactions/here.ts";
import { OpeningRoom } from "./transactions/opening.ts";
import { PendingPool } from "./transactions/pending.ts";
import { TransactionRecord } from "./transactions/record.ts";
import { ProtocolSelector } from "./transactions/selector.ts";
import { Spares } from "./transactions/spares.ts";

/** What makes a pipeline one of several, each with its part of the connections. */
export interface Part {
  /** From 0: of the connections in the frames, this share is ours … */
  readonly index: number;
  /** … of so many; 1: somebody else shares the frames out, and all that come are ours. */
  readonly shares: number;
  /** All of them have it together. */
  readonly room: ConnectionRoom;
  readonly directory: ServerDirectory;
  readonly onOpened: (connection: Connection) => void;
  readonly onEnded: (connection: Connection) => void;
}

/**
 * The stages of one run, connected in the order data flows:
 *
 *     capture → decode → connection → protocols → transactions → aggregate → outputs
 *
 * The only place that sees them all. It owns no clock and no descriptor: whoever reads frames feeds it batches.
 */
export class Pipeline {
  readonly aggregate: Aggregate;
  readonly table: ConnectionTable;
  readonly decoder: Decoder;
  private readonly source: FrameSource;
  private readonly context: ConversationContext;
  private readonly datagramConversations: DatagramConversations;
  private readonly share: number;
  private readonly shares: number;
  private readonly glance: FrameGlance;
  private readonly sharedOut: SharedOut;
  /** Decodes frames that somebody else counts. */
  private readonly aside: Decoder;
  /** How far the last frame's time lay behind the clock when it was taken. */
  private lagUs = 0;
  private readonly batches = { count: 0, framesMax: 0, framesBefore: 0 };
  private readonly ended = { oneSided: 0, unanswered: 0 };
  /** Records that an output refused, by output. */
  private readonly recordsDropped: () => Readonly<Record<string, number>>;
  /** Records that `--filter` withheld. */
  private readonly filtered: () => number;

  constructor(
    options: Options,
    source: FrameSource,
    outputs: readonly TransactionOutput[],
    recordsDropped: () => Readonly<Record<string, number>>,
    observer: TransactionOutput | null = null,
    part: Part | null = null,
    filtered: () => number = () => 0,
  ) {
    this.source = source;
    this.share = part?.index ?? 0;
    this.shares = part?.shares ?? 1;
    this.sharedOut = new SharedOut(this.shares);
    this.recordsDropped = recordsDropped;
    this.filtered = filtered;
    this.aggregate = new Aggregate({ thresholdUs: options.thresholdUs, outputs, observer, seesAll: part === null });
    const selector = new ProtocolSelector(options.protocols, PROTOCOLS);
    const { wantsDatagrams } = selector;
    this.decoder = new Decoder(source.linkType, wantsDatagrams, source.layout);
    this.aside = new Decoder(source.linkType, wantsDatagrams);
    this.glance = new FrameGlance(source.linkType, wantsDatagrams);
    this.table = new ConnectionTable({
      room: part?.room ?? new ConnectionRoom(options.maxConnections),
      idleTimeoutUs: options.idleTimeoutUs,
      attach: (connection) => this.attach(connection),
      hints: roleHints(options, selector),
      localAddresses: source.isLive ? localAddresses() : () => NO_ADDRESSES,
      side: options.side === "auto" ? null : options.side,
      seed: Math.floor(Math.random() * 2 ** 32),
      servers: new ServerTable(part?.directory ?? null),
      counted: this.decoder.counters,
      ...(part !== null && { onOpened: part.onOpened }),
      onEnded: (connection) => {
        noteIncomplete(connection, this.ended);
        part?.onEnded(connection);
      },
    });
    this.table.reassembly.onRoundTrip = (connection, isToServer, us) => {
      // On a path between two hosts each half is a part of the round trip only, and the nearer one to the server counts.
      if (isToServer === (connection.side !== "server")) this.aggregate.roundTrip(connection.server, us);
    };
    const wantsText = outputs.length > 0 || observer !== null;
    const pool = new PendingPool(wantsText, wantsText && options.details);
    this.context = {
      pool,
      sink: this.aggregate,
      record: new TransactionRecord(pool),
      here: new Here(),
      wantsText,
      wantsValues: options.showValues,
      pathDepth: options.httpPathDepth ?? Number.POSITIVE_INFINITY,
      selector,
      servers: this.table.servers,
      awake: new Awake(),
      spares: new Spares(),
      datagramSpares: new Spares(),
      openings: new OpeningRoom(),
      requestTimeoutUs: options.requestTimeoutUs,
      refused: { tls: 0, unknown_protocol: 0, unknown_udp: 0 },
    };
    this.datagramConversations = new DatagramConversations(this.context);
  }

  /**
   * Takes the frames of batch[start, length), at most `limit` of them. Returns the index behind the last one taken.
   */
  consume(batch: Uint8Array, length: number, limit: number, start = 0): number {
    const decoder = this.decoder;
    const table = this.table;
    if (this.shares > 1) return this.consumeShare(batch, length, limit, start);
    let at = start;
    for (let left = Math.min(limit, length) | 0; at < length && left > 0; left--) {
      const isSegment = decoder.decode(batch, at);
      table.advanceClock(decoder.segment);
      if (isSegment) accept(table, decoder.segment);
      at = decoder.next;
    }
    this.aggregate.advance(table.clockUs);
    this.lagUs = Math.max(0, Date.now() * 1000 - decoder.segment.timeUs);
    return at;
  }

  /** The same where others have the other shares: their frames move the clock, and nothing else. */
  private consumeShare(batch: Uint8Array, length: number, limit: number, start: number): number {
    const { decoder, table, glance, sharedOut } = this;
    const { counters } = decoder;
    const mine = this.share;
    let at = start;
    for (let left = limit; at < length && left > 0; left--) {
      const share = glance.shareAt(batch, at);
      if (share >= 0 && sharedOut.ownerOf(share) !== mine) {
        counters.frames++;
        table.advanceClock(glance);
      } else if (share >= 0 || mine === 0) {
        const isSegment = decoder.decode(batch, at);
        table.advanceClock(glance);
        if (isSegment && (share >= 0 || this.isMine(decoder.segment))) accept(table, decoder.segment);
      } else {
        // Whose it is must be seen; the first worker counts it.
        const isSegment = this.aside.decode(batch, at);
        counters.frames++;
        table.advanceClock(glance);
        if (isSegment && this.isMine(this.aside.segment)) accept(table, this.aside.segment);
      }
      at = glance.next;
    }
    return at;
  }

  private isMine(segment: Segment): boolean {
    return this.sharedOut.ownerOf(shareOfSegment(segment)) === this.share;
  }

  /** What was consumed since the last time came in one batch. */
  endBatch(): void {
    const batches = this.batches;
    batches.count++;
    batches.framesMax = Math.max(batches.framesMax, this.frames - batches.framesBefore);
    batches.framesBefore = this.frames;
  }

  /** Frames taken so far. */
  get frames(): number {
    return this.decoder.counters.frames;
  }

  /** The last frame's time, µs since the epoch. */
  get lastFrameUs(): number {
    return (this.shares > 1 ? this.glance : this.decoder.segment).timeUs;
  }

  /** Requests that take up room, being read, pending or timed out: 0 once all connections have ended. */
  get requestsHeld(): number {
    return this.context.pool.used;
  }

  /** The capture is over: every connection ends, every request is accounted for. */
  finish(): void {
    this.table.finish();
    this.aggregate.advance(Number.POSITIVE_INFINITY);
  }

  /** No frame is waiting: runs what is due by `clockUs`. */
  idle(clockUs: number): void {
    this.table.advanceIdle(clockUs);
  }

  /** Transactions are held back, since frames that tell whom they waited for may still come. */
  get isHolding(): boolean {
    return this.aggregate.isHolding;
  }

  /** No such frame will come any more: tells them. */
  tellHeld(): void {
    this.aggregate.advance(Number.POSITIVE_INFINITY);
  }

  snapshot(): Snapshot {
    return this.aggregate.snapshot(this.stageCounters());
  }

  /** Connections that were never whole, those that have ended included. */
  incomplete(): IncompleteConnections {
    const noted = { ...this.ended };
    for (const connection of this.table) noteIncomplete(connection, noted);
    const { refused } = this.table;
    return { ...noted, refused, unanswered: noted.unanswered - refused };
  }

  /** The same, whole and apart, to be merged with others'. */
  state(): { readonly aggregate: AggregateState; readonly stages: StageCounters } {
    return { aggregate: this.aggregate.state(), stages: this.stageCounters() };
  }

  private attach(connection: Connection): StreamReceiver | null {
    const { selector, refused } = this.context;
    if (!selector.wants(connection.serverPort)) {
      refused[connection.isDatagrams ? "unknown_udp" : "unknown_protocol"]++;
      return null;
    }
    if (connection.isDatagrams) return this.datagramConversations.begin(connection);
    return new Conversation(this.context, connection);
  }

  private stageCounters(): StageCounters {
    const { table } = this;
    return {
      capture: this.captureCounters(),
      connections: {
        now: table.open,
        total: { syn: table.openedBySyn, midstream: table.openedMidstream, udp: table.datagrams.opened },
        evicted: table.evicted,
        notAnalysed: {
          ...this.context.refused,
          unknown_roles: table.rolesUnknown,
          sampled: table.sample.connectionsOutside,
        },
      },
      sampling: { ratio: table.sample.ratio, segmentsOutside: table.sample.segmentsOutside },
      tcp: table.servers.all.map((server) => ({
        server: { id: server.id, text: server.text },
        ...tcpCounters(server),
      })),
      serversLimited: table.servers.limited,
      pendingRequests: null,
      recordsDropped: this.recordsDropped(),
      filtered: this.filtered(),
    };
  }

  private captureCounters(): StageCounters["capture"] {
    const { table } = this;
    const source = this.source;
    const { counters } = this.decoder;
    const skipped: Record<string, number> = {};
    for (let reason = 1; reason < SKIP_REASONS.length; reason++)
      skipped[SKIP_REASONS[reason]!] = counters.skipped[reason]!;
    return {
      interface: source.name,
      isUp: source.isUp,
      frames: counters.frames,
      decoded: counters.decoded,
      skipped,
      dropped: source.drops(),
      duplicates: table.duplicates.duplicates,
      truncated: counters.truncated,
      lagUs: source.isLive ? this.lagUs : null,
      clockRegressions: table.clockRegressions,
      batches: source.isLive ? { count: this.batches.count, framesMax: this.batches.framesMax } : null,
    };
  }
}

// Runs for every segment.
function accept(table: ConnectionTable, segment: Segment): void {
  if (segment.isDatagram) table.datagrams.accept(segment);
  else table.accept(segment);
}

function tcpCounters(server: { [K in (typeof TCP_COUNTERS)[number]]: number }): {
  [K in (typeof TCP_COUNTERS)[number]]: number;
} {
  const { retransmittedSegments, outOfOrderSegments, gaps, gapBytes, zeroWindows } = server;
  return { retransmittedSegments, outOfOrderSegments, gaps, gapBytes, zeroWindows };
}
const TCP_COUNTERS = ["retransmittedSegments", "outOfOrderSegments", "gaps", "gapBytes", "zeroWindows"] as const;

const NO_ADDRESSES: ReadonlySet<string> = new Set();

/** Ports that a filter expression speaks of, e.g. 7000 in `tcp dst port 7000`. */
function portsOfFilter(filter: string): number[] {
  return [...filter.matchAll(/\bport\s+(\d{1,5})\b/g)].map((match) => Number(match[1]));
}

function roleHints(options: Options, selector: ProtocolSelector): RoleHints {
  return {
    servers: new Set(options.servers.map((server) => endpointText(server.host, server.port))),
    namedPorts: new Set(selector.ports),
    filterPorts: new Set(portsOfFilter(options.filter)),
    knownPorts: new Set(PROTOCOLS.flatMap(({ ports, datagrams }) => [...ports, ...(datagrams?.ports ?? [])])),
    speaker: (bytes, start, end) => selector.speaker(bytes, start, end),
    datagramSpeaker: (a, b, bytes, start, end) => selector.datagramSpeaker(a, b, bytes, start, end),
  };
}
