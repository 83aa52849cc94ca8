/** Shorter ones are no reason to wait. */
export const LEAST_US = 10;
const CAPACITY = 32;

/** The request that another waited behind, and how long for that one alone. */
export interface Behind {
  readonly connectionId: number;
  readonly requestNumber: number;
  readonly commandId: number;
  readonly us: number;
  /** Where it came on another connection, since the server does one thing at a time: that one's client. Null on its own. */
  readonly client: string | null;
}

interface Service {
  readonly fromUs: number;
  readonly toUs: number;
  readonly requestNumber: number;
  readonly commandId: number;
}

/**
 * Which of the requests before it one waited for most: the services of one connection, each longer than all after it (a monotonic
 * queue). What is shorter than a later one is never the answer again, so that a few are all there are.
 */
export class Ahead {
  private readonly services: Service[] = [];

  /** The server worked on this request from `fromUs` until its response ended, at `toUs`. Told in order. */
  note(fromUs: number, toUs: number, requestNumber: number, commandId: number): void {
    const services = this.services;
    const us = toUs - fromUs;
    for (let last = services.at(-1); last !== undefined && last.toUs - last.fromUs <= us; last = services.at(-1)) {
      services.pop();
    }
    if (services.length === CAPACITY) services.shift();
    services.push({ fromUs, toUs, requestNumber, commandId });
  }

  /** What a request of the same connection, complete at `sinceUs`, waited for most; null where nothing was long. Asked in order. */
  longest(connectionId: number, sinceUs: number): Behind | null {
    const services = this.services;
    while (services.length > 0 && services[0]!.toUs <= sinceUs) services.shift();
    const first = services[0];
    if (first === undefined) return null;
    // Only the first may have begun before: the part of it that was waited for may be less than the next one.
    const second = services[1];
    const firstUs = first.toUs - Math.max(first.fromUs, sinceUs);
    const isFirst = second === undefined || firstUs >= second.toUs - second.fromUs;
    const { requestNumber, commandId, fromUs, toUs } = isFirst ? first : second;
    const us = isFirst ? firstUs : toUs - fromUs;
    return us < LEAST_US ? null : { connectionId, requestNumber, commandId, us, client: null };
  }
}
