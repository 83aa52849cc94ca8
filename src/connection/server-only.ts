import type { EndReason, StreamReceiver } from "./receiver.ts";

/**
 * Stands before the receiver of a connection that leaves the sample and always has a request pending: the client's bytes
 * count as missing, so that what is pending is still answered, and nothing is added to it.
 */
export class ServerOnly implements StreamReceiver {
  readonly #receiver: StreamReceiver;

  constructor(receiver: StreamReceiver) {
    this.#receiver = receiver;
  }

  get hasPending(): boolean {
    return this.#receiver.hasPending;
  }

  // Runs for every segment with payload of such a connection.
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
    if (fromClient) {
      const length = end - start + cut;
      this.#receiver.gap(true, length, (sequence + length) | 0);
    } else this.#receiver.data(false, bytes, start, end, cut, timeUs, sequence, acknowledgement, wasHeld);
  }

  gap(fromClient: boolean, missing: number, next: number): void {
    this.#receiver.gap(fromClient, missing, next);
  }

  retransmitted(fromClient: boolean, sequence: number, length: number): void {
    this.#receiver.retransmitted(fromClient, sequence, length);
  }

  serverFinished(): void {
    this.#receiver.serverFinished();
  }

  ended(reason: EndReason): void {
    this.#receiver.ended(reason);
  }

  expire(clockUs: number): void {
    this.#receiver.expire(clockUs);
  }
}
