import { FLOOR_RATIO, SampleController } from "./controller.ts";
import { type CostCounters, CostMeter, type Reading } from "./meter.ts";
import { residentBytes } from "./resident-memory.ts";

/** How often the event loop is looked at, and every how many looks the process. */
const LOOK_MS = 100;
const LOOKS_PER_READING = 5;
/** So many seconds above the budget with the smallest sample: sampling alone does not help. */
const HOPELESS_S = 5;

/** What the governor is given from outside. */
export interface Surroundings {
  /** `--max-cpu` in percent of one core, or null: then it only measures. */
  readonly maxCpuPercent: number | null;
  /** Frames taken so far. */
  readonly frames: () => number;
  /** Analyses this share of the connections from now on, (0..1]. */
  readonly sample: (ratio: number) => void;
  readonly log: { info(message: string): void; warn(message: string): void };
}

/** Measures what this process costs, twice a second, and keeps it within `--max-cpu`. */
export class Governor {
  readonly #around: Surroundings;
  readonly #meter: CostMeter;
  readonly #budget: number | null;
  readonly #controller: SampleController | null;
  #timer: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;
  #looks = 0;
  #ratio = 1;
  #hopelessS = 0;
  #hasDespaired = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#meter = new CostMeter(this.#read());
    this.#budget = around.maxCpuPercent === null ? null : around.maxCpuPercent / 100;
    this.#controller = this.#budget === null ? null : new SampleController(this.#budget);
  }

  start(): void {
    this.#lookedAtMs = performance.now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  counters(): CostCounters {
    return this.#meter.counters(this.#budget);
  }

  #look(): void {
    const now = performance.now();
    this.#meter.wasLate(Math.max(0, now - this.#lookedAtMs - LOOK_MS) * 1000);
    this.#lookedAtMs = now;
    if (++this.#looks % LOOKS_PER_READING !== 0) return;
    const { use, seconds } = this.#meter.take(this.#read());
    this.govern(use, seconds);
  }

  /** Takes the use of a core during the last `seconds`; as each reading does. */
  govern(use: number, seconds: number): void {
    if (this.#controller === null || this.#budget === null) return;
    const ratio = this.#controller.update(use, seconds);
    if (ratio !== this.#ratio) {
      this.#tell(this.#ratio, ratio);
      this.#ratio = ratio;
      this.#around.sample(ratio);
    }
    this.#hopelessS = ratio === FLOOR_RATIO && use > this.#budget ? this.#hopelessS + seconds : 0;
    if (this.#hopelessS < HOPELESS_S || this.#hasDespaired) return;
    this.#hasDespaired = true;
    this.#around.log.warn(
      `CPU use is ${percent(use)} % with ${percent(FLOOR_RATIO)} % of the connections, too: capturing itself takes more than --max-cpu ${this.#around.maxCpuPercent}. A narrower filter or a smaller -s saves that`,
    );
  }

  /** Once when it begins, and once when it is over. */
  #tell(before: number, after: number): void {
    const { maxCpuPercent, log } = this.#around;
    if (before === 1) {
      log.warn(
        `CPU use is above --max-cpu ${maxCpuPercent}: only a sample of the connections is analysed from now on, ${percent(after)} % at first (tcplat_sampling_ratio)`,
      );
    } else if (after === 1) log.info(`all connections are analysed again, within --max-cpu ${maxCpuPercent}`);
  }

  #read(): Reading {
    const { user, system } = process.cpuUsage();
    return {
      atMs: performance.now(),
      cpuUs: user + system,
      residentBytes: residentBytes(),
      frames: this.#around.frames(),
    };
  }
}

function percent(ratio: number): string {
  return (ratio * 100).toFixed(0);
}
