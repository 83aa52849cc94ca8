import type { Protocol, TransactionClass } from "../protocols/protocol.ts";
import { CLASS_NAMES, OTHER } from "../protocols/protocol.ts";
import { CAUSES } from "../transactions/shares.ts";
import type { ServerRef, ServiceSink, Side } from "../transactions/transaction.ts";
import { UNANSWERED_REASONS, UNMATCHED_REASONS } from "../transactions/transaction.ts";
import { BucketMoves, Histogram } from "./histogram.ts";

/** Commands told apart over all servers; beyond it a server's further commands share its "other". */
export const COMMAND_CAPACITY = 2000;

/** The answered transactions of one command and class. */
export class Series {
  ok = 0;
  errors = 0;
  readonly latency = new Histogram();
}

/** One command of a service. */
export class CommandSeries {
  readonly commandId: number;
  requests = 0;
  /** By class; null where none was answered yet. */
  readonly classes: (Series | null)[] = CLASS_NAMES.map(() => null);

  constructor(commandId: number) {
    this.commandId = commandId;
  }

  of(transactionClass: TransactionClass): Series {
    const series = this.classes[transactionClass];
    if (series) return series;
    const made = new Series();
    this.classes[transactionClass] = made;
    return made;
  }
}

/**
 * What one server does in one protocol. Its requests, those answered, and how long they waited for a first byte are sums over its
 * commands, made when somebody asks (take-snapshot.ts).
 */
export class Service {
  readonly protocol: Protocol;
  noReply = 0;
  /** Requests in flight. */
  pending = 0;
  /** Slow requests by cause, and the time of all answered ones of class normal by share, in µs: both by index of CAUSES. */
  readonly slow = new Float64Array(CAUSES.length);
  readonly lostUs = new Float64Array(CAUSES.length);
  /** Of these, those of which the way to the server was not known, so that nobody knows the server's share. */
  ofUnknownWay = 0;
  requestBytes = 0;
  /** Of responses with a request; those of pushes and unmatched responses are counted apart. */
  responseBytes = 0;
  pushes = 0;
  pushBytes = 0;
  unmatchedBytes = 0;
  hits = 0;
  misses = 0;
  /** From latencies of class normal to waits (last request byte to first response byte): mostly the same, a response in one piece. */
  readonly toWaits = new BucketMoves();
  /** By the index of UNANSWERED_REASONS (twice), of UNMATCHED_REASONS, and by error id. */
  readonly unanswered = new Float64Array(UNANSWERED_REASONS.length);
  readonly unfinished = new Float64Array(UNANSWERED_REASONS.length);
  readonly unmatched = new Float64Array(UNMATCHED_REASONS.length);
  readonly errors: Float64Array;
  /** Who counts for it: one for all of its connections. */
  tally: ServiceSink | null = null;
  /** Those made, in the order first seen. */
  readonly commands: CommandSeries[] = [];
  private readonly byCommandId: (CommandSeries | null)[];
  private readonly table: SeriesTable;

  constructor(protocol: Protocol, table: SeriesTable) {
    this.protocol = protocol;
    this.table = table;
    this.errors = new Float64Array(protocol.errors.length);
    this.byCommandId = protocol.commands.map(() => null);
  }

  // Runs for every segment.
  command(commandId: number): CommandSeries {
    return this.byCommandId[commandId] ?? this.addCommand(commandId);
  }

  private addCommand(commandId: number): CommandSeries {
    if (commandId !== OTHER && !this.table.admitsCommand()) {
      const other = this.command(OTHER);
      this.byCommandId[commandId] = other;
      return other;
    }
    const made = new CommandSeries(commandId);
    this.byCommandId[commandId] = made;
    this.commands.push(made);
    return made;
  }
}

/** One server, with what it does in each protocol seen on it. */
export class ServerSeries {
  readonly server: ServerRef;
  /** As the last transaction told it; null before the first. */
  side: Side | null = null;
  readonly services: Service[] = [];
  /** Round trips between the capture and the other end, and how long its clients took to connect. */
  readonly roundTrip = new Histogram();
  readonly connect = new Histogram();

  constructor(server: ServerRef) {
    this.server = server;
  }
}

/** All series of a run, found by small integers. The number of servers is limited where their ids are given out. */
export class SeriesTable {
  /** By server id; null where a server has no transaction yet. */
  readonly servers: (ServerSeries | null)[] = [];
  /** Commands that were denied a series of their own. */
  commandsLimited = 0;
  private commandCount = 0;

  // Runs for every segment.
  server(server: ServerRef): ServerSeries {
    return this.servers[server.id] ?? this.addServer(server);
  }

  // Runs for every segment.
  service(server: ServerRef, protocol: Protocol): Service {
    const services = this.server(server).services;
    for (let i = 0; i < services.length; i++) {
      const service = services[i]!;
      if (service.protocol === protocol) return service;
    }
    const made = new Service(protocol, this);
    services.push(made);
    return made;
  }

  /** Takes one of the run's command series, or counts that there is none left. */
  admitsCommand(): boolean {
    if (this.commandCount >= COMMAND_CAPACITY) {
      this.commandsLimited++;
      return false;
    }
    this.commandCount++;
    return true;
  }

  private addServer(server: ServerRef): ServerSeries {
    while (this.servers.length <= server.id) this.servers.push(null);
    const made = new ServerSeries(server);
    this.servers[server.id] = made;
    return made;
  }
}
