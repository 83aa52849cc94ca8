import type { Exchange } from "../protocol.ts";
import type { Modes } from "./modes.ts";
import type { Audience } from "./transaction.ts";

/**
 * What a client will listen to, in which protocol, and whether it will monitor, once the server has obeyed all that it was sent: in a pipeline the answer to
 * SUBSCRIBE, HELLO or RESET comes after requests that depend on it have been read. It is taken for granted that they succeed.
 */
export class Foreseen {
  private readonly exchange: Exchange;
  private readonly modes: Modes;
  /** Channels, patterns and shard channels. */
  private readonly listens: [number, number, number] = [0, 0, 0];
  private isResp3 = false;
  private isMonitor = false;
  /** Requests that were to be answered, from the last on that changes this; 0: there is none. */
  private requests = 0;
  /** The request being read changes this. */
  private isChanged = false;

  constructor(exchange: Exchange, modes: Modes) {
    this.exchange = exchange;
    this.modes = modes;
  }

  /** Such a request waits for its answer. */
  get isDue(): boolean {
    return this.requests > 0 && this.exchange.pendingCount >= this.requests;
  }

  /** `told` wants to be called for each request: true for one longer than `isDue`. */
  get isCounting(): boolean {
    return this.requests > 0;
  }

  /** As Modes.isRestricted, for the request being read. */
  get isRestricted(): boolean {
    if (!this.isDue) return this.modes.isRestricted;
    return this.listens[0] + this.listens[1] + this.listens[2] > 0 && !this.isResp3;
  }

  /** Whether MONITOR has been obeyed where the request being read is. */
  get isMonitoring(): boolean {
    return this.isDue ? this.isMonitor : this.modes.isMonitor;
  }

  /** Channels, patterns and shard channels, for the request being read. */
  get audiences(): readonly [number, number, number] {
    const { channels, patterns, shardChannels } = this.modes;
    return this.isDue ? this.listens : [channels, patterns, shardChannels];
  }

  subscribe(audience: Audience, count: number): void {
    this.begin();
    this.listens[audience] += count;
  }

  /** `count` 0: from all. */
  unsubscribe(audience: Audience, count: number): void {
    this.begin();
    this.listens[audience] = count === 0 ? 0 : Math.max(0, this.listens[audience] - count);
  }

  listenTo(listens: readonly [number, number, number]): void {
    this.begin();
    [this.listens[0], this.listens[1], this.listens[2]] = listens;
  }

  speak(isResp3: boolean): void {
    this.begin();
    this.isResp3 = isResp3;
  }

  monitor(): void {
    this.begin();
    this.isMonitor = true;
  }

  reset(): void {
    this.listenTo([0, 0, 0]);
    this.isResp3 = false;
    this.isMonitor = false;
  }

  /** The request that was read is told: whether a reply to it is due. */
  told(hasReply: boolean): void {
    if (this.isChanged) this.requests = hasReply ? 1 : 0;
    else if (!this.isDue) this.requests = 0;
    else if (hasReply) this.requests++;
    this.isChanged = false;
  }

  /** Nobody knows what was asked for. */
  forget(): void {
    this.requests = 0;
    this.isChanged = false;
  }

  private begin(): void {
    if (!this.isDue) {
      const { channels, patterns, shardChannels } = this.modes;
      this.listens[0] = channels;
      this.listens[1] = patterns;
      this.listens[2] = shardChannels;
      this.isResp3 = this.modes.isResp3;
      this.isMonitor = this.modes.isMonitor;
    }
    this.isChanged = true;
  }
}
