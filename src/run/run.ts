import type { Logger } from "pino";
import type { Snapshot } from "../aggregate/snapshot.ts";
import { libpcapVersion } from "../capture/libpcap.ts";
import { Governor } from "../cost/governor.ts";
import type { TcplatError } from "../errors.ts";
import type { Options } from "../options.ts";
import type { Listening } from "../outputs/listen.ts";
import { localSecond } from "../outputs/plain-text.ts";
import { RecordWriter } from "../outputs/record-writer.ts";
import { summaryRecord, summaryTable } from "../outputs/summary.ts";
import type { Reporter } from "../report/reporter.ts";
import { settleForFrames } from "../v8.ts";
import { tcplatVersion } from "../version.ts";
import { planWorkers } from "../workers/plan.ts";
import type { Captor } from "./captor.ts";
import { closeInspector } from "./close-inspector.ts";
import { findHint } from "./find-hint.ts";
import { SILENCE_MS, startLine } from "./first-minute.ts";
import { watchTerminal } from "./hang-up.ts";
import { type MakeCaptor, openCaptor } from "./open-captor.ts";
import { openSieve } from "./open-sieve.ts";
import type { Progress } from "./progress.ts";
import type { StatusLine } from "./status-line.ts";

const STDOUT = 1;
/** One wish to end may come twice: timeout(1) signals the program and then its group, which it is in. Nobody types that fast. */
const SAME_SIGNAL_MS = 100;

/** When a start is over, and whatever a signal has begun meanwhile with it. */
const STARTED_MS = 1000;

/** What a run is given from outside. */
export interface Host {
  readonly log: Logger;
  /** The last line of standard error. */
  readonly status: StatusLine;
}

/** Captures until the end of the file, `-c`, or a signal. Returns the exit status; throws TcplatError. */
export async function run(options: Options, host: Host): Promise<number> {
  const makeSieve = await openSieve(options);
  const reporter = await openReport(options);
  const plan = planWorkers(options);
  if (plan.reason !== null) host.log.info(`one worker: ${plan.reason}`);
  const makeCaptor = await openCaptor(options, plan, host.log, reporter, makeSieve);
  return await new Run(options, host, reporter, makeCaptor).run();
}

/** Before anything else is opened: a run whose report cannot be written does not begin. */
async function openReport(options: Options): Promise<Reporter | null> {
  if (options.report === null) return null;
  const { Reporter } = await import("../report/reporter.ts");
  return new Reporter(options.report, options.read, {
    isLive: options.read === null,
    hasGoodClock: options.engine !== "cap",
    filter: options.filter,
    version: tcplatVersion(),
  });
}

class Run {
  readonly #options: Options;
  readonly #captor: Captor;
  readonly #governor: Governor;
  readonly #log: Logger;
  readonly #status: StatusLine;
  readonly #writer: RecordWriter;
  readonly #reporter: Reporter | null;
  #stats: Listening | null = null;
  #metrics: Listening | null = null;
  #isStopping = false;
  /** Whoever read stdout has closed it: nobody wants to hear more. */
  #isUnread = false;
  #failure: TcplatError | null = null;

