import { TcplatError } from "../errors.ts";
import { allocateBatch, BatchStream } from "./batch-stream.ts";
import { firstLine, type Libpcap, type Pointer } from "./libpcap-binding.ts";
import { activate } from "./libpcap-live.ts";
import type { LiveOptions } from "./live-options.ts";
import type { Tap } from "./tap.ts";

/** `struct pcap_stat`: received, dropped, dropped by the interface, each u32. */
const STATS_BYTES = 32;

/** An interface through libpcap, which copies its frames into batches. */
export class LibpcapTap implements Tap {
  readonly layout = "records";
  readonly linkType: number;
  readonly snaplen: number;
  readonly descriptor: number;
  readonly batch: Buffer = allocateBatch();
  readonly start = 0;
  fault: string | null = null;
  /** What libpcap warned of when the capture began, "" for nothing. */
  readonly warning: string;

  readonly #libpcap: Libpcap;
  readonly #handle: Pointer;
  readonly #stream: BatchStream;
  readonly #stats = Buffer.alloc(STATS_BYTES);
  #lastKernelDrops = 0;
  #lastInterfaceDrops = 0;

  /** Starts the capture. Throws TcplatError as `activate` does. */
  constructor(libpcap: Libpcap, options: LiveOptions) {
    const { handle, warning } = activate(libpcap, options);
    this.#libpcap = libpcap;
    this.#handle = handle;
    this.warning = warning;
    this.snaplen = libpcap.snapshot(handle);
    try {
      this.#stream = new BatchStream(libpcap, handle, this.batch, this.snaplen);
    } catch (error) {
      libpcap.close(handle);
      throw new TcplatError("engine", `no capture on ${options.interface}: ${firstLine(error)}`);
    }
    this.linkType = this.#stream.linkType;
    this.descriptor = libpcap.selectableDescriptor(handle);
  }

  read(): number {
    const bytes = this.#stream.fill();
    if (this.#stream.result < 0) this.fault = this.#libpcap.errorText(this.#handle);
    return bytes;
  }

  /** libpcap's counters are 32 bits wide. */
  takeDrops(): { readonly kernel: number; readonly interface: number } {
    if (this.#libpcap.stats(this.#handle, this.#stats) !== 0) return { kernel: 0, interface: 0 };
    const kernel = this.#stats.readUInt32LE(4);
    const byInterface = this.#stats.readUInt32LE(8);
    const since = {
      kernel: (kernel - this.#lastKernelDrops) >>> 0,
      interface: (byInterface - this.#lastInterfaceDrops) >>> 0,
    };
    this.#lastKernelDrops = kernel;
    this.#lastInterfaceDrops = byInterface;
    return since;
  }

  close(): void {
    this.#stream.close();
    this.#libpcap.close(this.#handle);
  }
}
