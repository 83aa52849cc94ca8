import type { Logger } from "pino";
import { totals } from "../aggregate/counters.ts";
import type { Snapshot } from "../aggregate/snapshot.ts";
import type { FrameSource } from "../capture/frame-source.ts";
import { libpcapVersion } from "../capture/libpcap.ts";
import { Governor } from "../cost/governor.ts";
import type { TcplatError } from "../errors.ts";
import type { MatchingFrames } from "../evidence/matching-frames.ts";
import type { SlowDump } from "../evidence/slow-dump.ts";
import type { Options } from "../options.ts";
import { isColourWanted } from "../outputs/colour.ts";
import type { Listening } from "../outputs/listen.ts";
import { localSecond } from "../outputs/plain-text.ts";
import { recordFormat } from "../outputs/record-format.ts";
import { RecordOutput } from "../outputs/record-output.ts";
import { RecordWriter } from "../outputs/record-writer.ts";
import { summaryRecord, summaryTable } from "../outputs/summary.ts";
import type { PacketPrinter } from "../raw/packet-printer.ts";
import { rehearse } from "../rehearsal.ts";
import type { Reporter } from "../report/reporter.ts";
import { boundGarbage } from "../v8.ts";
import { tcplatVersion } from "../version.ts";
import { type Plan, planWorkers } from "../workers/plan.ts";
import type { Captor } from "./captor.ts";
import { type FirstMinuteView, hint, SILENCE_MS, startLine } from "./first-minute.ts";
import { watchTerminal } from "./hang-up.ts";
import { type OpenedScripts, openScripts } from "./open-scripts.ts";
import { type MakeSieve, openSieve } from "./open-sieve.ts";
import { openSource } from "./open-source.ts";
import type { Progress } from "./progress.ts";
import { countTaggedFrames, countTaggedInFile } from "./second-look.ts";
import { Solo } from "./solo.ts";
import type { StatusLine } from "./status-line.ts";

const STDOUT = 1;
/** How long the second look for tagged frames takes. */
const SECOND_LOOK_MS = 1000;
/** One wish to end may come twice: timeout(1) signals the program and then its group, which it is in. Nobody types that fast. */
const SAME_SIGNAL_MS = 100;

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
  return await new Run(
    options,
    host,
    reporter,
    await prepareCaptor(options, plan, host.log, reporter, makeSieve),
  ).run();
}

/** Makes the captor of a run, once it is known where its records go. */
type MakeCaptor = (writer: RecordWriter) => Captor;

/** Opens the source, or starts the workers, each of which opens its own. Throws TcplatError. */
async function prepareCaptor(
  options: Options,
  { workers }: Plan,
  log: Logger,
  reporter: Reporter | null,
  makeSieve: MakeSieve | null,
): Promise<MakeCaptor> {
  if (workers > 1) {
    const { Crew } = await import("../workers/crew.ts");
    const crew = await Crew.start({ options, workers, isColoured: isColourWanted(process.stdout, process.env), log });
    return (writer) => crew.recordsTo(writer);
  }
  // First: a script that is refused leaves no folder behind.
  const scripts = await openScripts(options, log);
  try {
    return await prepareSolo(options, log, reporter, makeSieve, scripts);
  } catch (error) {
    scripts?.close();
    throw error;
  }
}

async function prepareSolo(
  options: Options,
  log: Logger,
  reporter: Reporter | null,
  makeSieve: MakeSieve | null,
  opened: OpenedScripts | null,
): Promise<MakeCaptor> {
  const makeDump = await openDump(options, log);
  const makeMatching = await openMatching(options, log);
  const makePrinter = await openPrinter(options);
  rehearse(options);
  const source = await openSource(options);
  return (writer) => {
    const scripts = opened?.printTo(writer) ?? null;
    const place = scripts?.records ?? writer;
    const format = recordFormat(options, isColourWanted(process.stdout, process.env));
    const dump = makeDump?.(source) ?? null;
    const packets = makePrinter?.(source.linkType, place) ?? null;
    const printed = options.quiet || packets !== null ? [] : [new RecordOutput(format, place)];
    const matching = makeMatching?.(source) ?? null;
    const outputs = [...printed, dump, matching, scripts].filter((output) => output !== null);
    const sieve = makeSieve?.(outputs) ?? null;
    return new Solo(options, source, log, writer, {
      outputs: sieve === null ? outputs : [sieve],
      filtered: () => sieve?.filtered ?? 0,
      observer: reporter?.collector ?? null,
      packets,
      dump,
      matching,
      scripts,
    });
  };
}

