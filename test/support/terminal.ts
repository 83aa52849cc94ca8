import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after } from "node:test";

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program on a terminal of its own, made by script(1) of util-linux (`missingProgram("script")`): all three descriptors are that. */
export class Terminal {
  readonly child: ChildProcess;
  /** All that was shown so far. */
  shown = "";
  readonly #ended: Promise<unknown>;

  /** `command`: for sh. */
  constructor(command: string, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn("script", ["-qefc", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TERM: "dumb", TCPLAT_LOG: "", ...env },
    });
    running.add(this.child);
    this.child.stdin?.on("error", () => {});
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.shown += chunk.toString("latin1");
    });
    this.#ended = once(this.child, "close").then(() => running.delete(this.child));
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Resolves with the exit status when the program has ended. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.child.exitCode;
  }
}
