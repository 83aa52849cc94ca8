import type { EndReason, Piece, Resent, StreamReceiver } from "./receiver.ts";

/**
 * Stands before the receiver of a connection that leaves the sample and always has a request pending: the client's bytes
 * count as missing, so that what is pending is still answered, and nothing is added to it.
 */
export class ServerOnly implements StreamReceiver {
  private readonly receiver: StreamReceiver;

  constructor(receiver: StreamReceiver) {
    this.receiver = receiver;
  }

  get hasPending(): boolean {
    return this.receiver.hasPending;
  }

  // Runs for every segment with payload of such a connection.
  data(piece: Piece): void {
    if (piece.fromClient) {
      const length = piece.end - piece.start + piece.cut;
      this.receiver.gap(true, length, (piece.sequence + length) | 0);
    } else this.receiver.data(piece);
  }

  gap(fromClient: boolean, missing: number, next: number): void {
    this.receiver.gap(fromClient, missing, next);
  }

  sentForNothing(fromClient: boolean, sequence: number, isAnswerLost: boolean): void {
    this.receiver.sentForNothing(fromClient, sequence, isAnswerLost);
  }

  retransmitted(resent: Resent): void {
    this.receiver.retransmitted(resent);
  }

  serverFinished(): void {
    this.receiver.serverFinished();
  }

  ended(reason: EndReason): void {
    this.receiver.ended(reason);
  }

  expire(clockUs: number, stampUs: number): void {
    this.receiver.expire(clockUs, stampUs);
  }
}
