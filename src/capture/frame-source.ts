/**
 * The contract between an engine and the pipeline: frames come in batches, in one buffer, each behind the
 * 16-byte record header of a pcap file (`pcap-savefile(5)`), little-endian as this host writes it:
 *
 *     0  seconds since the epoch    u32
 *     4  nanoseconds                u32
 *     8  captured length            u32   (bytes that follow this header)
 *    12  original length            u32
 *
 * (layout "records"), or, where whoever reads can take them so, as Linux lays them out in the ring that it shares with a packet socket
 * (layout "kernel-ring"): a record header stands in the middle of a larger one (`struct tpacket3_hdr`, linux/if_packet.h), and
 * around it, counted from the record header:
 *
 *    -4  from this frame to the next one, 0 behind the last   u32
 *    20  from 4 bytes in front of the record header to the frame   u16
 *    46  the frame's EtherType, big-endian   u16   (from the `struct sockaddr_ll` behind it)
 */
export const RECORD_HEADER_BYTES = 16;

/** How frames stand in a batch. */
export type FrameLayout = "records" | "kernel-ring";

/** `read` returns this once no frame will ever come again. */
export const END_OF_FRAMES = -1;

export interface FrameSource {
  /** The interface's or file's name as the user wrote it. */
  readonly name: string;
  readonly engine: "libpcap" | "cap";
  readonly isLive: boolean;
  /** Who stamped the frames: the kernel, the file's writer, or tcplat when they arrived (engine cap). */
  readonly clock: "kernel" | "file" | "arrival";
  /** LINKTYPE_ value (as in a capture file's header), e.g. 1 Ethernet, 113 SLL, 276 SLL2. */
  readonly linkType: number;
  readonly snaplen: number;
  readonly layout: FrameLayout;
  /** Holds the last batch, from `batchStart`. Overwritten by the next `read`: copy what must outlive it. */
  readonly batch: Uint8Array;
  /** Index of the last batch's first record header. */
  readonly batchStart: number;
  /** False while the interface is down (the source tries by itself to take it up again). */
  readonly isUp: boolean;
  /**
   * Fills `batch` and returns the index behind its last byte; 0 when no frame is waiting; END_OF_FRAMES at the end.
   * Never blocks on a live source. A promise only where the frames come from standard input, which may be slow.
   * Throws TcplatError when the source is broken for good; frames read before the fault have been returned first.
   */
  read(): number | Promise<number>;
  /**
   * For a live source whose `read` returned 0: resolves as soon as frames wait, or after `maxMs`, or when woken or closed. Needs no
   * polling, and so no idle CPU. `read` must be called at least once a second all the same: it takes a lost interface up
   * again. Elsewhere resolves at once. One wait at a time.
   */
  waitForFrames(maxMs: number): Promise<void>;
  /** Ends the present wait, and a `read` that waits for the writer of a stream. */
  wake(): void;
  /** Set after END_OF_FRAMES where the file ended in the middle of a frame: a sentence for the user. */
  readonly warning: string | null;
  /** Drop counters since the start, as far as the engine knows them. */
  drops(): CaptureDrops;
  close(): void;
}

export interface CaptureDrops {
  readonly kernel: number;
  readonly interface: number;
  readonly engine: number;
}
