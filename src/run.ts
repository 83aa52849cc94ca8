import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import { widenToVlan } from "./capture/filter.ts";
import { END_OF_FRAMES, type FrameSource } from "./capture/frame-source.ts";
import { FrameWriter } from "./capture/frame-writer.ts";
import { libpcapVersion, openFile, openLive } from "./capture/libpcap.ts";
import { TcplatError } from "./errors.ts";
import { type FirstMinuteView, hint, SILENCE_MS, startLine } from "./first-minute.ts";
import type { Options } from "./options.ts";
import { JsonFormat } from "./outputs/json.ts";
import { LineFormat } from "./outputs/line.ts";
import type { Listening } from "./outputs/listen.ts";
import { RecordOutput } from "./outputs/record-output.ts";
import { RecordWriter } from "./outputs/record-writer.ts";
import { summaryRecord, summaryTable } from "./outputs/summary.ts";
import { Pipeline } from "./pipeline.ts";
import { countTaggedFrames, countTaggedInFile } from "./second-look.ts";
import { tcplatVersion } from "./version.ts";
import { writeAll } from "./write-all.ts";

const STDOUT = 1;
const STDERR = 2;
/** The event loop gets a turn at least this often while frames keep coming. */
const TURN_MS = 4;
/** Longest wait for frames: a lost interface is taken up again, and time-outs run, at least this often. */
const WAIT_MS = 100;
/** Bytes of frames taken before the writer is looked at: 14 of them can be a request, and a record of 500. */
const SLICE_BYTES = 65_536;
/** Longest pause of a live capture for the reader of its records, and the share of the time that it regains. */
const PATIENCE_MS = 400;
const PATIENCE_REGAINED = 0.1;
const CATCH_UP_STEP_MS = 2;
/** After a stop, the kernel's last block may still be on its way. */
const LAST_BLOCK_MS = 40;
/** With nothing coming, time-outs run on the wall clock, this far behind it, so that none is early. */
const IDLE_LAG_US = 1_000_000;
/** How long the second look for tagged frames takes. */
const SECOND_LOOK_MS = 1000;

/** What a run is given from outside. */
export interface Host {
  readonly log: Logger;
}

/** Captures until the end of the file, `-c`, or a signal. Returns the exit status; throws TcplatError. */
export async function run(options: Options, host: Host): Promise<number> {
  const source = await openSource(options);
  try {
    const session = new Run(options, source, host.log);
    return await session.run();
  } finally {
    source.close();
  }
}

async function openSource(options: Options): Promise<FrameSource> {
  if (!options.vlan) return await openWith(options, options.filter);
  try {
    return await openWith(options, widenToVlan(options.filter));
  } catch (error) {
    if (!(error instanceof TcplatError) || error.code !== "filter") throw error;
    // Cooked frames (`any`) carry no tag: the kernel has taken it off, and libpcap refuses to look for one.
    return await openWith(options, options.filter);
  }
}

async function openWith(options: Options, filter: string): Promise<FrameSource> {
  if (options.read !== null) return await openFile({ file: options.read, filter });
  const live = { interface: options.interface, snaplen: options.snaplen, bufferKib: options.bufferKib, filter };
  if (options.engine !== "cap") return openLive(live);
  const { openCap } = await import("./capture/cap.ts");
  return await openCap(live);
}

class Run {
  readonly #options: Options;
  readonly #source: FrameSource;
  readonly #log: Logger;
  readonly #writer: RecordWriter;
  readonly #pipeline: Pipeline;
  #frameWriter: FrameWriter | null = null;
  #stats: Listening | null = null;
  #metrics: Listening | null = null;
  #isStopping = false;
  /** Whoever read stdout has closed it: nobody wants to hear more. */
  #isUnread = false;
  #failure: TcplatError | null = null;
  #wasUp = true;
  /** Time that the capture may still wait for the reader of the records, and when that was said. */
  #patienceMs = PATIENCE_MS;
  #patientAtMs = 0;

