import { Effect } from "./commands.ts";

/** What CLIENT was asked for: REPLY and which. */
export const Quiet = { no: 0, reply: 1, off: 2, skip: 3, on: 4 } as const;
export type Quiet = (typeof Quiet)[keyof typeof Quiet];

/** Which count of Modes a subscription belongs to. */
export const Audience = { channels: 0, patterns: 1, shards: 2 } as const;
export type Audience = (typeof Audience)[keyof typeof Audience];

/** What a command that changes subscriptions changes. */
export function audienceOf(command: string): Audience {
  if (command.startsWith("P")) return Audience.patterns;
  return command.startsWith("SS") || (command.startsWith("SU") && command !== "SUBSCRIBE")
    ? Audience.shards
    : Audience.channels;
}

/** Whether the request, between MULTI and its end, is that end. With arguments all are errors, but EXEC discards all the same. */
export function endsMulti(effect: number, isExec: boolean, argumentCount: number): boolean {
  if (argumentCount === 1) return effect === Effect.multiEnd || effect === Effect.reset;
  return effect === Effect.multiEnd && isExec;
}

/** Whether the request, between MULTI and its end, is not even queued: its error is one of EXEC's, too. */
export function isRefusedInMulti(effect: number, argumentCount: number): boolean {
  if (effect === Effect.subscribe) return argumentCount === 1;
  if (effect === Effect.sync || effect === Effect.psync) return true;
  return argumentCount > 1 && (effect === Effect.multi || effect === Effect.multiEnd || effect === Effect.reset);
}

/**
 * What the commands between MULTI and EXEC will do to EXEC's reply and to the connection once they are executed (tried on 7.0.15).
 * The array that EXEC is answered by announces an element for each of them, but
 *
 * - SUBSCRIBE and its like write a confirmation for each channel, and do so even with CLIENT REPLY OFF; but SSUBSCRIBE is refused
 *   there, with one error;
 * - REPLCONF ACK and GETACK write nothing;
 * - CLIENT REPLY OFF and SKIP write nothing, and behind OFF nothing is written until ON; SKIP takes the reply from what follows EXEC.
 */
export class QueuedEffects {
  /** Values that will come, less those announced. */
  surplus = 0;
  /** Whether CLIENT REPLY is off where the next is executed. */
  isOff = false;
  hasSkip = false;
  /** Channels, patterns and shard channels listened to, afterwards; and whether any of the commands changes that. */
  readonly listens: [number, number, number] = [0, 0, 0];
  hasSubscription = false;
  /** A command was wrong, and not queued: EXEC executes none. */
  isRefused = false;
  private commands = 0;

  /** MULTI: with CLIENT REPLY as it is, and these channels listened to. */
  begin(isOff: boolean, listens: readonly [number, number, number]): void {
    this.surplus = 0;
    this.isOff = isOff;
    this.hasSkip = false;
    [this.listens[0], this.listens[1], this.listens[2]] = listens;
    this.hasSubscription = false;
    this.isRefused = false;
    this.commands = 0;
  }

  /** Values that EXEC's reply consists of. */
  get values(): number {
    return this.commands + this.surplus;
  }

  /** A command is queued, with so many arguments behind its name; `isUnanswered`: it writes nothing in any case. */
  add(effect: number, quiet: Quiet, audience: Audience, operands: number, isUnanswered: boolean): void {
    this.commands++;
    if (effect === Effect.subscribe && audience !== Audience.shards) {
      this.confirm(operands);
      this.listens[audience] += operands;
    } else if (effect === Effect.unsubscribe) {
      const channels = operands > 0 ? operands : Math.max(1, this.listens[audience]);
      this.confirm(channels);
      this.listens[audience] = Math.max(0, this.listens[audience] - channels);
    } else {
      if (quiet === Quiet.off) this.isOff = true;
      else if (quiet === Quiet.on) this.isOff = false;
      if (quiet === Quiet.skip) this.hasSkip ||= !this.isOff;
      if (this.isOff || isUnanswered || quiet === Quiet.skip) this.surplus--;
    }
  }

  refuse(): void {
    this.isRefused = true;
  }

  private confirm(channels: number): void {
    this.hasSubscription = true;
    this.surplus += channels - 1;
  }
}
