import type { Segment } from "../decode/segment.ts";
import { TcpFlag } from "../decode/segment.ts";
import type { Flow, HeldSegment, Oddity } from "./flow.ts";
import { advance, distance } from "./sequence.ts";

/** The bytes of a segment that came too early, copied: without those that were delivered, or are held already. */
export function piecesOf(flow: Flow, segment: Segment, order: number, clockUs: number): HeldSegment[] {
  const held = flow.held ?? [];
  const end = segment.payloadLength;
  const isFin = (segment.flags & TcpFlag.fin) !== 0;
  const pieces: HeldSegment[] = [];
  let from = Math.max(0, -distance(segment.sequence, flow.next));
  const take = (to: number, withFin: boolean): void => {
    const capturedTo = Math.max(from, Math.min(to, segment.payloadCaptured));
    const captured = copyOf(segment.bytes, segment.payloadStart + from, segment.payloadStart + capturedTo);
    pieces.push({
      sequence: advance(segment.sequence, from),
      acknowledgement: segment.acknowledgement,
      length: to - from,
      captured,
      timeUs: segment.timeUs,
      ipId: segment.ipId,
      heldAtUs: clockUs,
      isFin: withFin,
      order,
      resentUs: 0,
      isFast: false,
    });
  };
  for (let i = firstBehind(held, advance(segment.sequence, from)); i < held.length; i++) {
    const other = held[i]!;
    const otherStart = distance(other.sequence, segment.sequence);
    if (otherStart >= end) break;
    if (otherStart > from) take(otherStart, false);
    from = Math.max(from, otherStart + other.length);
  }
  if (from < end || isFin) {
    if (from > end) from = end;
    take(end, isFin);
  }
  return pieces;
}

/** Batches are Buffers, whose own `slice` copies nothing. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

/** Puts a piece where it belongs in the order of the stream. */
export function insertSorted(held: HeldSegment[], piece: HeldSegment): void {
  let at = held.length;
  if (at > 0 && distance(held[at - 1]!.sequence, piece.sequence) > 0) at = firstBehind(held, piece.sequence);
  while (at < held.length && distance(held[at]!.sequence, piece.sequence) <= 0) at++;
  held.splice(at, 0, piece);
}

/** The first of the held segments that ends behind this place in the stream: found by halving, there may be 16,000. */
function firstBehind(held: readonly HeldSegment[], sequence: number): number {
  let low = 0;
  let high = held.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = held[middle]!;
    if (distance(advance(other.sequence, other.length), sequence) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** It is delivered: whether it was captured before bytes that precede it in the stream; not where these were never captured at all. */
export function isOutOfOrder(oddity: Oddity, { order }: HeldSegment): boolean {
  if (order < oddity.deliveredOrder) return true;
  oddity.deliveredOrder = order;
  return false;
}

/** Bytes that one direction holds. */
export function heldBytesOf(flow: Flow): number {
  return flow.odd === null ? 0 : flow.odd.heldBytes;
}