  constructor(options: Options, source: FrameSource, log: Logger) {
    this.#options = options;
    this.#source = source;
    this.#log = log;
    this.#writer = new RecordWriter({
      fd: STDOUT,
      mode: source.isLive ? "live" : "file",
      onClosed: () => {
        this.#isUnread = true;
        this.#isStopping = true;
      },
      onError: (error) => {
        this.#failure = error;
        this.#isStopping = true;
      },
    });
    const format = options.json ? new JsonFormat() : new LineFormat({ isColoured: isColourWanted() });
    const outputs = options.quiet ? [] : [new RecordOutput(format, this.#writer)];
    this.#pipeline = new Pipeline(options, source, outputs, () => ({ stdout: this.#writer.recordsDropped }));
  }

  async run(): Promise<number> {
    const { write } = this.#options;
    try {
      await this.#listen();
      // Last: a run that is refused leaves what the file holds.
      if (write !== null) this.#frameWriter = new FrameWriter(write, this.#source.linkType, this.#source.snaplen);
      // Before the start line: whoever reads that may send a signal at once.
      const release = this.#handleSignals();
      this.#announce();
      const silence = this.#watchSilence();
      try {
        await this.#captureAll();
      } finally {
        clearTimeout(silence);
        release();
      }
      await this.#finish();
    } finally {
      this.#frameWriter?.close();
      await Promise.all([this.#stats?.close(), this.#metrics?.close()]);
    }
    if (this.#failure !== null) throw this.#failure;
    return 0;
  }

  // ---- the main loop ----

  async #captureAll(): Promise<void> {
    const source = this.#source;
    let turnAt = performance.now();
    while (!this.#isStopping) {
      const read = this.#read();
      const length = typeof read === "number" ? read : await read;
      if (length === END_OF_FRAMES) return;
      if (length > 0) await this.#consume(length);
      else await this.#idle();
      if (length > 0 && performance.now() - turnAt > TURN_MS) {
        await nextTurn();
        turnAt = performance.now();
      }
    }
    if (source.isLive) await this.#takeLastBlock();
  }

  /** A fault ends the run once what was read before it has been told. */
  #read(): number | Promise<number> {
    const end = (error: unknown): number => {
      if (!(error instanceof TcplatError)) throw error;
      this.#failure = error;
      return END_OF_FRAMES;
    };
    try {
      const read = this.#source.read();
      return typeof read === "number" ? read : read.catch(end);
    } catch (error) {
      return end(error);
    }
  }

  /** Takes a batch in slices: a frame may hold thousands of requests, and what is to be printed must find room. */
  async #consume(length: number): Promise<void> {
    const { count } = this.#options;
    const batch = this.#source.batch;
    let at = 0;
    while (at < length) {
      const left = count === null ? Number.POSITIVE_INFINITY : count - this.#pipeline.frames;
      if (left <= 0) break;
      at = this.#pipeline.consume(batch, Math.min(length, at + SLICE_BYTES), left, at);
      if (this.#writer.isFilling) await this.#letWriterCatchUp();
    }
    if (this.#frameWriter !== null && !this.#frameWriter.write(batch, 0, at)) this.#isStopping = true;
    if (count !== null && this.#pipeline.frames >= count) this.#isStopping = true;
  }

  /**
   * A file waits for whoever reads the records. A live capture lends a burst of records up to PATIENCE_MS, while the
   * kernel keeps the frames, and gets the time back slowly: a reader who is slow for ever costs records, not frames.
   */
  async #letWriterCatchUp(): Promise<void> {
    const writer = this.#writer;
    if (!this.#source.isLive) {
      if (writer.isFull) await writer.drain();
      return;
    }
    const startMs = performance.now();
    const patienceMs = Math.min(PATIENCE_MS, this.#patienceMs + (startMs - this.#patientAtMs) * PATIENCE_REGAINED);
    while (writer.isFilling && performance.now() - startMs < patienceMs) await delay(CATCH_UP_STEP_MS);
    this.#patientAtMs = performance.now();
    this.#patienceMs = patienceMs - (this.#patientAtMs - startMs);
  }

  async #idle(): Promise<void> {
    const source = this.#source;
    if (source.isUp !== this.#wasUp) {
      this.#wasUp = source.isUp;
      if (source.isUp) this.#log.info(`${source.name} is up again`);
      else this.#log.warn(`${source.name} is down; capture goes on when it comes back`);
    }
    if (source.isLive) this.#pipeline.table.advanceIdle(Date.now() * 1000 - IDLE_LAG_US);
    await source.waitForFrames(WAIT_MS);
  }

  async #takeLastBlock(): Promise<void> {
    if (this.#options.count !== null && this.#pipeline.frames >= this.#options.count) return;
    const stopUs = Date.now() * 1000;
    let until = performance.now() + LAST_BLOCK_MS;
    for (;;) {
      // Asked before reading: a busy machine may let the time pass between the two.
      const isLastLook = performance.now() >= until;
      const read = this.#read();
      const length = typeof read === "number" ? read : await read;
      if (length === END_OF_FRAMES) return;
      if (length > 0) {
        // Under load many blocks are waiting: all that came before the stop is read, however long it takes.
        await this.#consume(length);
        if (this.#pipeline.table.clockUs >= stopUs) return;
        until = performance.now() + LAST_BLOCK_MS;
        await nextTurn();
      } else if (isLastLook) return;
      else await this.#source.waitForFrames(Math.max(1, until - performance.now()));
    }
  }

  async #finish(): Promise<void> {
    this.#pipeline.finish();
    const snapshot = this.#pipeline.snapshot();
    if (this.#options.json) this.#writer.write(summaryRecord(snapshot));
    await this.#writer.close();
    if (this.#isUnread) return;
    if (!this.#options.json) writeAll(STDERR, summaryTable(snapshot));
    if (this.#source.warning !== null) this.#log.warn(this.#source.warning);
    if (!this.#source.isLive && this.#failure === null) await this.#giveHint();
  }

  // ---- around it ----

  async #listen(): Promise<void> {
    const { statsHost, statsPort, metricsHost, metricsPort } = this.#options;
    const snapshot = () => this.#pipeline.snapshot();
    // Loaded when wanted: a file is read without them, and starts the sooner.
    if (statsPort !== 0) {
      const { startStatsServer } = await import("./outputs/stats-server.ts");
      this.#stats = await startStatsServer({ host: statsHost, port: statsPort, snapshot });
    }
    if (metricsPort === 0) return;
    const { startMetricsServer } = await import("./outputs/http-server.ts");
    this.#metrics = await startMetricsServer({
      host: metricsHost,
      port: metricsPort,
      snapshot,
      health: () => (this.#source.isUp ? null : `${this.#source.name} is down`),
      build: { version: tcplatVersion(), node: process.version, libpcap: this.#libpcap(), engine: this.#source.engine },
    });
  }

  #libpcap(): string {
    return this.#source.engine === "libpcap" ? libpcapVersion() : "";
  }

  #announce(): void {
    const { statsHost, metricsHost, filter } = this.#options;
    const source = this.#source;
    this.#log.info(
      startLine({
        source: source.name,
        isLive: source.isLive,
        engine: source.engine,
        clock: source.clock,
        libpcapVersion: this.#libpcap(),
        filter,
        stats: this.#stats === null ? null : { host: statsHost, port: this.#stats.port },
        metrics: this.#metrics === null ? null : { host: metricsHost, port: this.#metrics.port },
      }),
    );
  }

  #handleSignals(): () => void {
    const stop = () => {
      if (this.#isStopping) process.exit(0);
      this.#isStopping = true;
    };
    const summary = () => writeAll(STDERR, summaryTable(this.#pipeline.snapshot()));
    const reopen = () => {
      try {
        this.#frameWriter?.reopen();
      } catch (error) {
        this.#log.error((error as Error).message);
      }
    };
    const handlers = { SIGINT: stop, SIGTERM: stop, SIGUSR1: summary, SIGHUP: reopen } as const;
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
    // Not removed: a signal that comes while the run is ending must not kill it before all is flushed.
    return () => {
      this.#isStopping = true;
    };
  }

  #watchSilence(): NodeJS.Timeout | undefined {
    if (!this.#source.isLive) return undefined;
    return setTimeout(() => void this.#giveHint(), SILENCE_MS);
  }

  /** Says what was seen so far, and what to try, where no transaction has come. */
  async #giveHint(): Promise<void> {
    if (this.#answered() > 0) return;
    const { read, filter } = this.#options;
    const isBlind = this.#pipeline.decoder.counters.decoded === 0 && !this.#options.vlan;
    let tagged = 0;
    if (isBlind) {
      tagged = this.#source.isLive
        ? await countTaggedFrames(this.#options.interface, filter, SECOND_LOOK_MS)
        : await countTaggedInFile(read ?? "-", filter);
    }
    if (this.#isStopping && this.#source.isLive) return;
    const text = hint(this.#view(tagged));
    if (text !== null) this.#log.warn(text);
  }

  #answered(): number {
    return this.#pipeline.snapshot().responses;
  }

  #view(taggedFrames: number): FirstMinuteView {
    const { stages, requests, responses } = this.#pipeline.snapshot();
    let oneSided = 0;
    for (const connection of this.#pipeline.table) if (connection.fromA.isSeen !== connection.fromB.isSeen) oneSided++;
    return {
      source: this.#source.name,
      isLive: this.#source.isLive,
      isUp: this.#source.isUp,
      filter: this.#options.filter,
      vlan: this.#options.vlan,
      frames: stages.capture.frames,
      taggedFrames,
      decoded: stages.capture.decoded,
      connections: stages.connections.total.syn + stages.connections.total.midstream,
      midstream: stages.connections.total.midstream,
      oneSided,
      tls: stages.connections.notAnalysed.tls ?? 0,
      unknownProtocol: stages.connections.notAnalysed.unknown_protocol ?? 0,
      requests,
      transactions: responses,
      protocols: this.#options.protocols.map((protocol) => protocol.name),
    };
  }
}

function isColourWanted(): boolean {
  return process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}
