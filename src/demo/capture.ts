import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The start-up line's beginning: from here on every frame is seen. */
const STARTED = /\bcapturing on\b/;

/** tcplat itself, run as a user would run it. */
export class Capture {
  /** Lines it printed so far. */
  lines = 0;
  /** Whether it has ended, by itself or not. */
  hasEnded = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #isStarted = false;
  #wake: () => void = () => {};

  /** Its transactions go to our standard output, what it says to our stderr. */
  constructor(program: string, words: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    this.#forward(this.#child.stdout, process.stdout, () => this.lines++);
    this.#forward(this.#child.stderr, process.stderr, (line) => {
      this.#isStarted ||= STARTED.test(line);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", () => resolve(1));
      this.#child.once("close", (status) => resolve(status ?? 1));
    });
    const endWithUs = () => this.#child.kill();
    process.once("exit", endWithUs);
    void this.#ended.then(() => {
      process.off("exit", endWithUs);
      this.hasEnded = true;
      this.#wake();
    });
  }

  /** Null once it captures; its exit status where it ended before, or said nothing for `forMs`. */
  async started(forMs: number): Promise<number | null> {
    if (await this.#until(() => this.#isStarted, forMs)) return null;
    return await this.stop();
  }

  /** Whether it has printed so many lines within `forMs`. */
  printed(lines: number, forMs: number): Promise<boolean> {
    return this.#until(() => this.lines >= lines, forMs);
  }

  /** Ends it as Ctrl-C does; returns its exit status. */
  async stop(): Promise<number> {
    this.#child.kill("SIGINT");
    return await this.#ended;
  }

  #forward(input: NodeJS.ReadableStream | null, output: NodeJS.WritableStream, see: (line: string) => void): void {
    if (input === null) return;
    createInterface({ input }).on("line", (line) => {
      output.write(`${line}\n`);
      see(line);
      this.#wake();
    });
  }

  /** Waits for a condition that a line may make true; false when time is up or the program has ended without it. */
  async #until(holds: () => boolean, forMs: number): Promise<boolean> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#wake();
    }, forMs);
    while (!holds() && !isOver && !this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    return holds();
  }
}
