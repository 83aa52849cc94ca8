import { u32le } from "../bytes/read.ts";
import { RECORD_HEADER_BYTES } from "../capture/frame-source.ts";
import { DecodeCounters, Skip } from "./counters.ts";
import { decodeIp } from "./ip.ts";
import { CUT, type LinkDecoder, linkDecoder } from "./link.ts";
import { Segment } from "./segment.ts";

/** Turns records of a batch into segments, in place. One per frame source. */
export class Decoder {
  /** The last decoded segment; overwritten by every `decode`. */
  readonly segment = new Segment();
  readonly counters = new DecodeCounters();
  /** Index behind the last record decoded. */
  next = 0;
  readonly #link: LinkDecoder | null;

  /** `linkType`: a LINKTYPE_ value. Frames of an unknown one are all skipped, and counted so. UDP is skipped unless wanted. */
  constructor(linkType: number, wantsDatagrams = false) {
    this.segment.wantsDatagrams = wantsDatagrams;
    this.#link = linkDecoder(linkType);
  }

  /**
   * Decodes the record whose header begins at `at` of the batch. True when `segment` now holds a TCP segment or a datagram; false
   * when the frame was skipped (counted by reason). Either way `segment.timeUs` and `next` are this record's.
   */
  // Runs for every segment.
  decode(batch: Uint8Array, at: number): boolean {
    const counters = this.counters;
    const segment = this.segment;
    const captured = u32le(batch, at + 8);
    const original = u32le(batch, at + 12);
    const start = at + RECORD_HEADER_BYTES;
    const seconds = u32le(batch, at);
    const microseconds = (u32le(batch, at + 4) / 1000) | 0;
    segment.timeUs = seconds * 1e6 + microseconds;
    segment.timeLow = (Math.imul(seconds, 1e6) + microseconds) | 0;
    this.next = start + captured;
    counters.frames++;
    const skip = this.#decodeFrame(batch, start, start + captured, start + original);
    if (skip !== Skip.none) {
      counters.skipped[skip]!++;
      return false;
    }
    counters.decoded++;
    if (captured < original) counters.truncated++;
    return true;
  }

  #decodeFrame(batch: Uint8Array, start: number, end: number, originalEnd: number): Skip {
    const link = this.#link;
    if (link === null) return Skip.linkType;
    const at = link.locate(batch, start, end);
    if (at >= 0) return decodeIp(this.segment, batch, at, end, originalEnd);
    return at === CUT ? Skip.cutHeader : Skip.notIp;
  }

  /** Frames with a VLAN tag so far. */
  get vlanFrames(): number {
    return this.#link?.vlanFrames ?? 0;
  }
}
