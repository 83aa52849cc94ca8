import { Effect } from "./commands.ts";

/**
 * What both directions of a connection must know of each other: modes that change how the next bytes are to be read.
 * The request side notes what it asked for in the request's replyKind; the response side changes the modes when, and
 * only when, the server agrees.
 */
export class Modes {
  /** Channels, patterns and shard channels this client listens to: above 0, RESP2 arrays may be messages. */
  channels = 0;
  patterns = 0;
  shardChannels = 0;
  isMonitor = false;
  /** HELLO 3 was agreed to: what nobody asked for has a type of its own. */
  isResp3 = false;
  /** The server sends a dump or a command stream (after PSYNC or SYNC), and nothing is a reply any more. */
  isReplication = false;

  /**
   * It may be a replica's connection, without that being known: PSYNC or SYNC was seen to be sent, or requests may have been missed, since
   * it began before the capture or bytes are lost. Only such a connection is shown by an acknowledgement to be one.
   */
  mayBeReplica = false;

  /** A reply came that no request was known to wait for: after a loss, CLIENT REPLY may not be OFF any more. */
  hasUnasked = false;

  /** The server has refused to obey CLIENT REPLY OFF or SKIP: an error came that nothing else can have asked for. */
  isQuietRefused = false;
  /** The server has executed none of a transaction's commands that change what is answered. */
  isExecRefused = false;
  /** Which MULTI, counted from 1, the server refused last. */
  refusedMulti = 0;

  /** What `channels`, `patterns` and `shardChannels` will be once a transaction that changes them is executed. */
  queued: readonly [number, number, number] | null = null;

  /** A transaction has been executed (EXEC). */
  execute(): void {
    if (this.queued === null) return;
    [this.channels, this.patterns, this.shardChannels] = this.queued;
    this.queued = null;
  }

  get isSubscriber(): boolean {
    return this.channels + this.patterns + this.shardChannels > 0;
  }

  /** Nothing but subscriptions and PING is obeyed. */
  get isRestricted(): boolean {
    return this.isSubscriber && !this.isResp3;
  }

  /** A message may be something else than a reply. */
  get isSpecial(): boolean {
    return this.isMonitor || this.isReplication || this.isSubscriber;
  }

  /** As `Session.standing`. */
  get standing(): number {
    if (this.isSpecial || this.queued !== null) return -1;
    return (this.isResp3 ? 1 : 0) + (this.mayBeReplica ? 2 : 0);
  }

  /** Of modes that are no others than these. */
  resume(standing: number): void {
    this.isResp3 = (standing & 1) !== 0;
    this.mayBeReplica = (standing & 2) !== 0;
    this.hasUnasked = false;
    this.isQuietRefused = false;
    this.isExecRefused = false;
    this.refusedMulti = 0;
  }

  /** Nothing is listened to any more. */
  leave(): void {
    this.channels = 0;
    this.patterns = 0;
    this.shardChannels = 0;
  }

  reset(): void {
    this.leave();
    this.isMonitor = false;
    this.isResp3 = false;
    this.queued = null;
  }
}

/** What a pending request expects: a replyKind is one of these, plus a count times COUNT_STEP. */
export const Reply = {
  one: 0,
  /** As many confirmations as the count says. */
  subscribe: 1,
  /** A confirmation for each channel or pattern listened to; one when there is none. */
  unsubscribeAll: 2,
  unsubscribeAllPatterns: 3,
  unsubscribeAllShards: 4,
  monitor: 5,
  reset: 6,
  psync: 7,
  sync: 8,
  hello: 9,
  /** An array of more or fewer values than it announces: the count, less EXEC_SURPLUS, says by how many. */
  exec: 10,
  /** As many replies as the count says. */
  several: 11,
  /** As `one`; the count says which MULTI it is, should it be refused. */
  multi: 12,
  /** `+QUEUED`; where MULTI was refused, what the count, itself a replyKind, says. */
  queued: 13,
} as const;
export const COUNT_STEP = 16;
/** More than these are not told apart. */
export const MAX_COUNT = 1 << 26;
export const EXEC_SURPLUS = 1 << 20;

/** Whether a request of this replyKind is answered by confirmations of subscriptions. */
export function isConfirmationDue(replyKind: number): boolean {
  const kind = replyKind % COUNT_STEP;
  return kind >= Reply.subscribe && kind <= Reply.unsubscribeAllShards;
}

/** The replyKind of a request. */
export function replyKindOf(effect: number, command: string, argumentCount: number): number {
  const operands = argumentCount - 1;
  switch (effect) {
    case Effect.subscribe:
      return confirmations(Math.max(operands, 1));
    case Effect.unsubscribe:
      if (operands > 0) return confirmations(operands);
      if (command === "PUNSUBSCRIBE") return Reply.unsubscribeAllPatterns;
      return command === "SUNSUBSCRIBE" ? Reply.unsubscribeAllShards : Reply.unsubscribeAll;
    case Effect.monitor:
      return Reply.monitor;
    case Effect.reset:
      return Reply.reset;
    case Effect.hello:
      return Reply.hello;
    case Effect.psync:
      return Reply.psync;
    case Effect.sync:
      return Reply.sync;
    default:
      return Reply.one;
  }
}

function confirmations(count: number): number {
  return Reply.subscribe + Math.min(count, MAX_COUNT) * COUNT_STEP;
}