  constructor(options: Options, { log, status }: Host, reporter: Reporter | null, makeCaptor: MakeCaptor) {
    this.#options = options;
    this.#status = status;
    this.#log = log;
    this.#reporter = reporter;
    this.#writer = new RecordWriter({
      fd: STDOUT,
      mode: options.read === null ? "live" : "file",
      onClosed: () => {
        this.#isUnread = true;
        this.#stop();
      },
      onError: (error) => {
        this.#failure = error;
        this.#stop();
      },
    });
    const captor = makeCaptor(this.#writer);
    this.#captor = captor;
    this.#governor = new Governor({
      maxCpuPercent: options.maxCpuPercent,
      frames: () => captor.frames,
      sample: (ratio) => captor.sampleOnly(ratio),
      log,
    });
  }

  async run(): Promise<number> {
    try {
      await this.#listen();
      settleForFrames();
      // Last: a run that is refused leaves what the file of -w holds.
      this.#captor.begin();
      // Before the start line: whoever reads that may send a signal at once.
      const release = this.#handleSignals();
      this.#announce();
      const started = setTimeout(() => closeInspector(), STARTED_MS);
      const silence = this.#watchSilence();
      const progress = await this.#watchProgress();
      this.#governor.start();
      try {
        await this.#captor.capture();
      } finally {
        this.#governor.stop();
        clearTimeout(started);
        clearTimeout(silence);
        progress?.stop();
        release();
      }
      await this.#finish();
    } finally {
      this.#captor.close();
      await Promise.all([this.#stats?.close(), this.#metrics?.close()]);
    }
    const failure = this.#failure ?? this.#captor.failure;
    if (failure !== null) throw failure;
    return 0;
  }

  #stop(): void {
    this.#isStopping = true;
    this.#captor.stop();
  }

  async #finish(): Promise<void> {
    await this.#captor.finish();
    // What reading a file cost is never the same twice, and its numbers are.
    const taken = this.#captor.source.isLive ? this.#snapshot() : this.#captor.snapshot();
    if (this.#options.json) this.#writer.write(summaryRecord(taken));
    const cutOff = await this.#writer.close();
    const snapshot = cutOff === 0 ? taken : this.#snapshot();
    // A summary that found no reader is told here.
    if (!this.#isUnread && (cutOff > 0 || !this.#options.json)) await this.#summarize(summaryTable(snapshot));
    if (cutOff > 0)
      this.#log.warn(`standard output was read too slowly: ${cutOff} records left at the end were not written`);
    const report = this.#reporter?.write(snapshot) ?? null;
    if (this.#isUnread) return;
    if (report !== null) this.#log.info(report);
    if (this.#captor.source.warning !== null) this.#log.warn(this.#captor.source.warning);
    if (!this.#captor.source.isLive && this.#failure === null && this.#captor.failure === null) await this.#giveHint();
  }

  /** The table at the end: of a file as slowly as it is read, as its records are. */
  async #summarize(table: string): Promise<void> {
    if (this.#captor.source.isLive) this.#status.above(table);
    else await this.#status.end(table);
  }

  // ---- around it ----

  async #listen(): Promise<void> {
    const { statsHost, statsPort, metricsHost, metricsPort } = this.#options;
    const snapshot = () => this.#snapshot();
    // Loaded when wanted: a file is read without them, and starts the sooner.
    if (statsPort !== 0) {
      const { startStatsServer } = await import("../outputs/stats-server.ts");
      this.#stats = await startStatsServer({ host: statsHost, port: statsPort, snapshot });
    }
    if (metricsPort === 0) return;
    const { startMetricsServer } = await import("../outputs/http-server.ts");
    this.#metrics = await startMetricsServer({
      host: metricsHost,
      port: metricsPort,
      snapshot,
      health: () => (this.#captor.source.isUp ? null : `${this.#captor.source.name} is down`),
      build: {
        version: tcplatVersion(),
        node: process.version,
        libpcap: this.#libpcap(),
        engine: this.#captor.source.engine,
      },
    });
  }

  #snapshot(): Snapshot {
    return { ...this.#captor.snapshot(), cost: this.#governor.counters() };
  }

  #libpcap(): string {
    return this.#captor.source.engine === "libpcap" ? libpcapVersion() : "";
  }

  #announce(): void {
    const { statsHost, metricsHost, filter } = this.#options;
    const { source } = this.#captor;
    this.#log.info(
      startLine({
        source: source.name,
        isLive: source.isLive,
        engine: source.engine,
        clock: source.clock,
        libpcapVersion: source.isLive ? this.#libpcap() : this.#captor.usedLibpcapVersion,
        filter,
        stats: this.#stats === null ? null : { host: statsHost, port: this.#stats.port },
        metrics: this.#metrics === null ? null : { host: metricsHost, port: this.#metrics.port },
      }),
    );
  }

  #handleSignals(): () => void {
    let isCopy = false;
    const stop = () => {
      if (isCopy) return;
      if (this.#isStopping) process.exit(0);
      isCopy = true;
      // The event loop takes timers, then what came in, signals among it, then immediates: however long a batch kept it from all
      // three, a copy that was sent in time is taken before this.
      setTimeout(() => setImmediate(() => (isCopy = false)), SAME_SIGNAL_MS).unref();
      this.#stop();
    };
    const attempt = (action: () => void) => {
      try {
        action();
      } catch (error) {
        this.#log.error((error as Error).message);
      }
    };
    const summary = () => {
      const snapshot = this.#snapshot();
      // There may be many, one below the other.
      this.#status.above(`as of       ${localSecond(new Date())}\n${summaryTable(snapshot)}\n`);
      attempt(() => this.#reporter?.write(snapshot));
    };
    const isHungUp = watchTerminal();
    const reopen = () => (isHungUp() ? stop() : attempt(() => this.#captor.reopen()));
    const handlers = { SIGINT: stop, SIGTERM: stop, SIGUSR1: summary, SIGHUP: reopen } as const;
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
    // Not removed: a signal that comes while the run is ending must not kill it before all is flushed.
    return () => {
      this.#isStopping = true;
    };
  }

  /** Of a file, on a terminal that records do not go to. */
  async #watchProgress(): Promise<Progress | null> {
    const { read, quiet } = this.#options;
    const isShared = process.stdout.isTTY === true && !quiet;
    if (read === null || process.stderr.isTTY !== true || isShared) return null;
    const { Progress } = await import("./progress.ts");
    return new Progress(this.#status, read, () => this.#captor.frames);
  }

  #watchSilence(): NodeJS.Timeout | undefined {
    if (!this.#captor.source.isLive) return undefined;
    return setTimeout(() => void this.#giveHint(), SILENCE_MS);
  }

  async #giveHint(): Promise<void> {
    const text = await findHint(this.#options, this.#captor);
    // It may take a while, and nobody who ends a capture waits for it.
    const isTooLate = this.#isStopping && this.#captor.source.isLive;
    if (text !== null && !isTooLate) this.#log.warn(text);
  }
}
