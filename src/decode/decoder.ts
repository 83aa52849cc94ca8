import { type FrameLayout, RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import { DecodeCounters, Skip } from "./counters.ts";
import { decodeIp } from "./ip.ts";
import { CUT, cookedRingDecoder, type LinkDecoder, linkDecoder } from "./link.ts";
import { Segment } from "./segment.ts";

/** LINKTYPE_LINUX_SLL2, the frames of `any`. */
const LINUX_SLL2 = 276;

/** Turns records of a batch into segments, in place. One per frame source. */
export class Decoder {
  /** The last decoded segment; overwritten by every `decode`. */
  readonly segment = new Segment();
  readonly counters = new DecodeCounters();
  /** Index behind the last record decoded. */
  next = 0;
  private readonly link: LinkDecoder | null;
  private readonly isRing: boolean;
  /** The batch seen last. Words are read through its view: half the time of four bytes each. */
  private batch: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.batch.buffer);

  /** `linkType`: a LINKTYPE_ value. Frames of an unknown one are all skipped, and counted so. UDP is skipped unless wanted. */
  constructor(linkType: number, wantsDatagrams = false, layout: FrameLayout = "records") {
    this.segment.wantsDatagrams = wantsDatagrams;
    this.isRing = layout === "kernel-ring";
    this.link = this.isRing && linkType === LINUX_SLL2 ? cookedRingDecoder() : linkDecoder(linkType);
  }

  /**
   * Decodes the record whose header begins at `at` of the batch. True when `segment` now holds a TCP segment or a datagram; false
   * when the frame was skipped (counted by reason). Either way `segment.timeUs` and `next` are this record's.
   */
  // Runs for every segment.
  decode(batch: Uint8Array, at: number): boolean {
    if (batch !== this.batch) this.take(batch);
    const view = this.view;
    const counters = this.counters;
    const segment = this.segment;
    const seconds = view.getUint32(at, true);
    const microseconds = (view.getUint32(at + 4, true) / 1000) | 0;
    const captured = view.getUint32(at + 8, true);
    const original = view.getUint32(at + 12, true);
    const start = this.isRing ? at - 4 + view.getUint16(at + 20, true) : at + RECORD_HEADER_BYTES;
    segment.timeUs = seconds * 1e6 + microseconds;
    segment.timeLow = (Math.imul(seconds, 1e6) + microseconds) | 0;
    this.next = this.isRing ? nextInRing(view, at) : start + captured;
    counters.frames++;
    const skip = this.decodeFrame(view, start, start + captured, start + original);
    if (skip !== Skip.none) {
      counters.skipped[skip]!++;
      return false;
    }
    counters.decoded++;
    if (captured < original) counters.truncated++;
    return true;
  }

  private take(batch: Uint8Array): void {
    this.batch = batch;
    this.view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    this.segment.bytes = batch;
  }

  private decodeFrame(frame: DataView, start: number, end: number, originalEnd: number): Skip {
    const link = this.link;
    if (link === null) return Skip.linkType;
    const at = link.locate(frame, start, end);
    if (at >= 0) return decodeIp(this.segment, frame, at, end, originalEnd);
    return at === CUT ? Skip.cutHeader : Skip.notIp;
  }

  /** Frames with a VLAN tag so far. */
  get vlanFrames(): number {
    return this.link?.vlanFrames ?? 0;
  }
}

/** Behind the last frame of a block: further than any block goes. */
const BEHIND_BLOCK = 0x7fffffff;

/** See `frame-source.ts`. */
function nextInRing(view: DataView, at: number): number {
  const step = view.getUint32(at - 4, true);
  return step === 0 ? BEHIND_BLOCK : at + step;
}
