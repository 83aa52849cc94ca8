import { TcplatError } from "../errors.ts";
import { allocateBatch, BatchStream } from "./batch-stream.ts";
import { type CaptureDrops, END_OF_FRAMES, type FrameSource } from "./frame-source.ts";
import { lookupInterfaceState } from "./interface-state.ts";
import { firstLine, type Libpcap, type Pointer } from "./libpcap-binding.ts";
import { activate, type LiveOptions } from "./libpcap-live.ts";
import { Readiness } from "./readiness.ts";

/** How often a silent interface is looked at, and a lost one tried again. */
const CHECK_INTERVAL_MS = 1000;

/** `struct pcap_stat`: received, dropped, dropped by the interface, each u32. */
const STATS_BYTES = 32;

/** Frames from an interface through libpcap. */
export class LiveSource implements FrameSource {
  readonly name: string;
  readonly engine = "libpcap";
  readonly isLive = true;
  readonly clock = "kernel";
  readonly linkType: number;
  readonly snaplen: number;
  readonly batch: Buffer = allocateBatch();
  readonly warning = null;
  /** What libpcap warned of when the capture began, "" for nothing. */
  readonly activationWarning: string;
  isUp = true;
  /** Why the interface is not up, or null. */
  outage: string | null = null;
  /** How often a lost interface was tried to be taken up again. */
  reopenAttempts = 0;
  /** When the capture began, or was taken up again, µs since the epoch: with a fanout, what came before is others', too. */
  openedAtUs = 0;

  readonly #libpcap: Libpcap;
  readonly #options: LiveOptions;
  readonly #stats = Buffer.alloc(STATS_BYTES);
  #stream: BatchStream | null = null;
  #handle: Pointer = null;
  #interfaceIndex = 0;
  readonly #readiness = new Readiness();
  #isClosed = false;
  #nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
  #kernelDrops = 0;
  #interfaceDrops = 0;
  #lastKernelDrops = 0;
  #lastInterfaceDrops = 0;

  /** Starts the capture. Throws TcplatError as `activate` does. */
  constructor(libpcap: Libpcap, options: LiveOptions) {
    this.#libpcap = libpcap;
    this.#options = options;
    this.name = options.interface;
    this.activationWarning = this.#open();
    this.linkType = this.#stream?.linkType ?? 0;
    this.snaplen = libpcap.snapshot(this.#handle);
  }

  read(): number {
    if (this.#isClosed) return END_OF_FRAMES;
    if (this.#stream === null && performance.now() >= this.#nextCheckAt) this.#reopen();
    if (this.#stream === null) return 0;
    const bytes = this.#stream.fill();
    if (this.#stream.result < 0) this.#lose(this.#libpcap.errorText(this.#handle));
    else if (bytes > 0) this.#sawFrames();
    else if (performance.now() >= this.#nextCheckAt) this.#check();
    return bytes;
  }

  waitForFrames(maxMs: number): Promise<void> {
    return this.#readiness.wait(maxMs);
  }

  drops(): CaptureDrops {
    this.#countDrops();
    return { kernel: this.#kernelDrops, interface: this.#interfaceDrops, engine: 0 };
  }

  /** Frames the kernel still holds are lost: read until 0 first, twice with `timeoutMs` between. */
  close(): void {
    this.#release();
    this.#isClosed = true;
    this.#readiness.wake();
  }

  /** Returns libpcap's warning, "" for none. */
  #open(): string {
    const active = activate(this.#libpcap, this.#options);
    try {
      this.#stream = new BatchStream(this.#libpcap, active.handle, this.batch, this.#libpcap.snapshot(active.handle));
    } catch (error) {
      this.#libpcap.close(active.handle);
      throw new TcplatError("engine", `no capture on ${this.name}: ${firstLine(error)}`);
    }
    this.#handle = active.handle;
    this.openedAtUs = Date.now() * 1000;
    this.#readiness.watch(this.#libpcap.selectableDescriptor(active.handle));
    this.#interfaceIndex = lookupInterfaceState(this.name).index;
    return active.warning;
  }

  #reopen(): void {
    this.reopenAttempts++;
    this.#nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
    try {
      this.#open();
    } catch (error) {
      this.outage = firstLine(error);
      return;
    }
    if (this.#stream?.linkType !== this.linkType) {
      throw new TcplatError("running", `${this.name} came back with link type ${this.#stream?.linkType}: start again`);
    }
    this.isUp = true;
    this.outage = null;
  }

  #sawFrames(): void {
    this.isUp = true;
    this.outage = null;
    this.#nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
  }

  /** Nothing came for a while: libpcap does not tell a quiet interface from one that is down, or was made anew. */
  #check(): void {
    this.#nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
    if (this.name === "any") return;
    const state = lookupInterfaceState(this.name);
    if (state.index !== this.#interfaceIndex) {
      this.#lose(`${this.name} was removed`);
      return;
    }
    this.isUp = state.isUp;
    this.outage = state.isUp ? null : `${this.name} is down`;
  }

  #lose(reason: string): void {
    this.#release();
    this.isUp = false;
    this.outage = reason;
    this.#nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
  }

  #release(): void {
    if (this.#stream === null) return;
    this.#countDrops();
    this.#readiness.unwatch();
    this.#stream.close();
    this.#stream = null;
    this.#libpcap.close(this.#handle);
    this.#handle = null;
    this.#lastKernelDrops = 0;
    this.#lastInterfaceDrops = 0;
  }

  /** libpcap's counters are 32 bits wide and begin anew with every handle: differences are summed. */
  #countDrops(): void {
    if (this.#handle === null || this.#libpcap.stats(this.#handle, this.#stats) !== 0) return;
    const kernel = this.#stats.readUInt32LE(4);
    const byInterface = this.#stats.readUInt32LE(8);
    this.#kernelDrops += (kernel - this.#lastKernelDrops) >>> 0;
    this.#interfaceDrops += (byInterface - this.#lastInterfaceDrops) >>> 0;
    this.#lastKernelDrops = kernel;
    this.#lastInterfaceDrops = byInterface;
  }
}
