import type { Segment } from "../decode/segment.ts";
import { TcpFlag } from "../decode/segment.ts";
import type { Flow, Oddity } from "./flow.ts";
import { advance, distance } from "./sequence.ts";

/** A segment that came before its turn, copied out of its frame. */
export class HeldSegment {
  sequence = 0;
  acknowledgement = 0;
  /** Payload bytes on the wire. */
  length = 0;
  /** Payload bytes captured: bytes[start, end). */
  bytes: Uint8Array;
  readonly start: number;
  end = 0;
  timeUs = 0.5;
  ipId = 0;
  /** The capture's clock when it was captured. */
  heldAtUs = 0.5;
  isFin = false;
  /** Its place in the order of capture. */
  order = 0;
  /** As in Piece. */
  resentUs = 0;
  isFast = false;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.start = start;
  }
}

/** Fewer bytes are copied one by one sooner than by whoever must be called for it. */
const FEW_BYTES = 128;

/** Room for so many segments of so many bytes, in one piece of memory. What says so of one serves the next. */
class Rooms {
  readonly bytes: number;
  private readonly most: number;
  private memory: Uint8Array | null = null;
  private made = 0;
  private readonly free: HeldSegment[] = [];

  constructor(bytes: number, most: number) {
    this.bytes = bytes;
    this.most = most;
  }

  /** Null where there is none left. */
  take(): HeldSegment | null {
    const free = this.free.pop();
    if (free !== undefined || this.made === this.most) return free ?? null;
    this.memory ??= new Uint8Array(this.most * this.bytes);
    return new HeldSegment(this.memory, this.made++ * this.bytes);
  }

  /** False where it is not from here. */
  giveBack(held: HeldSegment): boolean {
    if (held.bytes !== this.memory) return false;
    this.free.push(held);
    return true;
  }
}

/**
 * Short segments, and those of one packet, are held in memory that is used again, 10 MB at most: where the capture loses one frame in a
 * hundred, half of the others are held for a while, and with memory of their own each they cost as much again as all the rest.
 */
export class HeldRoom {
  private readonly short = new Rooms(256, 16_384);
  private readonly long = new Rooms(1536, 4096);

  /** Holds bytes[from, to) of a segment's payload, of which fewer may have been captured. */
  hold(segment: Segment, from: number, to: number, withFin: boolean, order: number, clockUs: number): HeldSegment {
    const capturedTo = Math.max(from, Math.min(to, segment.payloadCaptured));
    const held = this.roomFor(capturedTo - from);
    held.end = held.start + capturedTo - from;
    copy(segment.bytes, segment.payloadStart + from, held);
    held.sequence = advance(segment.sequence, from);
    held.acknowledgement = segment.acknowledgement;
    held.length = to - from;
    held.timeUs = segment.timeUs;
    held.ipId = segment.ipId;
    held.heldAtUs = clockUs;
    held.isFin = withFin;
    held.order = order;
    held.resentUs = 0;
    held.isFast = false;
    return held;
  }

  /** It has been delivered, or never will be. */
  giveBack(held: HeldSegment): void {
    if (!this.short.giveBack(held)) this.long.giveBack(held);
  }

  private roomFor(bytes: number): HeldSegment {
    const rooms = bytes <= this.short.bytes ? this.short : bytes <= this.long.bytes ? this.long : null;
    return rooms?.take() ?? new HeldSegment(new Uint8Array(bytes), 0);
  }
}

/** Fills the room of `held` from bytes[from, …). */
function copy(bytes: Uint8Array, from: number, { bytes: room, start, end }: HeldSegment): void {
  if (end - start > FEW_BYTES) room.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, end - start), start);
  else for (let at = start; at < end; at++) room[at] = bytes[from + at - start]!;
}

/** The bytes of a segment that came too early, held: without those that were delivered, or are held already. */
export function piecesOf(room: HeldRoom, flow: Flow, segment: Segment, order: number, clockUs: number): HeldSegment[] {
  const held = flow.held ?? [];
  const end = segment.payloadLength;
  const isFin = (segment.flags & TcpFlag.fin) !== 0;
  const pieces: HeldSegment[] = [];
  let from = Math.max(0, -distance(segment.sequence, flow.next));
  for (let i = firstBehind(held, advance(segment.sequence, from)); i < held.length; i++) {
    const other = held[i]!;
    const otherStart = distance(other.sequence, segment.sequence);
    if (otherStart >= end) break;
    if (otherStart > from) pieces.push(room.hold(segment, from, otherStart, false, order, clockUs));
    from = Math.max(from, otherStart + other.length);
  }
  if (from < end || isFin) pieces.push(room.hold(segment, Math.min(from, end), end, isFin, order, clockUs));
  return pieces;
}

/** Puts a piece where it belongs in the order of the stream. */
export function insertSorted(held: HeldSegment[], piece: HeldSegment): void {
  let at = firstBehind(held, piece.sequence);
  while (at < held.length && distance(held[at]!.sequence, piece.sequence) <= 0) at++;
  if (at === held.length) held.push(piece);
  else held.splice(at, 0, piece);
}

/** The first of the held segments that ends behind this place in the stream: found by halving, there may be 16,000. Mostly there is none. */
function firstBehind(held: readonly HeldSegment[], sequence: number): number {
  let low = 0;
  let high = held.length;
  if (high > 0 && !endsBehind(held[high - 1]!, sequence)) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endsBehind(held[middle]!, sequence)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function endsBehind(held: HeldSegment, sequence: number): boolean {
  return distance(advance(held.sequence, held.length), sequence) > 0;
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
