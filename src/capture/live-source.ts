import { TcplatError } from "../errors.ts";
import { type CaptureDrops, END_OF_FRAMES, type FrameLayout, type FrameSource } from "./frame-source.ts";
import { lookupInterfaceState } from "./interface-state.ts";
import { firstLine, type Libpcap } from "./libpcap-binding.ts";
import { LibpcapTap } from "./libpcap-tap.ts";
import type { LiveOptions } from "./live-options.ts";
import { openRing } from "./packet-ring.ts";
import { Readiness } from "./readiness.ts";
import type { Tap } from "./tap.ts";

/** How often a silent interface is looked at, and a lost one tried again. */
const CHECK_INTERVAL_MS = 1000;

/** Frames from an interface, of which a lost one is taken up again. */
export class LiveSource implements FrameSource {
  readonly name: string;
  readonly engine = "libpcap";
  readonly isLive = true;
  readonly clock = "kernel";
  readonly linkType: number;
  readonly snaplen: number;
  readonly layout: FrameLayout;
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
  /** Null while the interface is lost. */
  #tap: Tap | null;
  #batch: Uint8Array;
  #interfaceIndex = 0;
  readonly #readiness = new Readiness();
  #isClosed = false;
  #nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
  #kernelDrops = 0;
  #interfaceDrops = 0;

  /** Starts the capture. Throws TcplatError as `activate` does. */
  constructor(libpcap: Libpcap, options: LiveOptions) {
    this.#libpcap = libpcap;
    this.#options = options;
    this.name = options.interface;
    const ring = options.inPlace ? openRing(libpcap, options) : null;
    const tap = ring ?? new LibpcapTap(libpcap, options);
    this.activationWarning = tap instanceof LibpcapTap ? tap.warning : "";
    this.layout = tap.layout;
    this.linkType = tap.linkType;
    this.snaplen = tap.snaplen;
    this.#batch = tap.batch;
    this.#tap = tap;
    this.#begin(tap);
  }

  get batch(): Uint8Array {
    return this.#batch;
  }

  get batchStart(): number {
    return this.#tap?.start ?? 0;
  }

  read(): number {
    if (this.#isClosed) return END_OF_FRAMES;
    if (this.#tap === null && performance.now() >= this.#nextCheckAt) this.#reopen();
    const tap = this.#tap;
    if (tap === null) return 0;
    const end = tap.read();
    if (tap.fault !== null) this.#lose(tap.fault);
    else if (end > 0) this.#sawFrames();
    else if (performance.now() >= this.#nextCheckAt) this.#check();
    return end;
  }

  waitForFrames(maxMs: number): Promise<void> {
    return this.#readiness.wait(maxMs);
  }

  wake(): void {
    this.#readiness.wake();
  }

  drops(): CaptureDrops {
    this.#countDrops();
    return { kernel: this.#kernelDrops, interface: this.#interfaceDrops, engine: 0 };
  }

  /** Frames the kernel still holds are lost: read until 0 first, twice with the block's time-out between. */
  close(): void {
    this.#release();
    this.#isClosed = true;
    this.#readiness.wake();
  }

  #begin(tap: Tap): void {
    this.openedAtUs = Date.now() * 1000;
    this.#readiness.watch(tap.descriptor);
    this.#interfaceIndex = lookupInterfaceState(this.name).index;
  }

  #reopen(): void {
    this.reopenAttempts++;
    this.#nextCheckAt = performance.now() + CHECK_INTERVAL_MS;
    let tap: Tap | null;
    try {
      tap = this.#openAgain();
    } catch (error) {
      this.outage = firstLine(error);
      return;
    }
    if (tap.linkType !== this.linkType) {
      tap.close();
      throw new TcplatError("running", `${this.name} came back with link type ${tap.linkType}: start again`);
    }
    this.#tap = tap;
    this.#batch = tap.batch;
    this.#begin(tap);
    this.isUp = true;
    this.outage = null;
  }

  /** The stages behind were set up for one layout. Throws as `activate` does. */
  #openAgain(): Tap {
    if (this.layout === "records") return new LibpcapTap(this.#libpcap, this.#options);
    const ring = openRing(this.#libpcap, this.#options);
    if (ring !== null) return ring;
    const { index, isUp } = lookupInterfaceState(this.name);
    throw new Error(`${this.name} ${index === 0 ? "does not exist" : isUp ? "cannot be captured on" : "is down"}`);
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
    if (this.#tap === null) return;
    this.#countDrops();
    this.#readiness.unwatch();
    this.#tap.close();
    this.#tap = null;
  }

  /** A tap begins anew with every interface that comes back. */
  #countDrops(): void {
    const since = this.#tap?.takeDrops();
    if (since === undefined) return;
    this.#kernelDrops += since.kernel;
    this.#interfaceDrops += since.interface;
  }
}