/** `--write-matching`: keeps frames until it is known whether they are wanted. */
async function openMatching(
  { write, requestTimeoutUs }: Options,
  log: Logger,
): Promise<((source: FrameSource) => MatchingFrames) | null> {
  const bufferBytes = write?.matchingBufferBytes ?? null;
  if (bufferBytes === null) return null;
  const { MatchingFrames } = await import("../evidence/matching-frames.ts");
  return (source) => new MatchingFrames({ bufferBytes, requestTimeoutUs }, source, (sentence) => log.warn(sentence));
}

/** `-p raw`: prints packets. */
async function openPrinter({
  raw,
}: Options): Promise<((linkType: number, writer: Pick<RecordWriter, "record">) => PacketPrinter) | null> {
  if (raw === null) return null;
  const { PacketPrinter } = await import("../raw/packet-printer.ts");
  return (linkType, writer) => new PacketPrinter(raw, linkType, writer);
}

/** `--dump-slow`: keeps frames, and writes those of each slow request. */
async function openDump(options: Options, log: Logger): Promise<((source: FrameSource) => SlowDump) | null> {
  const { dumpSlow } = options;
  if (dumpSlow === null) return null;
  const { DumpFolder } = await import("../evidence/dump-folder.ts");
  const { SlowDump } = await import("../evidence/slow-dump.ts");
  const folder = new DumpFolder(dumpSlow.folder, dumpSlow.count);
  return (source) => new SlowDump(dumpSlow, folder, source, (sentence) => log.warn(sentence));
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
      boundGarbage();
      // Last: a run that is refused leaves what the file of -w holds.
      this.#captor.begin();
      // Before the start line: whoever reads that may send a signal at once.
      const release = this.#handleSignals();
      this.#announce();
      const silence = this.#watchSilence();
      const progress = await this.#watchProgress();
      this.#governor.start();
      try {
        await this.#captor.capture();
      } finally {
        this.#governor.stop();
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
    const snapshot = this.#captor.source.isLive ? this.#snapshot() : this.#captor.snapshot();
    if (this.#options.json) this.#writer.write(summaryRecord(snapshot));
    await this.#writer.close();
    if (!this.#isUnread && !this.#options.json) this.#status.above(summaryTable(snapshot));
    const report = this.#reporter?.write(snapshot) ?? null;
    if (this.#isUnread) return;
    if (report !== null) this.#log.info(report);
    if (this.#captor.source.warning !== null) this.#log.warn(this.#captor.source.warning);
    if (!this.#captor.source.isLive && this.#failure === null && this.#captor.failure === null) await this.#giveHint();
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

  /** Says what was seen so far, and what to try, where no transaction has come. */
  async #giveHint(): Promise<void> {
    const snapshot = this.#captor.snapshot();
    if (toldOf(snapshot) > 0) return;
    if (this.#options.raw !== null && this.#captor.frames > 0) return;
    const { read, filter } = this.#options;
    const isBlind = snapshot.stages.capture.decoded === 0 && !this.#options.vlan;
    let tagged = 0;
    if (isBlind) {
      tagged = this.#captor.source.isLive
        ? await countTaggedFrames(this.#options.interface, filter, SECOND_LOOK_MS)
        : await countTaggedInFile(read ?? "-", filter);
    }
    if (this.#isStopping && this.#captor.source.isLive) return;
    const text = hint(this.#view(tagged));
    if (text !== null) this.#log.warn(text);
  }

  #view(taggedFrames: number): FirstMinuteView {
    const snapshot = this.#captor.snapshot();
    const { stages, requests } = snapshot;
    const { total } = stages.connections;
    const unknownUdp = stages.connections.notAnalysed.unknown_udp ?? 0;
    return {
      source: this.#captor.source.name,
      isLive: this.#captor.source.isLive,
      isUp: this.#captor.source.isUp,
      filter: this.#options.filter,
      vlan: this.#options.vlan,
      frames: stages.capture.frames,
      taggedFrames,
      decoded: stages.capture.decoded,
      skipped: stages.capture.skipped,
      connections: total.syn + total.midstream + total.udp - unknownUdp,
      unknownUdp,
      midstream: stages.connections.total.midstream,
      ...this.#captor.incomplete(),
      evicted: stages.connections.evicted,
      tls: stages.connections.notAnalysed.tls ?? 0,
      unknownProtocol: stages.connections.notAnalysed.unknown_protocol ?? 0,
      requests,
      transactions: toldOf(snapshot),
      protocols: this.#options.protocols.map((protocol) => protocol.name),
    };
  }
}

/** Transactions, and what never becomes one. A response alone is none: of one direction nothing else is seen. */
function toldOf(snapshot: Snapshot): number {
  const { answered, noReply, pushes } = totals(snapshot);
  return answered + noReply + pushes;
}
